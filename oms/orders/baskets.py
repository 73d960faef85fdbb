"""Lists of orders (baskets): taken or refused as a whole, executed, cancelled, asked about; pure.

What becomes of an order of a list is decided as if it had come by itself (`oms.core`); here only
what concerns the list. A ListID is identified as a ClOrdID is: within the scope of the client's
profile, and by default for the trading date and as long as an order of its list works. The same
list again, marked PossResend, is answered with how the list stands; any other use of the ListID is
refused and leaves the list untouched.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final, assert_never

from oms.domain.baskets import (
    MAX_ORDERS,
    BasketCommand,
    ListAccepted,
    ListCanceled,
    ListCancelRequest,
    ListDone,
    ListExecute,
    ListExecutionBegan,
    ListFragmentTaken,
    ListOrder,
    ListRefused,
    ListStatusReported,
    ListStatusRequest,
    ListStatusType,
    NewOrderList,
    OrderList,
)
from oms.domain.commands import Channel, NewOrderSingle, Origin
from oms.domain.events import Event, MessageRefused
from oms.domain.fix import BusinessRejectReason
from oms.domain.profile import ClOrdIdScope
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.orders.lost_orders import may_be_lost, not_taken_again
from oms.orders.requests import can_force_cancel, forced_cancel, may_be_repeated, terms_of

_IMMEDIATE, _WAIT = "1", "2"
_NO_BIDDING: Final = "3"
_PERIODIC: Final = "2"
_NONE: Final = frozenset({"", "0"})
_NOBODY: Final = Origin(channel=Channel.SYSTEM, counterparty="")

Fault = tuple[Reason, str]


def decide_basket(state: State, command: BasketCommand) -> Iterator[Event]:
    """What the message comes to; the orders of a list that begins are decided by the caller."""
    match command:
        case NewOrderList():
            yield from _new_list(state, command)
        case ListExecute():
            yield from _execute(state, command)
        case ListCancelRequest():
            yield from _cancel(state, command)
        case ListStatusRequest():
            known = _named(state, command.origin, command.list_id)
            yield _status(known, command) if known else _unknown(command, "M")
        case _:
            assert_never(command)


def _new_list(state: State, command: NewOrderList) -> Iterator[Event]:
    origin = command.origin
    known = _known(state, origin, command.list_id)
    if known is not None and origin.poss_resend and _is_repeated(known, command):
        yield _status(known, command)
        return
    if known is not None and not known.awaits_more:
        text = f"ListID (66) = {command.list_id}: already used"
        yield _refused(command, command.orders, (Reason.DUPLICATE_CL_ORD_ID, text), known=True)
        return
    if may_be_lost(state, origin, 0):
        yield not_taken_again(state, origin, "E", command.list_id)
        return
    orders = (*known.orders, *command.orders) if known is not None else command.orders
    fault = _not_done(command) or _malformed(command, orders, known)
    if fault is not None:
        yield _refused(command, orders, fault)
        return
    who = {"counterparty": origin.counterparty, "session": origin.session}
    if not command.last_fragment:
        yield ListFragmentTaken(
            **who,
            list_id=command.list_id,
            tot_no_orders=command.tot_no_orders,
            orders=command.orders,
        )
        return
    waits = command.exec_inst_type == _WAIT
    yield ListAccepted(
        **who,
        list_id=command.list_id,
        trade_date=state.trade_date,
        orders=tuple(sorted(orders, key=lambda one: one.list_seq_no)),
        waits=waits,
    )
    if not waits:
        yield ListExecutionBegan(**who, list_id=command.list_id)


def _named(state: State, origin: Origin, list_id: str) -> OrderList | None:
    return state.lists.get((origin.counterparty, list_id))


def _known(state: State, origin: Origin, list_id: str) -> OrderList | None:
    """The list that has this ListID; not one that is over, where that frees it."""
    known = _named(state, origin, list_id)
    if known is None or not known.is_over:
        return known
    scope = state.reference.client_profile(origin.counterparty).cl_ord_id_scope
    if scope is ClOrdIdScope.WORKING and not may_be_repeated(origin):
        return None
    return known


def _is_repeated(known: OrderList, command: NewOrderList) -> bool:
    """Whether all that the message asks for is part of the list already, with the same content."""
    waits = command.exec_inst_type == _WAIT
    if known.tot_no_orders != command.tot_no_orders:
        return False
    if known.complete and command.last_fragment and known.waits != waits:
        return False
    taken = {one.cl_ord_id: one for one in known.orders}
    return all(_content(taken.get(one.cl_ord_id)) == _content(one) for one in command.orders)


def _content(order: ListOrder | None) -> tuple[object, ...]:
    if order is None:
        return ()
    return order.list_seq_no, terms_of(single(order, _NOBODY)).content


def _not_done(command: NewOrderList) -> Fault | None:
    """What the list asks for that nobody here does."""
    kind = command.exec_inst_type
    for asked, rule in (
        (
            command.bid_type != _NO_BIDDING and f"BidType (394) = {command.bid_type}",
            "must be 3 (NO_BIDDING_PROCESS)",
        ),
        (
            kind not in ("", _IMMEDIATE, _WAIT) and f"ListExecInstType (433) = {kind}",
            "must be 1 (IMMEDIATE) or 2 (WAIT_FOR_INSTRUCTION)",
        ),
        (
            command.contingency_type not in _NONE
            and f"ContingencyType (1385) = {command.contingency_type}",
            "the orders of a list do not depend on each other",
        ),
        (
            command.prog_rpt_reqs == _PERIODIC and f"ProgRptReqs (414) = {_PERIODIC}",
            "must be 1 or 3, as no status is sent periodically",
        ),
        (command.exec_inst and "ListExecInst (69)", "instructions in words are not carried out"),
    ):
        if asked:
            return Reason.UNSUPPORTED_VALUE, f"{asked}: {rule}"
    return None


def _malformed(
    command: NewOrderList, orders: tuple[ListOrder, ...], begun: OrderList | None
) -> Fault | None:
    """What the list says that cannot be; orders: with those of the fragments before."""
    total = command.tot_no_orders
    named = f"TotNoOrders (68) = {total}"
    text = _repeated(orders)
    if total > MAX_ORDERS:
        text = f"{named}: a list may have {MAX_ORDERS}"
    elif begun is not None and begun.tot_no_orders != total:
        text = f"{named}: was {begun.tot_no_orders} in the fragments before"
    elif not command.last_fragment and len(orders) >= total:
        text = f"{named}: {len(orders)} have come, and LastFragment (893) is N"
    elif command.last_fragment and len(orders) != total:
        text = f"{named}: {len(orders)} have come, and LastFragment (893) is not N"
    elif any(not 1 <= one.list_seq_no <= total for one in orders):
        wrong = next(one for one in orders if not 1 <= one.list_seq_no <= total)
        text = f"ListSeqNo (67) = {wrong.list_seq_no}: must be from 1 to {total}"
    return (Reason.LIST_MALFORMED, text) if text else None


def _repeated(orders: tuple[ListOrder, ...]) -> str:
    """Which order of the list stands in it twice."""
    for name, count in Counter(one.cl_ord_id for one in orders).items():
        if count > 1:
            return f"ClOrdID (11) = {name}: {count} orders of the list have it"
    for number, count in Counter(one.list_seq_no for one in orders).items():
        if count > 1:
            return f"ListSeqNo (67) = {number}: {count} orders of the list have it"
    return ""


def _refused(
    command: NewOrderList, orders: tuple[ListOrder, ...], fault: Fault, *, known: bool = False
) -> ListRefused:
    reason, text = fault
    return ListRefused(
        counterparty=command.origin.counterparty,
        session=command.origin.session,
        list_id=command.list_id,
        cl_ord_ids=tuple(one.cl_ord_id for one in orders),
        reason=reason,
        text=text,
        known=known,
    )


def _execute(state: State, command: ListExecute) -> Iterator[Event]:
    """Begin what waits; a list that has begun, or is cancelled, is told of as it stands."""
    known = _named(state, command.origin, command.list_id)
    if known is None or not known.complete:
        yield _unknown(command, "L")
    elif known.begun or known.canceled:
        yield _status(known, command)
    elif may_be_lost(state, command.origin, 0):
        yield not_taken_again(state, command.origin, "L", command.list_id)
    else:
        yield ListExecutionBegan(
            counterparty=command.origin.counterparty,
            session=command.origin.session,
            list_id=command.list_id,
        )


def _cancel(state: State, command: ListCancelRequest) -> Iterator[Event]:
    """Each order for its own sake, as by a mass cancel; of what never began nothing is left."""
    known = _named(state, command.origin, command.list_id)
    if known is None:
        yield _unknown(command, "K")
        return
    if known.is_over:
        yield _status(known, command)
        return
    found = [state.orders[one] for one in known.order_ids.values() if one in known.open]
    found = [one for one in found if can_force_cancel(one)]
    yield ListCanceled(
        counterparty=command.origin.counterparty,
        session=command.origin.session,
        list_id=command.list_id,
        affected=len(found) if known.begun else len(known.orders),
    )
    for order in found:
        yield forced_cancel(order, Reason.LIST_CANCEL)


def lapsed(state: State, trade_date: str) -> Iterator[ListCanceled]:
    """The lists of that trading date, or an earlier one, that have not begun: they never will."""
    for known in state.lists.values():
        if not (known.begun or known.canceled) and known.trade_date <= trade_date:
            yield ListCanceled(
                counterparty=known.counterparty,
                session=known.session,
                list_id=known.list_id,
                affected=len(known.orders),
                lapsed=True,
            )


def _status(
    known: OrderList, command: NewOrderList | ListExecute | ListCancelRequest | ListStatusRequest
) -> ListStatusReported:
    return ListStatusReported(
        counterparty=known.counterparty,
        session=command.origin.session,
        list_id=known.list_id,
        status_type=ListStatusType.RESPONSE,
    )


def _unknown(
    command: ListExecute | ListCancelRequest | ListStatusRequest, msg_type: str
) -> MessageRefused:
    return MessageRefused(
        session=command.origin.session,
        ref_seq_num=command.origin.msg_seq_num,
        ref_msg_type=msg_type,
        ref_id=command.list_id,
        business=True,
        reason_code=BusinessRejectReason.UNKNOWN_ID,
        ref_tag=0,
        text=f"ListID (66) = {command.list_id}: no list of yours",
    )


def single(order: ListOrder, origin: Origin) -> NewOrderSingle:
    """The order as it would have come by itself."""
    return NewOrderSingle(
        origin=origin,
        cl_ord_id=order.cl_ord_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        order_qty=order.order_qty,
        ord_type=order.ord_type,
        price=order.price,
        time_in_force=order.time_in_force,
        transact_time=order.transact_time,
        text=order.text,
        conditions=order.conditions,
        currency=order.currency,
    )


def started(event: ListExecutionBegan) -> ListStatusReported:
    """Every order of the list has been decided."""
    return ListStatusReported(
        counterparty=event.counterparty,
        session=event.session,
        list_id=event.list_id,
        status_type=ListStatusType.EXEC_STARTED,
    )


def over(state: State) -> Iterator[ListDone]:
    """The lists whose last open order has just ended."""
    for key in state.lists_at_work:
        known = state.lists[key]
        if not known.open:
            yield ListDone(
                counterparty=known.counterparty, session=known.session, list_id=known.list_id
            )
