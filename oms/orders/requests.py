"""What a client's request comes to: accepted, refused by name, or answered with what is known.

Identity is (counterparty, ClOrdID) within the scope of the client's profile: by default the trading
date plus every order that works or worked on it. A known id is never a second order: with
PossResend, or over REST with the same content, it is answered with the order's status; otherwise it
is refused as a duplicate and the live order is untouched.
"""

from collections.abc import Iterator

from oms.domain.commands import (
    Channel,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderStatusRequest,
    Origin,
)
from oms.domain.conditions import Conditions
from oms.domain.events import (
    CancelPending,
    DuplicateOrderRefused,
    Event,
    OrderAccepted,
    OrderRefused,
    OrderStatusReported,
    OrderTerms,
    ReplacePending,
    RequestRefused,
    UnknownOrderStatusReported,
)
from oms.domain.order import Order, RequestKind
from oms.domain.profile import BelowCumQty, ChainedReplace, ClientProfile, ClOrdIdScope
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import decimal_text
from oms.domain.verdict import Verdict
from oms.orders.cash import currency_fault
from oms.orders.spent_ids import spent
from oms.orders.splits import old_shares_fault
from oms.orders.stop_prices import stop_px_fault


def terms_of(command: NewOrderSingle, list_id: str = "") -> OrderTerms:
    """The terms that a NewOrderSingle asks for, or an order of the list of that ListID."""
    return OrderTerms(
        counterparty=command.origin.counterparty,
        session=command.origin.session,
        cl_ord_id=command.cl_ord_id,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        order_qty=command.order_qty,
        ord_type=command.ord_type,
        price=command.price,
        time_in_force=command.time_in_force,
        conditions=command.conditions,
        list_id=list_id,
    )


def known(state: State, origin: Origin, cl_ord_id: str) -> Order | None:
    """The order that already owns this ClOrdID within the scope of the client's profile."""
    order = state.order_of(origin.counterparty, cl_ord_id)
    if order is None or order.is_open:
        return order
    if order.trade_date != state.trade_date and order.day_since < state.trade_date_at:
        return None
    scope = state.reference.client_profile(origin.counterparty).cl_ord_id_scope
    if scope is ClOrdIdScope.WORKING and not may_be_repeated(origin):
        return None
    return order


def may_be_repeated(origin: Origin) -> bool:
    """Whether the message may be one that came before."""
    return origin.poss_resend or origin.poss_dup or origin.channel is Channel.REST


def decide_known(order: Order, command: NewOrderSingle, list_id: str = "") -> Iterator[Event]:
    """The answer to a NewOrderSingle whose ClOrdID is in use; an order of a list that has not come
    before is none that is repeated.
    """
    origin = command.origin
    repeated = not list_id and (origin.poss_resend or origin.channel is Channel.REST)
    if repeated and terms_of(command).content == order.first_terms.content:
        yield OrderStatusReported(
            order_id=order.order_id,
            session=origin.session,
            cl_ord_id=command.cl_ord_id,
            ord_status_req_id="",
        )
        return
    why = "with other content" if repeated else "in a list" if list_id else "without PossResend"
    yield DuplicateOrderRefused(
        order_id=order.order_id,
        counterparty=origin.counterparty,
        session=origin.session,
        cl_ord_id=command.cl_ord_id,
        text=f"ClOrdID (11) = {command.cl_ord_id}: already used for {order.order_id}, sent {why}",
        list_id=list_id,
    )


def decide_new(
    state: State, command: NewOrderSingle, seq: int, verdict: Verdict, terms: OrderTerms
) -> Iterator[Event]:
    """Accept or refuse a new order; seq makes its OrderID."""
    order_id = f"{state.trade_date.replace('-', '')[2:]}-{seq}"
    if verdict.reason is not Reason.NONE:
        yield OrderRefused(
            order_id=order_id,
            terms=terms,
            trade_date=state.trade_date,
            reason=verdict.reason,
            text=verdict.text,
            figures=verdict.figures,
        )
        return
    profile = state.reference.client_profile(command.origin.counterparty)
    yield OrderAccepted(
        order_id=order_id,
        terms=terms,
        trade_date=state.trade_date,
        figures=verdict.figures,
        awaits_venue=profile.new_awaits_venue,
    )


Amendment = OrderCancelRequest | OrderCancelReplaceRequest


def order_meant(state: State, command: Amendment) -> Order | None:
    """The client order of this counterparty that a cancel or replace names."""
    counterparty = command.origin.counterparty
    if command.orig_cl_ord_id:
        return state.order_of(counterparty, command.orig_cl_ord_id)
    order = state.orders.get(command.order_id)
    if order is None or order.is_child or order.counterparty != counterparty:
        return None
    return order


