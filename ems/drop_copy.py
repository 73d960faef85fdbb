"""Drop copies: sessions that tell of a venue's trades besides the order session.

Trades, busts and corrections count, whoever tells them first; all else that a drop copy says of an
order is the order session's to say, and is ignored. A trade that both tell is booked once (see
ems.same_trade): the second telling is matched, and from then on the trade has the order session's
ExecID. Where that cannot be told, nothing is booked and operations is asked (ems.orphans). Nothing
is ever sent to a venue by a drop copy, and it tells nothing of how an order stands: while the order
session is away, the order stays in doubt.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from ems.amendments import first_or_again, matched, of_report, trade_named
from ems.differences import more_to_tell
from ems.exec_ids import booked_as
from ems.orphans import decide_orphan, reported, settled
from ems.same_trade import (
    Telling,
    Twin,
    not_told_by,
    telling_of,
    telling_of_orphan,
    twin_of,
    window_of,
)
from ems.stops import venue_triggered
from ems.unnamed_amendments import decide_unnamed
from oms.domain.commands import ExecutionReport
from oms.domain.events import (
    DuplicateExecutionDropped,
    Event,
    OrderAcknowledged,
    OrphanReported,
    TradeExecuted,
)
from oms.domain.fix import ExecType
from oms.domain.instrument import DropCopy, Venue
from oms.domain.order import Execution, Order
from oms.domain.orphan_events import TradeMatched
from oms.domain.orphans import OrphanKind, Settlement, copy_id
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import ZERO

_COUNTS = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})


def decide_copy(state: State, copy: DropCopy, report: ExecutionReport) -> Iterator[Event]:
    """The facts in a drop copy's ExecutionReport."""
    venue = state.reference.venues[copy.venue]
    if report.exec_type not in _COUNTS:
        return
    told_as = copy_id(copy.session, report.exec_id)
    child, doubt = _child_named(state, venue, report)
    if child is None:
        booked = state.exec_ids.get((venue.name, told_as))
    else:
        booked = booked_as(state, child, venue.name, told_as)
    if booked is not None:
        yield DuplicateExecutionDropped(order_id=booked, venue=venue.name, exec_id=told_as)
        return
    if child is None:
        yield from decide_orphan(state, venue, report, copy.session)
    elif report.exec_type is ExecType.TRADE:
        yield from _trade(state, child, report, copy, doubt)
    else:
        yield from _amended(state, venue, child, report, copy.session)


def _child_named(state: State, venue: Venue, report: ExecutionReport) -> tuple[Order | None, str]:
    """The child that a copy is about, by ClOrdID, OrderID or SecondaryOrderID; and what is odd."""
    by_id = state.child_of(venue.name, report.cl_ord_id)
    if by_id is None and report.orig_cl_ord_id:
        by_id = state.child_of(venue.name, report.orig_cl_ord_id)
    names = [report.order_id, report.ids.secondary_order_id if report.ids else ""]
    found = [state.venue_order_ids.get((venue.name, one), "") for one in names]
    by_order = next((state.orders[one] for one in found if one), None)
    if by_id is not None and by_order is not None and by_id is not by_order:
        return by_id, f"ClOrdID (11) names {by_id.order_id}, OrderID (37) {by_order.order_id}"
    return by_id or by_order, ""


def _trade(
    state: State,
    child: Order,
    report: ExecutionReport,
    copy: DropCopy,
    doubt: str,
) -> Iterator[Event]:
    source, venue = copy.session, state.reference.venues[copy.venue]
    if report.symbol != child.symbol:
        doubt = doubt or f"Symbol (55) is {report.symbol}, not {child.symbol}"
    if report.side is None or report.side.sign != child.side.sign:
        theirs = report.side.name if report.side else "another"
        doubt = doubt or f"Side (54) is {theirs}, not {child.side.name}"
    telling = _telling(state, child, report, source)
    known = not_told_by(child.executions.values(), source)
    twin = Twin(key="", doubt=doubt) if doubt else twin_of(telling, known, copy.match_window_us)
    if twin is not None:
        yield _same_or_asked(venue, child, report, source, twin)
        return
    if not child.accepted:
        yield OrderAcknowledged(
            order_id=child.order_id, venue_order_id=report.order_id, implied=True, source=source
        )
    triggered = venue_triggered(child) if child.ord_type.is_stop else None
    if triggered is not None:
        yield triggered
    yield TradeExecuted(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=venue.name,
        exec_id=telling.told_as,
        last_qty=telling.last_qty,
        last_px=telling.last_px,
        transact_time=report.transact_time,
        excess=not child.external and child.cum_qty + telling.last_qty > child.order_qty,
        late=not child.external and child.closed is not None,
        early=not child.accepted,
        source=source,
        ids=report.ids,
    )
    disagrees = child.doubt_reason is Reason.VENUE_DISAGREES
    if disagrees and child.closed is None and child.cum_qty + telling.last_qty < child.order_qty:
        yield more_to_tell(child)


