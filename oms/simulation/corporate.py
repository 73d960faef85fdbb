"""Splits, previewed by one operator and applied by another, between two trading dates."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from fix_sessions.wire import utc_timestamp_ms
from oms.domain.commands import JOBS, CloseTradingDay, OpenTradingDate, Origin
from oms.domain.order import Order
from oms.domain.splits import (
    ApplyCorporateAction,
    CorporateActionApplied,
    PreviewCorporateAction,
)
from oms.simulation.ledgers import Split, Standing

if TYPE_CHECKING:
    from oms.simulation.venue import SimVenue
    from oms.simulation.world import World

SPLIT_SYMBOL = "NVDA"
_RATIOS = ((2, 1), (3, 1), (1, 2), (2, 1), (5, 1), (3, 2), (1, 4))
_STEP_US = 400_000
# How often the operators look again whether what stops the split has come to its end.
_MOST_TRIES = 12
_TICK = Decimal("0.01")


def split(world: "World", n: int, first: Origin, second: Origin) -> None:
    """Somebody has an order that outlives the day; the day is closed, the split previewed and
    applied, and the next date begins.
    """
    for number, client in enumerate(world.clients.values()):
        if n // 3 % 4 >= number:
            client.submit(n, SPLIT_SYMBOL)
    _later(world, partial(_begin, world, n, first, second))


def _begin(world: "World", n: int, first: Origin, second: Origin) -> None:
    if world.trade_date > "2026-10-15" or _is_halted(world):
        return
    for venue in world.venues.values():
        venue.halted.add(SPLIT_SYMBOL)
    world.ask(CloseTradingDay(origin=JOBS, trade_date=world.trade_date))
    effective = (date.fromisoformat(world.trade_date) + timedelta(days=1)).isoformat()
    new_shares, old_shares = _RATIOS[n % len(_RATIOS)]
    world.story.tell(f"{SPLIT_SYMBOL} is to be split {new_shares} for {old_shares}")
    preview = PreviewCorporateAction(
        origin=first,
        action_id=f"split-{n}",
        symbol=SPLIT_SYMBOL,
        new_shares=new_shares,
        old_shares=old_shares,
        effective_date=effective,
        reason="test",
        cash_in_lieu_px=None if n % 7 == 0 else Decimal(50),
    )
    _later(world, partial(_preview, world, preview, second, 1))


def _later(world: "World", action: partial[None]) -> None:
    world.agenda.after(_STEP_US, action)


def _is_halted(world: "World") -> bool:
    return any(SPLIT_SYMBOL in one.halted for one in world.venues.values())


def _preview(world: "World", command: PreviewCorporateAction, second: Origin, tries: int) -> None:
    asked = world.ask(command)
    _later(world, partial(_apply, world, asked, command, second, tries))


def _apply(
    world: "World", asked: int, command: PreviewCorporateAction, second: Origin, tries: int
) -> None:
    """Where both sides have the same orders by the telephone: nothing of before is under way."""
    found = re.search("preview ([0-9]+):.*somebody else", world.disk.answered.get(asked, ""))
    number = 0
    if found and _books_agree(world):
        world.story.tell(f"another operator applies {command.action_id}")
        number = world.ask(
            ApplyCorporateAction(
                origin=second, action_id=command.action_id, preview=int(found[1]), reason="test"
            )
        )
    elif tries < _MOST_TRIES and command.effective_date >= world.trade_date:
        _later(world, partial(_preview, world, command, second, tries + 1))
        return
    _later(world, partial(_open, world, command, number))


def _books_agree(world: "World") -> bool:
    state = world.shadow.state
    ours = [
        one
        for one in (state.orders[order_id] for order_id in state.open_orders)
        if one.is_child and one.symbol == SPLIT_SYMBOL
    ]
    working = sum(1 for venue in world.venues.values() for _ in _working(venue))
    return len(ours) == working and all(_same(one, world.standing(one)) for one in ours)


def _same(child: Order, standing: Standing | None) -> bool:
    return standing is not None and (
        (child.order_qty, child.cum_qty, child.leaves_qty, child.cl_ord_id)
        == (standing.order_qty, standing.cum_qty, standing.leaves_qty, standing.cl_ord_id)
    )


def _working(venue: "SimVenue") -> Iterator[Standing]:
    return (one for one in venue.orders if one.symbol == SPLIT_SYMBOL and one.leaves_qty)


def _open(world: "World", command: PreviewCorporateAction, number: int) -> None:
    """When it is known what became of the split; number: of its command, 0: it is called off."""
    if number and number not in world.disk.answered:
        _later(world, partial(_open, world, command, number))
        return
    if command.effective_date > world.trade_date:
        world.trade_date = command.effective_date
        world.story.tell(f"the trading day {command.effective_date} begins")
        world.ask(OpenTradingDate(origin=JOBS, trade_date=command.effective_date))
    for venue in world.venues.values():
        venue.halted.discard(SPLIT_SYMBOL)
        for standing in list(_working(venue)):
            venue.say(standing, "D", {378: "0" if standing.factors else "1"})


def carry_out(world: "World", event: CorporateActionApplied) -> None:
    """What was agreed by telephone happens everywhere: venues re-base what they work."""
    split = event.split
    at = utc_timestamp_ms(world.agenda.now_us)
    ratio = Fraction(split.new_shares, split.old_shares)
    for client in world.clients.values():
        client.ledger.splits.append(Split(symbol=split.symbol, ratio=ratio, at=at))
    for venue in world.venues.values():
        for standing in _working(venue):
            if _ordered_on(world, standing) < split.effective_date:
                _rebase(standing, ratio)


def _ordered_on(world: "World", standing: Standing) -> str:
    """The trading date of the client's order; one of the effective date is in new shares."""
    state = world.shadow.state
    child = state.child_of(standing.venue, standing.cl_ord_id)
    return "" if child is None else state.orders[child.parent_id].trade_date


def _rebase(order: Standing, ratio: Fraction) -> None:
    for name in order.trades:
        order.factors[name] = order.factors.get(name, Fraction(1)) * ratio
    order.order_qty = order.order_qty * ratio.numerator / ratio.denominator
    price = Decimal(order.price) * ratio.denominator / ratio.numerator
    rounding = ROUND_FLOOR if order.side == "1" else ROUND_CEILING
    order.price = str(price.quantize(_TICK, rounding))
