"""What clients are told: execution reports, cancel rejects, answers to questions; pure."""

from collections.abc import Iterator

from oms.domain.effects import Effect, SendExecutionReport, SendOrderCancelReject
from oms.domain.events import (
    CancelPending,
    CancelRejected,
    DuplicateOrderRefused,
    OrderAccepted,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
    OrderStatusReported,
    OrderTriggered,
    ReplacePending,
    ReplaceRejected,
    RequestRefused,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    UnknownOrderStatusReported,
)
from oms.domain.fix import (
    CxlRejResponseTo,
    ExecType,
    OrdRejReason,
    OrdStatus,
    Side,
)
from oms.domain.profile import ClientProfile
from oms.domain.reasons import SPECS, Reason
from oms.domain.state import State
from oms.domain.values import ZERO, decimal_text
from oms.orders.good_till import day_figures

_PENDING = (ExecType.PENDING_NEW, ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)
_TAKEN = (ExecType.PENDING_NEW, ExecType.NEW)

ClientEvent = (
    OrderAccepted
    | OrderAcknowledged
    | OrderRefused
    | OrderRejected
    | OrderCanceled
    | OrderExpired
    | OrderReplaced
    | OrderTriggered
    | OrderRestated
    | CancelPending
    | ReplacePending
    | CancelRejected
    | ReplaceRejected
    | RequestRefused
    | TradeExecuted
    | TradeBusted
    | TradeCorrected
    | DuplicateOrderRefused
    | OrderStatusReported
    | UnknownOrderStatusReported
)


def client_messages(state: State, seq: int, event: ClientEvent) -> Iterator[Effect]:
    """Reports and rejects of one event, as far as its client's profile has them; nothing where the
    order did not come over FIX.
    """
    profile_of = state.reference.client_profile
    for effect in _messages(state, seq, event):
        if wanted(profile_of(effect.session), effect):
            yield effect


def wanted(profile: ClientProfile, effect: Effect) -> bool:
    """Whether a client of that profile is told what one of the usual profile is: the one place that
    says so. It is asked when a report is made, and of what was made while the client was not
    configured when it is again.
    """
    if (profile.pending_acks and profile.new_for_immediate) or not isinstance(
        effect, SendExecutionReport
    ):
        return True
    exec_type, time_in_force = effect.exec_type, effect.time_in_force
    if exec_type in _TAKEN and time_in_force is not None and time_in_force.immediate:
        # What may not rest is told by its outcome alone, Pending New and New are not.
        return profile.new_for_immediate and (profile.pending_acks or exec_type is ExecType.NEW)
    return profile.pending_acks or exec_type not in _PENDING


def _messages(state: State, seq: int, event: ClientEvent) -> Iterator[Effect]:
    """What a client of the usual profile is told."""
    match event:
        case OrderAccepted():
            exec_type = ExecType.PENDING_NEW if event.awaits_venue else ExecType.NEW
            yield from _report(state, seq, event.order_id, exec_type)
        case OrderAcknowledged():
            if not event.implied:
                yield from _report(state, seq, event.order_id, ExecType.NEW)
        case TradeExecuted() | TradeBusted() | TradeCorrected():
            yield from _trade_report(state, seq, event)
        case OrderRefused() | OrderRejected():
            rej = SPECS[event.reason].ord_rej_reason
            yield from _report(
                state, seq, event.order_id, ExecType.REJECTED, text=event.text, rej=rej
            )
        case OrderCanceled():
            named, text = event.cl_ord_id, event.text
            for report in _report(
                state, seq, event.order_id, ExecType.CANCELED, text=text, cl_ord_id=named
            ):
                report.restatement = event.restatement
                yield report
        case OrderExpired():
            ended = ExecType.DONE_FOR_DAY if event.done_for_day else ExecType.EXPIRED
            yield from _report(state, seq, event.order_id, ended, text=event.text)
        case OrderReplaced():
            orig = event.orig_cl_ord_id
            yield from _report(state, seq, event.order_id, ExecType.REPLACED, orig=orig)
        case OrderTriggered():
            text = f"StopPx {decimal_text(event.stop_px)} reached: {event.by}"
            yield from _report(state, seq, event.order_id, ExecType.TRIGGERED, text=text)
        case OrderRestated():
            for report in _report(state, seq, event.order_id, ExecType.RESTATED):
                report.restatement = event.restatement
                yield report
        case CancelPending() | ReplacePending():
            yield from _pending_report(state, seq, event)
        case CancelRejected() | ReplaceRejected():
            yield from _cancel_reject(state, seq, event)
        case RequestRefused():
            yield from _request_refused(state, seq, event)
        case DuplicateOrderRefused():
            yield from _duplicate(state, seq, event)
        case OrderStatusReported():
            yield from _status(state, seq, event)
        case UnknownOrderStatusReported():
            yield from _unknown_status(state, seq, event)