def refuse(
    command: Amendment, order: Order | None, reason: Reason, text: str, verdict: Verdict
) -> RequestRefused:
    """The refusal of a cancel or replace that never became pending.

    OrigClOrdID is the last accepted id of the order, whichever the request named (matrix D.2.d).
    """
    return RequestRefused(
        session=command.origin.session,
        counterparty=command.origin.counterparty,
        order_id=order.order_id if order else "",
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id if order else command.orig_cl_ord_id,
        replace=isinstance(command, OrderCancelReplaceRequest),
        reason=reason,
        text=text,
        figures=verdict.figures,
    )


def fault_of(state: State, command: Amendment, order: Order | None) -> tuple[Reason, str] | None:
    """Why a cancel or replace cannot be taken up, whatever it asks for."""
    if order is None:
        orig, order_id = command.orig_cl_ord_id, command.order_id
        named = f"OrigClOrdID (41) = {orig}" if orig else f"OrderID (37) = {order_id}"
        return Reason.UNKNOWN_ORDER, f"{named}: no such order"
    if known(state, command.origin, command.cl_ord_id) is not None:
        text = f"ClOrdID (11) = {command.cl_ord_id}: already used"
        return Reason.DUPLICATE_CL_ORD_ID, text
    return spent(state, command.origin, command.cl_ord_id)


def decide_cancel(state: State, command: OrderCancelRequest) -> Iterator[Event]:
    """Make the cancel pending, or refuse it."""
    order = order_meant(state, command)
    repeated = _repeated(state, command)
    if repeated is not None:
        yield repeated
        return
    fault = fault_of(state, command, order) or _cancel_fault(order)
    if fault is not None or order is None:
        reason, text = fault or (Reason.UNKNOWN_ORDER, "")
        yield refuse(command, order, reason, text, Verdict())
        return
    yield CancelPending(
        order_id=order.order_id,
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        session=command.origin.session,
    )


def _repeated(state: State, command: Amendment) -> OrderStatusReported | None:
    """The status answer to a request that came before, repeated by PossResend or over REST."""
    origin = command.origin
    if not origin.poss_resend and origin.channel is not Channel.REST:
        return None
    order = known(state, origin, command.cl_ord_id)
    meant = order_meant(state, command)
    if order is None or meant is not order or not _same_request(order, command):
        return None
    return OrderStatusReported(
        order_id=order.order_id,
        session=origin.session,
        cl_ord_id=command.cl_ord_id,
        ord_status_req_id="",
    )


def _same_request(order: Order, command: Amendment) -> bool:
    """Whether the request that had this ClOrdID asked for the same, as far as it is still known."""
    pending = order.request(command.cl_ord_id)
    if isinstance(command, OrderCancelRequest):
        other = pending is not None and pending.kind is not RequestKind.CANCEL
        return order.cl_ord_id != command.cl_ord_id and not other
    if pending is not None:
        stop_px = command.conditions.stop_px if command.conditions else None
        asked = pending.kind, pending.order_qty, pending.price, pending.stop_px
        return asked == (RequestKind.REPLACE, command.order_qty, command.price, stop_px)
    accepted = order.cl_ord_id == command.cl_ord_id
    return not accepted or (order.order_qty, order.price) == (command.order_qty, command.price)


def _cancel_fault(order: Order | None) -> tuple[Reason, str] | None:
    if order is None:
        return None
    if not order.is_open:
        return Reason.TOO_LATE, f"order {order.order_id} is {order.ord_status.name}"
    if any(one.kind is RequestKind.CANCEL for one in order.requests):
        return Reason.ALREADY_PENDING, f"a cancel of {order.order_id} is pending"
    return None


