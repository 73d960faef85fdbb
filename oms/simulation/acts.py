"""What can happen in a run, by name: each act takes the world and a number that says which."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from oms.domain.commands import (
    JOBS,
    SYSTEM,
    CloseTradingDay,
    EngageKillSwitch,
    OpenTradingDate,
    ReleaseKillSwitch,
    SetRiskLimit,
)
from oms.domain.inquiries import ResolveDispute
from oms.domain.orphans import DecideOrphan, OrphanVerdict
from oms.domain.session_commands import (
    ApproveSessionReset,
    RequestSessionReset,
    StartSession,
    StopSession,
)
from oms.simulation.corporate import split
from oms.simulation.desk import OPERATOR, is_ours, word_on
from oms.simulation.reloads import reload

if TYPE_CHECKING:
    from oms.domain.orphan_events import Orphan
    from oms.simulation.client import SimClient
    from oms.simulation.rest import RestUser
    from oms.simulation.venue import SimVenue
    from oms.simulation.world import World

SECOND = replace(SYSTEM, counterparty="operator:lee", user="lee")
_LIMITS = ("MAX_ORDER_QTY", "MAX_POSITION", "MAX_ORDER_NOTIONAL", "MAX_MESSAGE_RATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One thing that can happen. always: in every run; else in the runs that draw it."""

    weight: float
    do: Callable[["World", int], None]
    always: bool = False


def _client(world: "World", n: int) -> "SimClient":
    names = list(world.clients)
    return world.clients[names[n % len(names)]]


def _party(world: "World", n: int) -> str:
    names = list(world.parties)
    return names[n % len(names)]


def _kill(world: "World", n: int) -> None:
    level, subject = (("FIRM", "*"), ("ACCOUNT", "A1"), ("SESSION", "BETA"))[n % 3]
    world.story.tell(f"an operator engages the kill switch of {level} {subject}")
    world.ask(
        EngageKillSwitch(
            origin=OPERATOR,
            level=level,
            subject=subject,
            reason="test",
            cancel_open_orders=n % 4 != 0,
        )
    )
    world.agenda.after(1_000_000 + n % 4_000_000, lambda: _release(world, level, subject))


def _release(world: "World", level: str, subject: str) -> None:
    world.story.tell(f"an operator releases the kill switch of {level} {subject}")
    world.ask(ReleaseKillSwitch(origin=OPERATOR, level=level, subject=subject, reason="test"))