def _pending_report(
    state: State, seq: int, event: CancelPending | ReplacePending
) -> Iterator[Effect]:
    """Pending Cancel or Pending Replace, where the client asked for it."""
    if isinstance(event, ReplacePending):
        if event.waits:
            return
        exec_type = ExecType.PENDING_REPLACE
    elif event.reason is Reason.NONE:
        exec_type = ExecType.PENDING_CANCEL
    else:
        return
    named, orig = event.cl_ord_id, event.orig_cl_ord_id
    yield from _report(state, seq, event.order_id, exec_type, cl_ord_id=named, orig=orig)


def _report(
    state: State,
    seq: int,
    order_id: str,
    exec_type: ExecType,
    *,
    cl_ord_id: str = "",
    orig: str = "",
    text: str = "",
    rej: str = "",
    session: str = "",
) -> Iterator[SendExecutionReport]:
    """An ExecutionReport on a client order to `session`, by default the one that it came by.

    Nothing where that is none.
    """
    order = state.orders[order_id]
    session = session or order.session
    if order.is_child or not session:
        return
    named = cl_ord_id or order.cl_ord_id
    if exec_type is ExecType.CANCELED and cl_ord_id:
        orig = order.cl_ord_id  # of a cancelled order the last accepted id stays its name (J.1.b)
    yield SendExecutionReport(
        session=session,
        event_seq=seq,
        at=state.at,
        order_id=order.order_id,
        cl_ord_id=named,
        orig_cl_ord_id=orig if orig != named else "",
        exec_id=f"E{seq}",
        exec_type=exec_type,
        ord_status=order.told_status,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        order_qty=order.order_qty,
        ord_type=order.ord_type,
        price=order.price,
        time_in_force=order.time_in_force,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        avg_px=order.avg_px,
        ord_rej_reason=rej,
        text=text,
        conditions=order.conditions,
        day=day_figures(order) if order.time_in_force.good_till else None,
        list_id=order.first_terms.list_id,
    )


def _trade_report(
    state: State, seq: int, event: TradeExecuted | TradeBusted | TradeCorrected
) -> Iterator[Effect]:
    """Trade, TradeCancel or TradeCorrect; a correction refers to our report of what it corrects."""
    match event:
        case TradeExecuted():
            kind = ExecType.TRADE
        case TradeBusted():
            kind = ExecType.TRADE_CANCEL
        case TradeCorrected():
            kind = ExecType.TRADE_CORRECT
    for report in _report(state, seq, event.parent_id, kind):
        report.last_mkt = event.venue
        execution = state.orders[event.parent_id].executions[event.order_id, event.exec_id]
        if isinstance(event, TradeExecuted):
            report.last_qty = event.last_qty
            report.last_px = event.last_px
        else:
            report.exec_ref_id = execution.previous_report_id
        if isinstance(event, TradeCorrected):
            report.last_qty = execution.last_qty
            report.last_px = execution.last_px
        yield report


