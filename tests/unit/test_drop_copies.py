"""Drop copies: what is doubtful is asked, what only they tell is booked, and nothing goes out."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ems.same_trade import window_of
from oms.domain import effects as fx
from oms.domain.commands import ExecutionReport
from oms.domain.events import (
    CommandAnswered,
    DiscrepancyFound,
    DuplicateExecutionDropped,
    Event,
    OrderCanceled,
    OrphanReported,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.instrument import DropCopy
from oms.domain.orphan_events import OrphanSettled, TradeMatched
from oms.domain.orphans import (
    DecideOrphan,
    OrphanKind,
    OrphanVerdict,
    Settlement,
    TradeIds,
    copy_id,
)
from oms.domain.reasons import Reason
from tests.support.invariants import check_same
from tests.support.world import REFERENCE, World, of_type, reports

COPY = "XA-DC"
BROKER = "BROKER-DC"
COPIES = {name: DropCopy(session=name, venue="XA") for name in (COPY, BROKER)}
AT = 1_790_000_000_000_000


@pytest.fixture
def world() -> World:
    """One working order, c1, at the venue that is copied."""
    made = World(replace(REFERENCE, drop_copies=COPIES))
    made.connect("XA", "XB")
    made.new("c1")
    made.ack(made.child("c1"))
    return made


def told(world: World, source: str, exec_id: str, **more: Any) -> list[Event]:
    """A fill of 10 at 100 by that session; `more` in its place or besides."""
    fields: dict[str, Any] = {
        "order_id": "V-1",
        "exec_id": exec_id,
        "last_qty": Decimal(10),
        "last_px": Decimal(100),
        "transact_time": AT,
        "leaves_qty": Decimal(90),
    }
    child = world.child("c1")
    return world.send(copy_of(world, source, child.cl_ord_id, **(fields | more)))


def copy_of(world: World, source: str, cl_ord_id: str, **more: Any) -> ExecutionReport:
    kind = more.pop("kind", ExecType.TRADE)
    return world.report(source, cl_ord_id, kind, OrdStatus.PARTIALLY_FILLED, **more)


def decide(world: World, verdict: OrphanVerdict, number: int | None = None) -> list[Event]:
    orphan = number if number is not None else next(iter(world.state.orphans))
    origin = replace(world.origin("operator"), session="", msg_seq_num=0, user="eve")
    return world.send(
        DecideOrphan(origin=origin, orphan=orphan, verdict=verdict, reason="asked the venue")
    )


@pytest.mark.parametrize("order", [("XA", COPY), (COPY, "XA")])
def test_a_trade_of_both_sessions_is_booked_and_told_once(
    world: World, order: tuple[str, str]
) -> None:
    told(world, order[0], "1")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.PARTIALLY_FILLED)]
    told(world, order[1], "2")
    assert not world.effects
    [matched] = of_type(world, TradeMatched)
    assert matched.rule == "same figures, 0 ms apart"
    assert world.order("c1").cum_qty == 10
    exec_id = "1" if order[0] == "XA" else "2"
    assert [one for _, one in world.order("c1").executions] == [exec_id]
    check_same(world.state, world.replayed())


@pytest.mark.parametrize(("apart_us", "same"), [(1_000_000, True), (1_000_001, False)])
def test_one_trade_is_told_at_most_the_window_apart(
    world: World, apart_us: int, *, same: bool
) -> None:
    told(world, "XA", "1")
    told(world, COPY, "2", transact_time=AT + apart_us)
    assert bool(of_type(world, TradeMatched)) is same
    assert bool(of_type(world, OrphanReported)) is not same


def test_of_several_copies_of_a_venue_the_widest_window_counts() -> None:
    told = {"A": ("XA", 2), "B": ("XA", 5), "C": ("XA", 3), "D": ("XB", 60)}
    copies = {
        name: DropCopy(session=name, venue=venue, match_window_us=window)
        for name, (venue, window) in told.items()
    }
    state = World(replace(REFERENCE, drop_copies=copies)).state
    assert [window_of(state, venue) for venue in ("XA", "XB")] == [5, 60]


def test_three_sessions_tell_one_trade(world: World) -> None:
    for source in (BROKER, COPY, "XA", COPY, BROKER):
        told(world, source, "same")
    assert world.order("c1").cum_qty == 10
    assert world.child("c1").ahead == 0


def test_a_copy_finds_its_order_by_the_venues_names(world: World) -> None:
    world.send(
        copy_of(
            world,
            COPY,
            "",
            order_id="other",
            exec_id="1",
            last_qty=Decimal(10),
            last_px=Decimal(100),
            ids=TradeIds(secondary_order_id=world.child("c1").venue_order_id),
        )
    )
    assert world.order("c1").cum_qty == 10


def test_what_else_a_copy_says_is_ignored(world: World) -> None:
    for kind in (ExecType.CANCELED, ExecType.REPLACED, ExecType.NEW, ExecType.EXPIRED):
        assert not told(world, COPY, f"n-{kind.name}", kind=kind, last_qty=None, last_px=None)
    assert world.child("c1").is_open


DOUBTFUL = [
    {"transact_time": AT + 5_000_000},
    {"ids": TradeIds(trd_match_id="M1"), "last_px": Decimal(99)},
    {"side": Side.SELL},
    {"symbol": "HALT"},
]


@pytest.mark.parametrize("more", DOUBTFUL, ids=lambda one: next(iter(one)))
def test_what_may_be_booked_already_is_asked_and_not_booked(
    world: World, more: dict[str, Any]
) -> None:
    told(world, "XA", "E1", ids=TradeIds(trd_match_id="M1") if "ids" in more else None)
    told(world, COPY, "D1", **more)
    [asked] = of_type(world, OrphanReported)
    child = world.child("c1")
    assert (asked.kind, asked.order_id) == (OrphanKind.SAME_TRADE, child.order_id)
    assert child.cum_qty == 10
    assert asked.text
    assert not world.effects
    # Told again, nothing more happens.
    told(world, COPY, "D1", **more)
    assert len(world.state.orphans) == 1
    [dropped] = of_type(world, DuplicateExecutionDropped)
    assert dropped.order_id == "", "no order has it yet"
    check_same(world.state, world.replayed())


def test_an_operator_says_that_it_is_the_same(world: World) -> None:
    told(world, "XA", "E1")
    told(world, COPY, "D1", transact_time=AT + 5_000_000)
    number = next(iter(world.state.orphans))
    decide(world, OrphanVerdict.REFUSE)
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.user) == (Settlement.REFUSED, "eve")
    assert of_type(world, TradeMatched)
    assert world.order("c1").cum_qty == 10
    # From then on the copy knows the trade: its bust is the venue's.
    told(world, COPY, "D2", kind=ExecType.TRADE_CANCEL, exec_ref_id="D1", last_qty=None)
    told(world, "XA", "E2", kind=ExecType.TRADE_CANCEL, exec_ref_id="E1", last_qty=None)
    assert world.order("c1").cum_qty == 0
    # The same decision again is no fault, another one is.
    decide(world, OrphanVerdict.REFUSE, number)
    assert [one.accepted for one in of_type(world, CommandAnswered)] == [True]
    decide(world, OrphanVerdict.ADOPT, number)
    [answer] = of_type(world, CommandAnswered)
    assert (answer.accepted, answer.reason) == (False, Reason.TOO_LATE)
    check_same(world.state, world.replayed())


@pytest.mark.parametrize("first", ["XA", COPY])
def test_an_operator_says_that_it_is_another(world: World, first: str) -> None:
    second = COPY if first == "XA" else "XA"
    told(world, first, "1")
    told(world, second, "2", transact_time=AT + 5_000_000)
    assert world.order("c1").cum_qty == 10
    decide(world, OrphanVerdict.ADOPT)
    assert world.order("c1").cum_qty == 20
    assert reports(world) == [(ExecType.TRADE, OrdStatus.PARTIALLY_FILLED)]
    assert not world.state.orphans
    told(world, second, "2", transact_time=AT + 5_000_000)
    assert world.order("c1").cum_qty == 20
    check_same(world.state, world.replayed())


def test_a_question_ends_when_its_trade_comes(world: World) -> None:
    told(world, "XA", "E1")
    told(world, COPY, "D2", transact_time=AT + 5_000_000)
    assert len(world.state.orphans) == 1
    told(world, "XA", "E2", transact_time=AT + 5_000_000)
    assert world.order("c1").cum_qty == 20
    [settled] = of_type(world, OrphanSettled)
    assert settled.settlement is Settlement.BOOKED
    [matched] = of_type(world, TradeMatched)
    assert (matched.exec_id, matched.source, matched.told_as) == ("E2", COPY, copy_id(COPY, "D2"))
    assert not world.state.orphans
    check_same(world.state, world.replayed())


def test_what_the_order_session_repeats_while_it_is_asked_about_is_dropped(world: World) -> None:
    told(world, COPY, "D1")
    told(world, "XA", "E1", transact_time=AT + 5_000_000)
    assert of_type(world, OrphanReported)
    told(world, "XA", "E1", transact_time=AT + 5_000_000)
    child = world.child("c1")
    assert [one.order_id for one in of_type(world, DuplicateExecutionDropped)] == [child.order_id]
    assert child.cum_qty == 10


def test_what_was_asked_about_is_dropped_when_no_copy_is_ahead_any_more(world: World) -> None:
    told(world, COPY, "D1")
    told(world, "XA", "E1", transact_time=AT + 5_000_000)
    assert of_type(world, OrphanReported)
    told(world, "XA", "E2")
    assert of_type(world, TradeMatched)
    child = world.child("c1")
    assert child.ahead == 0
    told(world, "XA", "E1", transact_time=AT + 5_000_000)
    assert not of_type(world, TradeExecuted)
    assert child.cum_qty == 10


def test_what_is_asked_about_may_be_what_the_venue_counts_beyond_the_book(world: World) -> None:
    told(world, "XA", "E1")
    told(world, COPY, "D2", transact_time=AT + 5_000_000)
    assert of_type(world, OrphanReported)
    told(world, COPY, "D3", transact_time=AT + 9_000_000, cum_qty=Decimal(20))
    assert of_type(world, OrphanReported)
    assert world.child("c1").cum_qty == 10


def test_what_the_venue_counts_beyond_the_book_is_a_new_trade(world: World) -> None:
    """Two fills that differ in their time only, of which the copy has missed the first."""
    told(world, "XA", "E1", cum_qty=Decimal(10))
    told(world, COPY, "D2", transact_time=AT + 5_000_000, cum_qty=Decimal(20))
    assert of_type(world, TradeExecuted)
    told(world, "XA", "E2", transact_time=AT + 5_000_000, cum_qty=Decimal(20))
    assert world.order("c1").cum_qty == 20
    assert not of_type(world, DiscrepancyFound)


def test_what_was_taken_back_is_not_new_when_it_is_told_again(world: World) -> None:
    """CumQty is that of the trade, and nothing is booked any more."""
    told(world, "XA", "E1", cum_qty=Decimal(10))
    told(world, "XA", "E2", kind=ExecType.TRADE_CANCEL, exec_ref_id="E1", last_qty=None)
    told(world, COPY, "D1", transact_time=AT + 5_000_000, cum_qty=Decimal(10))
    assert of_type(world, OrphanReported)
    assert world.order("c1").cum_qty == 0
    decide(world, OrphanVerdict.REFUSE)
    told(world, COPY, "D2", kind=ExecType.TRADE_CANCEL, exec_ref_id="D1", last_qty=None)
    assert of_type(world, TradeMatched)
    assert world.order("c1").cum_qty == 0


def test_a_question_is_not_settled_by_a_trade_that_was_told_otherwise(world: World) -> None:
    told(world, "XA", "E1")
    told(world, COPY, "D1", transact_time=AT + 5_000_000)
    told(world, COPY, "D2")
    assert of_type(world, TradeMatched)
    decide(world, OrphanVerdict.REFUSE)
    [answer] = of_type(world, CommandAnswered)
    assert not answer.accepted
    assert "no booked trade is left that it can be" in answer.text
    decide(world, OrphanVerdict.ADOPT)
    assert world.order("c1").cum_qty == 20


def test_where_the_trade_in_question_was_told_since_it_is_the_nearest_of_those_left(
    world: World,
) -> None:
    for exec_id, seconds in (("E0", -60), ("E3", -30), ("E1", 0), ("E2", 8)):
        told(world, "XA", exec_id, transact_time=AT + seconds * 1_000_000)
    told(world, BROKER, "B0", transact_time=AT - 60_000_000)
    told(world, COPY, "D1", transact_time=AT + 3_000_000)
    [asked] = of_type(world, OrphanReported)
    assert asked.twin == "E1"
    told(world, COPY, "D2")
    decide(world, OrphanVerdict.REFUSE)
    [matched] = of_type(world, TradeMatched)
    assert (matched.exec_id, matched.source) == ("E2", COPY)


def test_the_order_session_is_down_and_its_order_stays_in_doubt(world: World) -> None:
    world.disconnect("XA")
    told(world, COPY, "D1")
    child = world.child("c1")
    assert child.cum_qty == 10
    assert reports(world) == [(ExecType.TRADE, OrdStatus.PARTIALLY_FILLED)]
    assert child.doubt_reason is Reason.SESSION_LOST
    world.cancel("c2", "c1")
    assert not [one for one in world.effects if getattr(one, "session", "") != "ALPHA"]
    world.connect_only("XA")
    told(world, "XA", "E1")
    assert child.cum_qty == 10
    assert child.ahead == 0
    check_same(world.state, world.replayed())


def test_the_last_fill_with_the_end_of_the_rest_is_not_lost(world: World) -> None:
    """An order session may bundle both (matrix XI.1.b); the copy tells of the fill first."""
    told(world, COPY, "D1", last_qty=Decimal(60))
    world.send(
        world.report(
            "XA",
            world.child("c1").cl_ord_id,
            ExecType.TRADE,
            OrdStatus.CANCELED,
            exec_id="E1",
            last_qty=Decimal(60),
            last_px=Decimal(100),
            transact_time=AT,
            cum_qty=Decimal(60),
        )
    )
    assert of_type(world, OrderCanceled)
    assert world.child("c1", 0).closed is OrdStatus.CANCELED
    assert world.order("c1").cum_qty == 60


def test_changes_that_differ_are_a_discrepancy(world: World) -> None:
    told(world, "XA", "E1")
    told(world, COPY, "D1")
    change = {"kind": ExecType.TRADE_CORRECT, "last_qty": Decimal(10)}
    told(world, "XA", "E2", exec_ref_id="E1", **(change | {"last_px": Decimal(99)}))
    told(world, COPY, "D2", exec_ref_id="D1", **(change | {"last_px": Decimal(98)}))
    [found] = of_type(world, DiscrepancyFound)
    assert (found.ours, found.theirs) == ("10 at 99", "10 at 98 of XA-DC:D2")
    assert world.order("c1").traded_value == 990


def test_nothing_is_ever_sent_over_a_drop_copy(world: World) -> None:
    world.connect_only(COPY)
    assert not world.effects
    told(world, COPY, "D1")
    world.send(
        copy_of(world, COPY, "nobody", exec_id="D9", last_qty=Decimal(1), last_px=Decimal(1))
    )
    world.disconnect(COPY)
    sent = [one for one in world.effects if getattr(one, "session", "") == COPY]
    assert not sent
    assert not world.child("c1").in_doubt
    assert not [one for one in world.effects if isinstance(one, fx.SendOrderMassStatusRequest)]


@pytest.mark.parametrize(
    ("cum_qty", "flagged"), [("20", False), ("30", False), ("19", True), ("31", True)]
)
def test_a_venues_count_may_leave_out_what_only_the_copy_has_told(
    world: World, cum_qty: str, *, flagged: bool
) -> None:
    told(world, COPY, "1")
    child = world.child("c1")
    world.fill(child, "20", "101", cum_qty=Decimal(cum_qty))
    assert child.cum_qty == 30
    assert [one.field for one in of_type(world, DiscrepancyFound)] == ["CumQty (14)"] * flagged


def test_what_a_copy_opens_again_while_the_order_session_is_away_is_in_doubt(world: World) -> None:
    """Found by simulated seed 38: the copy told the fills of all of it, and a bust of one."""
    world.disconnect("XA")
    child = world.child("c1")
    told(world, COPY, "1", last_qty=Decimal(60), leaves_qty=Decimal(40))
    told(world, COPY, "2", last_qty=Decimal(40), leaves_qty=Decimal(0))
    assert not child.is_open
    told(world, COPY, "3", kind=ExecType.TRADE_CANCEL, exec_ref_id="2")
    assert child.leaves_qty == 40
    assert child.in_doubt
