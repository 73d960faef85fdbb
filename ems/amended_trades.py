"""Trades that a venue takes back or corrects; what names no trade of ours is an orphan."""

from collections.abc import Iterator

from ems.amendments import booked, of_report, trade_named
from ems.drop_copy import amended_before
from ems.exec_ids import booked_as
from ems.orphans import decide_orphan, settled
from ems.unnamed_amendments import decide_unnamed
from oms.domain.commands import ExecutionReport
from oms.domain.events import DuplicateExecutionDropped, Event
from oms.domain.instrument import Venue
from oms.domain.order import Execution, Order
from oms.domain.orphans import Settlement
from oms.domain.state import State


def _execution(child: Order, exec_id: str) -> Execution | None:
    """The trade that an ExecRefID (19) names: by its own ExecID or by that of a correction."""
    found = child.executions.get((child.order_id, exec_id))
    return found if found is not None else trade_named(child, exec_id)


def decide_bust(
    state: State, venue: Venue, child: Order, report: ExecutionReport
) -> Iterator[Event]:
    """The venue takes a trade back."""
    if booked_as(state, child, venue.name, report.exec_id) is not None:
        yield DuplicateExecutionDropped(
            order_id=child.order_id, venue=venue.name, exec_id=report.exec_id
        )
        return
    trade = _execution(child, report.exec_ref_id)
    known = amended_before(child, trade, report)
    if known:
        yield from known
        return
    if trade is None:
        yield from decide_unnamed(state, venue, child, report, "")
        return
    if trade.busted:
        yield from decide_orphan(state, venue, report)
        return
    yield from booked(child, trade, of_report(report, ""))


def decide_correction(
    state: State, venue: Venue, child: Order, report: ExecutionReport
) -> Iterator[Event]:
    """The venue corrects a trade's quantity or price."""
    known_as = booked_as(state, child, venue.name, report.exec_id)
    trade = _execution(child, report.exec_ref_id)
    # Empty: it came before its trade, and was an orphan.
    if known_as or (known_as is not None and trade is None):
        yield DuplicateExecutionDropped(
            order_id=child.order_id, venue=venue.name, exec_id=report.exec_id
        )
        return
    known = amended_before(child, trade, report)
    if known:
        yield from known
        return
    if trade is None:
        yield from decide_unnamed(state, venue, child, report, "")
        return
    if trade.busted or report.last_qty is None or report.last_px is None:
        yield from decide_orphan(state, venue, report)
        return
    yield from booked(child, trade, of_report(report, ""))
    orphan = state.orphans.of_trade(venue.name, report.exec_id)
    if orphan is not None:
        yield settled(orphan, Settlement.BOOKED, order_id=child.order_id)