def _cancel_reject(
    state: State, seq: int, event: CancelRejected | ReplaceRejected
) -> Iterator[Effect]:
    order = state.orders[event.order_id]
    forced = event.cl_ord_id == event.orig_cl_ord_id  # by the server: its client asked for nothing
    if order.is_child or not order.session or forced:
        return
    yield SendOrderCancelReject(
        session=order.session,
        event_seq=seq,
        at=state.at,
        order_id=order.order_id,
        cl_ord_id=event.cl_ord_id,
        orig_cl_ord_id=event.orig_cl_ord_id,
        ord_status=order.told_status,
        cxl_rej_reason=event.cxl_rej_reason,
        response_to=_response_to(replace=isinstance(event, ReplaceRejected)),
        account=order.account,
        text=event.text,
        list_id=order.first_terms.list_id,
    )


def _response_to(*, replace: bool) -> CxlRejResponseTo:
    if replace:
        return CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST
    return CxlRejResponseTo.ORDER_CANCEL_REQUEST


def _request_refused(state: State, seq: int, event: RequestRefused) -> Iterator[Effect]:
    if not event.session:
        return
    order = state.orders.get(event.order_id)
    yield SendOrderCancelReject(
        session=event.session,
        event_seq=seq,
        at=state.at,
        order_id=event.order_id or "NONE",
        cl_ord_id=event.cl_ord_id,
        orig_cl_ord_id=event.orig_cl_ord_id,
        ord_status=order.told_status if order else OrdStatus.REJECTED,
        cxl_rej_reason=SPECS[event.reason].cxl_rej_reason,
        response_to=_response_to(replace=event.replace),
        account=order.account if order else "",
        text=event.text,
        list_id=order.first_terms.list_id if order else "",
    )


def _duplicate(state: State, seq: int, event: DuplicateOrderRefused) -> Iterator[Effect]:
    """ExecType Rejected with the first order's own status and figures (matrix F.1.a)."""
    if not event.session:
        return
    for report in _report(
        state,
        seq,
        event.order_id,
        ExecType.REJECTED,
        cl_ord_id=event.cl_ord_id,
        text=event.text,
        rej=OrdRejReason.DUPLICATE_ORDER,
        session=event.session,
    ):
        report.list_id = event.list_id
        yield report


def _status(state: State, seq: int, event: OrderStatusReported) -> Iterator[Effect]:
    """ExecType OrderStatus; the one report that is no execution (ExecID is 0 by FIX 4.4)."""
    if not event.session:
        return
    order = state.orders[event.order_id]
    for report in _report(
        state,
        seq,
        event.order_id,
        ExecType.ORDER_STATUS,
        cl_ord_id=event.cl_ord_id,
        text="UNKNOWN: the venue has not confirmed this state" if order.in_doubt else order.text,
        session=event.session,
    ):
        report.exec_id = "0"
        report.ord_status_req_id = event.ord_status_req_id
        yield report


def _unknown_status(state: State, seq: int, event: UnknownOrderStatusReported) -> Iterator[Effect]:
    if not event.session:
        return
    yield SendExecutionReport(
        session=event.session,
        event_seq=seq,
        at=state.at,
        order_id=event.order_id or "NONE",
        cl_ord_id=event.cl_ord_id,
        exec_id="0",
        exec_type=ExecType.ORDER_STATUS,
        ord_status=OrdStatus.REJECTED,
        account="",
        symbol="[N/A]",
        side=Side.BUY,
        order_qty=ZERO,
        ord_type=None,
        price=None,
        time_in_force=None,
        cum_qty=ZERO,
        leaves_qty=ZERO,
        avg_px=ZERO,
        ord_rej_reason=OrdRejReason.UNKNOWN_ORDER,
        ord_status_req_id=event.ord_status_req_id,
        text=f"ClOrdID (11) = {event.cl_ord_id}: no such order",
    )