def replace_fault(
    state: State, command: OrderCancelReplaceRequest, order: Order | None
) -> tuple[Reason, str] | None:
    """Why a replace cannot be taken up, before risk is asked."""
    fault = fault_of(state, command, order)
    if fault is not None or order is None:
        return fault
    profile = state.reference.client_profile(order.counterparty)
    final = profile.filled_is_final or command.order_qty == order.cum_qty
    if order.closed is not None or (order.is_filled and final):
        return Reason.TOO_LATE, f"order {order.order_id} is {order.ord_status.name}"
    old_shares = old_shares_fault(state, order)
    if old_shares:
        return Reason.TOO_LATE, old_shares
    if order.expiring or (order.requests and not _may_wait(order, profile)):
        return Reason.ALREADY_PENDING, f"a request on {order.order_id} is pending"
    if order.in_doubt:
        return Reason.ORDER_STATE_UNKNOWN, f"the state of {order.order_id} is unknown"
    for name, asked, have in (
        ("Symbol (55)", command.symbol, order.symbol),
        ("Side (54)", command.side, order.side),
        ("OrdType (40)", command.ord_type, order.ord_type),
        ("TimeInForce (59)", command.time_in_force, order.time_in_force),
    ):
        if asked and asked != have:
            return Reason.FIELD_NOT_REPLACEABLE, f"{name} = {asked}: must stay {have}"
    fault = currency_fault(command.currency, state.reference.instruments.get(order.symbol))
    if fault is not None:
        return fault
    if command.conditions is not None:
        text = _condition_changed(order, command.conditions)
        if text:
            return Reason.FIELD_NOT_REPLACEABLE, text
    below = command.order_qty < order.cum_qty
    if below and profile.replace_below_cum_qty is BelowCumQty.REJECT:
        text = (
            f"OrderQty (38) = {decimal_text(command.order_qty)}: "
            f"must not be below CumQty {decimal_text(order.cum_qty)}"
        )
        return Reason.BELOW_CUM_QTY, text
    return None


def _condition_changed(order: Order, asked: Conditions) -> str:
    """Which condition a replace would change that must stay; only the StopPx of a stop may not."""
    fault = stop_px_fault(order, asked.stop_px)
    if fault:
        return fault
    have = order.conditions or Conditions()
    for name, wanted, has in (
        ("ExpireTime (126)", asked.expire_time, have.expire_time),
        ("ExpireDate (432)", asked.expire_date, have.expire_date),
        ("MinQty (110)", asked.min_qty, have.min_qty),
        ("MaxFloor (111)", asked.max_floor, have.max_floor),
        ("ExecInst (18)", frozenset(asked.exec_inst), frozenset(have.exec_inst)),
        ("CashOrderQty (152)", asked.cash_order_qty, have.cash_order_qty),
        ("PegOffsetValue (211)", asked.peg_offset, have.peg_offset),
    ):
        if wanted and wanted != has:
            return f"{name}: must stay as it is"
    return ""


_LONGEST_QUEUE = 16


def _may_wait(order: Order, profile: ClientProfile) -> bool:
    """Whether another replace may wait for the one that is pending; behind a cancel none does."""
    return (
        profile.chained_replaces is ChainedReplace.QUEUE
        and len(order.waiting) < _LONGEST_QUEUE
        and all(one.kind is RequestKind.REPLACE for one in order.requests)
    )


def decide_replace(
    state: State, command: OrderCancelReplaceRequest, verdict: Verdict
) -> Iterator[Event]:
    """Make the replace pending, or refuse it; verdict: what risk says of the terms after it."""
    order = order_meant(state, command)
    repeated = _repeated(state, command)
    if repeated is not None:
        yield repeated
        return
    fault = replace_fault(state, command, order)
    if fault is None and verdict.reason is not Reason.NONE:
        fault = verdict.reason, verdict.text
    if fault is not None or order is None:
        reason, text = fault or (Reason.UNKNOWN_ORDER, "")
        yield refuse(command, order, reason, text, verdict)
        return
    yield ReplacePending(
        order_id=order.order_id,
        cl_ord_id=command.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        order_qty=command.order_qty,
        price=command.price,
        figures=verdict.figures,
        session=command.origin.session,
        waits=bool(order.requests),
        stop_px=command.conditions.stop_px if command.conditions else None,
        accounts=command.origin.accounts if order.requests else (),
    )


def can_force_cancel(order: Order) -> bool:
    """Whether the server may start a cancel of this order by itself."""
    return (
        not order.is_child
        and order.is_open
        and not any(one.kind is RequestKind.CANCEL for one in order.requests)
    )


def forced_cancel(order: Order, reason: Reason) -> CancelPending:
    """A cancel that the client did not ask for by a request of its own."""
    return CancelPending(
        order_id=order.order_id,
        cl_ord_id=order.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        reason=reason,
    )


def decide_status(state: State, command: OrderStatusRequest) -> Iterator[Event]:
    """Answer a status request from what is known."""
    order = state.order_of(command.origin.counterparty, command.cl_ord_id)
    if order is None:
        yield UnknownOrderStatusReported(
            session=command.origin.session,
            cl_ord_id=command.cl_ord_id,
            order_id=command.order_id,
            ord_status_req_id=command.ord_status_req_id,
        )
        return
    yield OrderStatusReported(
        order_id=order.order_id,
        session=command.origin.session,
        cl_ord_id=command.cl_ord_id,
        ord_status_req_id=command.ord_status_req_id,
    )
