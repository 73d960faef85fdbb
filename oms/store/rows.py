"""Rows of the read tables, made from facts and folded state; pure.

A row is a tuple in the order of its table's columns. Points in time are sequencer stamps, dates ISO
texts, absent values None; `statements` turns them into what PostgreSQL takes. The batch that is
appended and `oms audit verify` make their rows here, so both mean the same.
"""

from typing import Any

from oms.domain.answers import DisputeFact, DisputeResolved, MassCancelAnswered
from oms.domain.baskets import ListRefused
from oms.domain.conditions import Conditions
from oms.domain.events import (
    DiscrepancyFound,
    DuplicateOrderRefused,
    MessageRefused,
    OrderRefused,
    ReplaceRejected,
    RequestRefused,
    RiskLimitSet,
    TradeExecuted,
)
from oms.domain.fix import OrdStatus
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.session_events import CancelOnDisconnectFired
from oms.domain.splits import CorporateAction
from oms.domain.state import Position, Session
from oms.domain.values import average

Row = tuple[Any, ...]

UNKNOWN = "UNKNOWN"
_STATUS_NAMES = {status: status.name for status in OrdStatus}
_REASON_TEXTS = {reason: "" if reason is Reason.NONE else reason.value for reason in Reason}


def order_row(order: Order, last_seq: int) -> Row:
    """Of table orders."""
    return (order.order_id, order.counterparty, *_order_values(order, last_seq))


def child_order_row(order: Order, last_seq: int) -> Row:
    """Of table child_orders."""
    return (
        order.order_id,
        order.parent_id,
        order.counterparty,
        order.venue_order_id,
        *_order_values(order, last_seq),
    )


def _order_values(order: Order, last_seq: int) -> Row:
    status = order.ord_status
    doubt = order.doubt_since
    return (
        order.session,
        order.cl_ord_id,
        order.account,
        order.symbol,
        order.side,
        order.ord_type,
        order.price,
        order.time_in_force,
        order.order_qty,
        order.cum_qty,
        order.leaves_qty,
        order.avg_px,
        status,
        UNKNOWN if doubt else _STATUS_NAMES[status],
        order.is_open,
        doubt > 0,
        doubt or None,
        _REASON_TEXTS[order.doubt_reason],
        _REASON_TEXTS[order.closed_reason],
        order.text,
        order.trade_date or None,
        order.created_at,
        order.updated_at,
        last_seq,
    )


def order_change_row(order: Order, last_seq: int) -> Row:
    """Of table orders: its key and what changes."""
    return (order.order_id, *_changing_values(order, last_seq))


def child_order_change_row(order: Order, last_seq: int) -> Row:
    """Of table child_orders: its key and what changes."""
    return (order.order_id, order.venue_order_id, *_changing_values(order, last_seq))


def _changing_values(order: Order, last_seq: int) -> Row:
    """_order_values without the columns of `operations.ORDER_FIXED`."""
    status = order.ord_status
    doubt = order.doubt_since
    return (
        order.session,
        order.cl_ord_id,
        order.price,
        order.order_qty,
        order.cum_qty,
        order.leaves_qty,
        order.avg_px,
        status,
        UNKNOWN if doubt else _STATUS_NAMES[status],
        order.is_open,
        doubt > 0,
        doubt or None,
        _REASON_TEXTS[order.doubt_reason],
        _REASON_TEXTS[order.closed_reason],
        order.text,
        order.updated_at,
        last_seq,
    )


def conditions_row(order: Order, conditions: Conditions, last_seq: int) -> Row:
    """Of table order_conditions."""
    return (
        order.order_id,
        conditions.stop_px,
        order.triggered_at or None,
        conditions.expire_time or None,
        conditions.expire_date or None,
        conditions.min_qty,
        conditions.max_floor,
        " ".join(conditions.exec_inst),
        conditions.cash_order_qty,
        conditions.cash_px,
        conditions.cash_px_source,
        conditions.peg_offset,
        last_seq,
    )


def execution_row(event: TradeExecuted, order: Order, seq: int, at: int, trade_date: str) -> Row:
    """Of table executions. order: the child; trade_date: the one on which it is booked."""
    return (
        event.venue,
        event.exec_id,
        event.order_id,
        event.parent_id,
        order.account,
        order.symbol,
        order.side,
        event.last_qty,
        event.last_px,
        None,
        None,
        event.transact_time or None,
        at,
        trade_date or None,
        event.excess,
        event.late,
        event.early,
        False,
        event.exec_id,
        None,
        seq,
        event.source,
    )


def position_row(position: Position, last_seq: int) -> Row:
    """Of table positions."""
    return (
        position.account,
        position.symbol,
        position.quantity,
        average(position.cost, position.quantity),
        position.cost,
        position.realised,
        position.bought,
        position.sold,
        position.bought_value,
        position.sold_value,
        position.updated_at,
        last_seq,
    )