def _telling(state: State, child: Order, report: ExecutionReport, source: str) -> Telling:
    more = report.last_qty is not None and report.cum_qty >= _ever(state, child) + report.last_qty
    return telling_of(report, source, more_than_booked=more and report.cum_qty > 0)


def _ever(state: State, child: Order) -> Decimal:
    """All that was ever booked of it, at its most, and all that is asked about: what was taken back
    may be told again, and what is asked may be booked.
    """
    booked = (
        max(quantity for quantity, _ in one.tale.steps) if one.tale else one.last_qty
        for one in child.executions.values()
    )
    asked = (
        one.event.last_qty or ZERO
        for one in state.orphans.named(child.counterparty, child.order_id)
    )
    return sum(booked, ZERO) + sum(asked, ZERO)


def _same_or_asked(
    venue: Venue, child: Order, report: ExecutionReport, source: str, twin: Twin
) -> TradeMatched | OrphanReported:
    if twin.rule:
        return TradeMatched(
            order_id=child.order_id,
            parent_id=child.parent_id,
            venue=venue.name,
            exec_id=twin.key,
            source=source,
            told_as=copy_id(source, report.exec_id),
            rule=twin.rule,
            ids=report.ids,
        )
    return replace(
        reported(venue, report, source),
        text=twin.doubt,
        kind=OrphanKind.SAME_TRADE,
        order_id=child.order_id,
        twin=twin.key,
    )


def told_before(state: State, venue: Venue, child: Order, report: ExecutionReport) -> list[Event]:
    """What an order session's trade comes to where a drop copy told it first, or may have; nothing
    where it is news.
    """
    if not child.ahead and not state.orphans:
        return []
    if booked_as(state, child, venue.name, report.exec_id):
        return []
    asked = state.orphans.of_trade(venue.name, report.exec_id)
    if asked is not None:
        if asked.event.order_id != child.order_id:
            return []
        return [
            DuplicateExecutionDropped(
                order_id=child.order_id, venue=venue.name, exec_id=report.exec_id
            )
        ]
    known = not_told_by(child.executions.values(), "")
    twin = twin_of(_telling(state, child, report, ""), known, window_of(state, venue.name))
    return [] if twin is None else [_same_or_asked(venue, child, report, "", twin)]


def told_by_venue(child: Order) -> Decimal:
    """CumQty as far as the order session has told it."""
    if not child.ahead:
        return child.cum_qty
    told = ZERO
    for one in child.executions.values():
        if one.tale is None:
            told += one.last_qty
        elif "" in one.tale.told:
            told += one.tale.steps[len(one.tale.told[""]) - 1][0]
    return told


def answered(state: State, event: TradeExecuted) -> Iterator[Event]:
    """A trade that is booked may be what was asked about: then that is no question any more."""
    child = state.orders[event.order_id]
    trade = child.executions[event.order_id, event.exec_id]
    for orphan in state.orphans.named(event.venue, child.order_id):
        asked = orphan.event
        if asked.kind is not OrphanKind.SAME_TRADE:
            continue
        if asked.exec_id == event.exec_id:
            continue
        known = not_told_by([trade], asked.source)
        twin = twin_of(telling_of_orphan(asked), known, window_of(state, event.venue))
        if twin is not None and twin.rule:
            yield settled(
                orphan, Settlement.BOOKED, order_id=child.order_id, text=f"is {event.exec_id}"
            )
            yield TradeMatched(
                order_id=child.order_id,
                parent_id=child.parent_id,
                venue=event.venue,
                exec_id=event.exec_id,
                source=asked.source,
                told_as=asked.exec_id,
                rule=twin.rule,
                ids=asked.ids,
            )
            return


def _amended(
    state: State, venue: Venue, child: Order, report: ExecutionReport, source: str
) -> Iterator[Event]:
    """A bust or a correction that a drop copy tells."""
    named = copy_id(source, report.exec_ref_id)
    trade = trade_named(child, named) or trade_named(child, report.exec_ref_id)
    if trade is None:
        yield from decide_unnamed(state, venue, child, report, source)
        return
    step = len(trade.tale.told.get(source, ())) if trade.tale is not None else 0
    if not step:
        # By the order session's name for a trade that the drop copy had not told.
        yield matched(child, trade, source, named)
        step = 1
    yield from first_or_again(child, trade, of_report(report, source), step=step)


def amended_before(child: Order, trade: Execution | None, report: ExecutionReport) -> list[Event]:
    """What an order session's bust or correction comes to where a drop copy told it first."""
    if trade is None or trade.tale is None or "" not in trade.tale.told:
        return []
    step = len(trade.tale.told[""])
    if step >= len(trade.tale.steps):
        return []
    return list(first_or_again(child, trade, of_report(report, ""), step=step))
