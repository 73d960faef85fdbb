"""The fold of who told what of a trade, of reports that fit no order, and of external orders."""

from dataclasses import replace
from typing import assert_never

from oms.domain.events import OrphanReported, TradeBusted, TradeCorrected, TradeExecuted
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.order import Execution, Order, new_order
from oms.domain.orphan_events import (
    ExternalOrderAdopted,
    Orphan,
    OrphanFact,
    OrphanSettled,
    TradeMatched,
)
from oms.domain.orphans import OrphanKind, Settlement, Tale
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import ZERO

# How many decisions are remembered, so that the same one again is no fault.
SETTLED_KEPT = 1_000


def execution_of(event: TradeExecuted, seq: int, at: int) -> Execution:
    """The trade as its order keeps it."""
    made = Execution(
        venue=event.venue,
        exec_id=event.exec_id,
        child_id=event.order_id,
        last_qty=event.last_qty,
        last_px=event.last_px,
        at=at,
        latest_exec_id=event.exec_id,
        report_id=f"E{seq}",
        transact_time=event.transact_time,
        ids=event.ids,
    )
    if event.source:
        made.tale = Tale(
            steps=[(event.last_qty, event.last_px)], told={event.source: [event.exec_id]}
        )
    return made


def before_trade(order: Order, event: TradeExecuted) -> None:
    """What a trade makes of its order besides: an external one is as large as what it traded."""
    if order.external:
        order.order_qty = max(order.order_qty, order.cum_qty + event.last_qty)
    if event.source and order.is_child:
        order.ahead += 1


def name_child(state: State, child: Order, venue_order_id: str) -> None:
    """The venue's own OrderID of a child."""
    child.venue_order_id = venue_order_id
    state.venue_order_ids[child.counterparty, venue_order_id] = child.order_id


def tells_standing(order: Order, source: str) -> bool:
    """Whether a trade ends the doubt about its order: not where the order session is away and only
    a drop copy speaks.
    """
    return not source or order.doubt_reason is not Reason.SESSION_LOST


def tale_of(execution: Execution) -> Tale:
    """What was told of the trade, to change: a plain one was told once, by the order session."""
    if execution.tale is None:
        first = (execution.last_qty, execution.last_px)
        execution.tale = Tale(steps=[first], told={"": [execution.exec_id]})
    return execution.tale


def amend(child: Order, execution: Execution, event: TradeBusted | TradeCorrected) -> None:
    """A bust or a correction, as it is booked."""
    if event.source:
        child.ahead += 1
    tale = tale_of(execution)
    if isinstance(event, TradeBusted):
        tale.steps.append((ZERO, ZERO))
        execution.busted = True
        execution.latest_exec_id = event.bust_exec_id
    else:
        tale.steps.append((event.last_qty, event.last_px))
        execution.latest_exec_id = event.correction_exec_id
        execution.last_qty = event.last_qty
        execution.last_px = event.last_px
    tale.told.setdefault(event.source, []).append(execution.latest_exec_id)


def fold_report(state: State, seq: int, at: int, event: OrphanReported) -> None:
    """A trade that fits no order is known by its ExecID, and open unless it is declined."""
    orphan = Orphan(
        seq=seq,
        at=at,
        trade_date=state.trade_date,
        event=event,
        told={event.source: event.exec_id},
    )
    asked = event.kind is not OrphanKind.UNKNOWN
    amends = event.exec_type is ExecType.TRADE_CORRECT
    if event.exec_ref_id and (amends or event.exec_type is ExecType.TRADE_CANCEL):
        state.orphans.add_early(orphan)
    if event.exec_type is not ExecType.TRADE and not amends and not asked:
        return
    state.exec_ids.setdefault((event.venue, event.exec_id), "")
    if not event.declined:
        state.orphans.add(orphan)


def fold_orphan(state: State, at: int, event: OrphanFact) -> None:
    """Change the state by one such event."""
    match event:
        case ExternalOrderAdopted():
            _adopt(state, at, event)
        case OrphanSettled():
            state.orphans.end(event.orphan)
            if event.settlement is not Settlement.AMENDED:
                state.orphans.end_early(event.orphan, event.report)
            state.orphans_settled[event.orphan] = event
            if len(state.orphans_settled) > SETTLED_KEPT:
                del state.orphans_settled[next(iter(state.orphans_settled))]
            if event.order_id and event.settlement is not Settlement.ADOPTED:
                state.exec_ids[event.report.venue, event.report.exec_id] = event.order_id
        case TradeMatched():
            _match(state, event)
        case _:
            assert_never(event)


def _adopt(state: State, at: int, event: ExternalOrderAdopted) -> None:
    parent = new_order(event.order_id, "", event.terms, event.trade_date, at)
    child = new_order(event.child_id, event.order_id, event.child_terms, event.trade_date, at)
    for order in (parent, child):
        order.external = order.accepted = True
        # Nothing of it is ours to work, now or after a bust.
        order.closed = OrdStatus.CANCELED
        order.text = "not sent by us"
        state.orders[order.order_id] = order
    parent.children.append(child.order_id)
    state.orders.finished.append((at, parent.order_id))
    name_child(state, child, event.venue_order_id)
    if child.cl_ord_id:
        state.child_cl_ord_ids[child.counterparty, child.cl_ord_id] = child.order_id


def _match(state: State, event: TradeMatched) -> None:
    if event.orphan:
        state.orphans.tell(event.orphan, event.source, event.told_as)
        state.exec_ids.setdefault((event.venue, event.told_as), "")
        return
    child = state.orders[event.order_id]
    execution = child.executions[event.order_id, event.exec_id]
    told = tale_of(execution).told.setdefault(event.source, [])
    told.append(event.told_as)
    state.exec_ids[event.venue, event.told_as] = child.order_id
    execution.ids = execution.ids or event.ids
    if event.source:
        return
    child.ahead -= 1
    if not event.amends:
        _rename(state, execution, event)
    if len(told) == len(tale_of(execution).steps):
        execution.latest_exec_id = event.told_as


def _rename(state: State, execution: Execution, event: TradeMatched) -> None:
    """From now on the trade has the order session's ExecID, as if that had told it first."""
    old = (event.venue, event.exec_id)
    new = (event.venue, event.told_as)
    for order in (state.orders[event.order_id], state.orders[event.parent_id]):
        # In their order: a split counts those before it.
        order.executions = {
            (one.child_id, event.told_as) if one is execution else key: one
            for key, one in order.executions.items()
        }
    execution.exec_id = event.told_as
    dispute = state.disputes.pop(old, None)
    if dispute is not None:
        told = replace(dispute.event, exec_id=event.told_as)
        state.disputes[new] = replace(dispute, event=told)
