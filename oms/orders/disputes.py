"""Trades that a client does not accept (DontKnowTrade, Q): kept as disputes until they are settled.

A dispute changes nothing that is booked. The venue's bust or correction of the trade ends it, or a
human's signed word; until then reconciliation shows it every day.
"""

from collections.abc import Iterator

from oms.domain.answers import Dispute, DisputeResolved, TradeDisputed
from oms.domain.events import (
    CommandAnswered,
    Event,
    MessageRefused,
    TradeBusted,
    TradeCorrected,
)
from oms.domain.fix import BusinessRejectReason
from oms.domain.inquiries import DontKnowTrade, ResolveDispute
from oms.domain.order import Execution, Order
from oms.domain.reasons import Reason
from oms.domain.state import State


def decide_dispute(state: State, command: DontKnowTrade) -> Iterator[Event]:
    """The dispute; nothing where it is open already, a refusal where we told no such execution."""
    order = state.orders.get(command.order_id)
    if order is None or order.is_child or order.counterparty != command.origin.counterparty:
        yield _unknown(command, f"OrderID (37) = {command.order_id}: no order of yours")
        return
    execution = _execution(order, command.exec_id)
    if execution is None:
        yield _unknown(command, f"ExecID (17) = {command.exec_id}: no execution of this order")
        return
    if (execution.venue, execution.exec_id) in state.disputes:
        return
    yield TradeDisputed(
        order_id=order.order_id,
        child_id=execution.child_id,
        counterparty=order.counterparty,
        session=command.origin.session,
        venue=execution.venue,
        exec_id=execution.exec_id,
        report_id=command.exec_id,
        dk_reason=command.dk_reason,
        text=command.text,
    )


def _execution(order: Order, report_id: str) -> Execution | None:
    for one in order.executions.values():
        if report_id in (one.report_id, one.previous_report_id) and report_id:
            return one
    return None


def _unknown(command: DontKnowTrade, text: str) -> MessageRefused:
    return MessageRefused(
        session=command.origin.session,
        ref_seq_num=command.origin.msg_seq_num,
        ref_msg_type="Q",
        ref_id=command.exec_id,
        business=True,
        reason_code=BusinessRejectReason.UNKNOWN_ID,
        ref_tag=0,
        text=text,
    )


def decide_resolution(state: State, command: ResolveDispute) -> Iterator[Event]:
    """The end of the dispute by a human's word."""
    found = next((one for one in state.disputes.values() if one.seq == command.dispute), None)
    if found is None:
        yield CommandAnswered(
            accepted=False,
            reason=Reason.UNKNOWN_ORDER,
            text=f"dispute = {command.dispute}: must be the number of an open dispute",
        )
        return
    yield _resolved(found, command.origin.user, command.reason)


def settled_by(state: State, event: TradeBusted | TradeCorrected) -> Iterator[Event]:
    """What the venue's own change of a trade settles."""
    found = state.disputes.get((event.venue, event.exec_id))
    if found is not None:
        done = "took the trade back" if isinstance(event, TradeBusted) else "corrected the trade"
        yield _resolved(found, "", f"{event.venue} {done}")


def _resolved(dispute: Dispute, user: str, text: str) -> DisputeResolved:
    return DisputeResolved(
        order_id=dispute.event.order_id,
        disputed_seq=dispute.seq,
        disputed_at=dispute.at,
        dispute=dispute.event,
        user=user,
        text=text,
    )