def _limit(world: "World", n: int) -> None:
    rule = _LIMITS[n % len(_LIMITS)]
    value = Decimal((50, 100, 500, 2000)[n // 4 % 4])
    if rule == "MAX_ORDER_NOTIONAL":
        value *= 100
    level, subject = (("FIRM", "*"), ("ACCOUNT", "A1"), ("SYMBOL", "AAPL"))[n // 16 % 3]
    wanted = None if n % 5 == 0 else value
    world.story.tell(f"an operator sets {rule} of {level} {subject} to {wanted}")
    world.ask(
        SetRiskLimit(
            origin=OPERATOR, rule=rule, level=level, subject=subject, value=wanted, reason="test"
        )
    )


def _next_day(world: "World", n: int) -> None:
    if n % 3:
        world.story.tell(f"the trading day {world.trade_date} is closed")
        world.ask(CloseTradingDay(origin=JOBS, trade_date=world.trade_date))
    if n % 3 < 2:
        world.trade_date = (date.fromisoformat(world.trade_date) + timedelta(days=1)).isoformat()
        if world.trade_date > "2026-10-15":
            return
        world.story.tell(f"the trading day {world.trade_date} begins")
        world.ask(OpenTradingDate(origin=JOBS, trade_date=world.trade_date))


def _stop_session(world: "World", n: int) -> None:
    name = _party(world, n)
    world.story.tell(f"an operator stops the session {name}")
    world.ask(StopSession(origin=OPERATOR, session=name, reason="test"))
    world.agenda.after(2_000_000 + n % 3_000_000, lambda: _start_session(world, name))


def _start_session(world: "World", name: str) -> None:
    """Until it is, for one that is not configured cannot be."""
    number = world.ask(StartSession(origin=OPERATOR, session=name, reason="test"))
    world.agenda.after(3_000_000, lambda: _insist(world, name, number))


def _insist(world: "World", name: str, number: int) -> None:
    if number not in world.disk.answered or world.shadow.state.session(name).stopped:
        _start_session(world, name)


def _decide_orphan(world: "World", n: int) -> None:
    """An operator's word about a report that fits no order, sometimes of one that is settled."""
    state = world.shadow.state
    known = [*state.orphans, *list(state.orphans_settled)[-2:]]
    if known:
        orphan = known[n % len(known)]
        held = state.orphans.get(orphan)
        no_way = held is not None and _is_booked(world, held)
        verdict = OrphanVerdict.REFUSE if n % 3 == 0 or no_way else OrphanVerdict.ADOPT
        if held is not None and is_ours(world, held):
            word = word_on(world, state, held)
            if word is None:
                return
            verdict = word
        world.story.tell(f"an operator decides: {verdict} {orphan}")
        world.ask(
            DecideOrphan(
                origin=OPERATOR,
                orphan=orphan,
                verdict=verdict,
                reason="test",
                account=("", "A1", "B1", "nobody's")[n // 3 % 4],
                tell_venue=verdict is OrphanVerdict.REFUSE and n % 2 == 0,
            )
        )


def _is_booked(world: "World", held: "Orphan") -> bool:
    """On an earlier date, perhaps: the tables keep what the core has forgotten."""
    name = (held.event.venue, held.event.exec_id)
    return any(key[:2] == name for key in world.disk.tables.rows.get("executions", {}))


def _resolve_dispute(world: "World", n: int) -> None:
    disputes = [one.seq for one in world.shadow.state.disputes.values()]
    if disputes:
        number = disputes[n % len(disputes)]
        world.story.tell(f"an operator says that dispute {number} is settled")
        world.ask(ResolveDispute(origin=OPERATOR, dispute=number, reason="test"))


def _venue(world: "World", n: int) -> "SimVenue":
    names = list(world.venues)
    return world.venues[names[n % len(names)]]


def _reset_session(world: "World", n: int) -> None:
    """One operator asks for it, another approves it when the first has the request's number."""
    name = _party(world, n)
    world.story.tell(f"an operator asks for new numbers of the session {name}")
    asked = world.ask(RequestSessionReset(origin=OPERATOR, session=name, reason="test"))
    world.agenda.after(1_500_000, lambda: _approve(world, name, asked))


def _approve(world: "World", name: str, asked: int) -> None:
    found = re.search("request ([0-9]+):", world.disk.answered.get(asked, ""))
    if found:
        request = int(found[1])
        world.ask(ApproveSessionReset(origin=SECOND, session=name, request=request, reason="test"))


def _rest(world: "World", n: int) -> "RestUser":
    names = list(world.rest)
    return world.rest[names[n % len(names)]]


ACTS: dict[str, Kind] = {
    "submit": Kind(weight=30, do=lambda world, n: _client(world, n).submit(n), always=True),
    "amend": Kind(weight=12, do=lambda world, n: _client(world, n).amend(n)),
    "cancel": Kind(weight=10, do=lambda world, n: _client(world, n).cancel(n)),
    "mass_cancel": Kind(weight=1, do=lambda world, n: _client(world, n).mass_cancel(n)),
    "ask_status": Kind(weight=2, do=lambda world, n: _client(world, n).ask_status(n)),
    "repeat": Kind(weight=3, do=lambda world, n: _client(world, n).repeat(n)),
    "reuse": Kind(weight=2, do=lambda world, n: _client(world, n).reuse(n)),
    "garbage": Kind(weight=1, do=lambda world, n: _client(world, n).garbage(n)),
    "list": Kind(weight=1, do=lambda world, n: _client(world, n).send_list(n)),
    "inquire": Kind(weight=1, do=lambda world, n: _client(world, n).inquire(n)),
    "rest_submit": Kind(weight=6, do=lambda world, n: _rest(world, n).submit(n)),
    "rest_amend": Kind(weight=2, do=lambda world, n: _rest(world, n).amend(n)),
    "rest_cancel": Kind(weight=2, do=lambda world, n: _rest(world, n).cancel(n)),
    "rest_repeat": Kind(weight=1, do=lambda world, n: _rest(world, n).repeat(n)),
    "rest_fix_id": Kind(weight=0.5, do=lambda world, n: _rest(world, n).take_fix_id(n)),
    "client_resets": Kind(weight=0.4, do=lambda world, n: _client(world, n).reset(n)),
    "client_skips": Kind(weight=0.4, do=lambda world, n: _client(world, n).skip_numbers(n)),
    "quote": Kind(weight=4, do=lambda world, n: _venue(world, n).quote(n)),
    "orphan": Kind(weight=1, do=lambda world, n: _venue(world, n).report_unknown(n)),
    "decide_orphan": Kind(weight=0.7, do=_decide_orphan),
    "resolve_dispute": Kind(weight=0.7, do=_resolve_dispute),
    "reset_session": Kind(weight=0.6, do=_reset_session),
    "client_leaves": Kind(weight=1, do=lambda world, n: _client(world, n).leave(n)),
    "cut": Kind(weight=2, do=lambda world, n: world.cut(_party(world, n))),
    "partition": Kind(weight=1, do=lambda world, n: world.partition(_party(world, n), n)),
    "crash": Kind(weight=1.5, do=lambda world, _: world.crash("the core is killed")),
    "crash_within": Kind(weight=2, do=lambda world, n: world.crash_within(n % 60)),
    "take_over": Kind(weight=1, do=lambda world, n: world.take_over(n)),
    "kill": Kind(weight=1, do=_kill),
    "limit": Kind(weight=1, do=_limit),
    "next_day": Kind(weight=0.7, do=_next_day),
    "split": Kind(weight=1, do=lambda world, n: split(world, n, OPERATOR, SECOND)),
    "reload": Kind(weight=0.6, do=lambda world, n: reload(world, n, OPERATOR, SECOND)),
    "stop_session": Kind(weight=0.7, do=_stop_session),
}