def session_row(session: Session, inbound: int, at: int) -> Row:
    """Of table sessions. inbound: the last MsgSeqNum journaled now; 0 if none is."""
    return (
        session.name,
        session.epoch,
        inbound,
        session.outbound,
        session.logged_on,
        session.ready,
        at,
        session.changed_at or None,
        session.waiting,
        session.waiting_since or None,
        session.closed_text,
        "" if session.logged_on or not session.changed_at else session.closed_cause.value,
        session.stopped,
        session.stopped_by,
        session.stop_reason,
        session.out_of_hours,
        session.reset_due,
        session.reset_request or None,
        session.reset_requested_by,
        session.reset_reason,
        session.reset_requested_at or None,
        session.gap,
        session.gap_at or None,
        session.cancel_due_at or None,
        session.undelivered,
        session.undelivered_from,
        session.undelivered_since or None,
    )


def disconnect_rows(seq: int, at: int, event: CancelOnDisconnectFired) -> list[Row]:
    """Of table disconnect_cancels."""
    told = [(order_id, True) for order_id in event.asked]
    told += [(order_id, False) for order_id in event.pending]
    return [(seq, order_id, event.session, event.lost_at, at, asked) for order_id, asked in told]


def sent_note_row(seq: int, session: str, epoch: int, span: list[int]) -> Row:
    """Of table sent_notes. span: first and last MsgSeqNum of its messages, and the last event that
    was told of by one of them for the first time, 0 for none.
    """
    first, last, event_seq = span
    return (session, epoch, last, seq, first, event_seq)


def dispute_row(seq: int, at: int, event: DisputeFact) -> Row:
    """Of table disputes: a new one, or one that is over at `at`."""
    over = event if isinstance(event, DisputeResolved) else None
    about = event.dispute if isinstance(event, DisputeResolved) else event
    return (
        over.disputed_seq if over else seq,
        over.disputed_at if over else at,
        about.counterparty,
        about.order_id,
        about.child_id,
        about.venue,
        about.exec_id,
        about.report_id,
        about.dk_reason,
        about.text,
        at if over else None,
        over.user if over else "",
        over.text if over else "",
    )


def corporate_action_row(action: CorporateAction) -> Row:
    """Of table corporate_actions."""
    split = action.event.split
    return (
        split.action_id,
        action.preview,
        action.previewed_at,
        split.symbol,
        split.new_shares,
        split.old_shares,
        split.effective_date,
        split.cash_in_lieu_px,
        action.event.user,
        action.event.reason,
        action.applied or None,
        action.applied_at or None,
        action.approved_by,
        action.approval,
    )


def discrepancy_row(seq: int, at: int, event: DiscrepancyFound, trade_date: str) -> Row:
    """Of table discrepancies."""
    return (seq, at, event.order_id, event.field, event.ours, event.theirs, trade_date or None)


def limit_row(seq: int, at: int, event: RiskLimitSet) -> Row | None:
    """Of table risk_limits; None for a limit that was removed."""
    if event.value is None:
        return None
    key = (event.rule, event.level, event.subject)
    return (*key, event.value, event.user, event.reason, at, seq)


Refusal = (
    OrderRefused
    | RequestRefused
    | DuplicateOrderRefused
    | MessageRefused
    | MassCancelAnswered
    | ListRefused
)


def refusal_row(seq: int, at: int, event: Refusal) -> Row:
    """Of table refusals."""
    kind = type(event).__name__
    match event:
        case OrderRefused():
            terms = event.terms
            who = (terms.session, terms.counterparty, event.order_id, terms.cl_ord_id)
            reason = event.reason.value
        case RequestRefused():
            who = (event.session, event.counterparty, event.order_id, event.cl_ord_id)
            reason = event.reason.value
        case DuplicateOrderRefused():
            who = (event.session, event.counterparty, event.order_id, event.cl_ord_id)
            reason = Reason.DUPLICATE_CL_ORD_ID.value
        case MessageRefused():
            who = (event.session, "", "", event.ref_id)
            reason = f"{'380' if event.business else '373'}={event.reason_code}"
        case MassCancelAnswered():
            who = (event.session, event.counterparty, "", event.cl_ord_id)
            reason = event.reason.value
        case ListRefused():
            who = (event.session, event.counterparty, "", event.list_id)
            reason = event.reason.value
    return (seq, at, kind, *who, reason, event.text)


def waited_refusal_row(seq: int, at: int, event: ReplaceRejected, order: Order) -> Row:
    """Of table refusals: a replace that had waited for its turn and was not taken up."""
    who = (order.session, order.counterparty, order.order_id, event.cl_ord_id)
    return (seq, at, type(event).__name__, *who, event.reason.value, event.text)
