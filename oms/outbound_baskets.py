"""What clients are told of their lists of orders: as many ListStatus (N) as it takes; pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, assert_never

from oms.domain.answer_effects import ListedOrder, SendListStatus
from oms.domain.baskets import (
    BasketFact,
    ListAccepted,
    ListCanceled,
    ListDone,
    ListExecutionBegan,
    ListFragmentTaken,
    ListOrder,
    ListOrderStatus,
    ListRefused,
    ListStatusReported,
    ListStatusType,
    OrderList,
)
from oms.domain.fix import OrdRejReason, OrdStatus
from oms.domain.order import Order
from oms.domain.reasons import SPECS
from oms.domain.state import State
from oms.domain.values import ZERO

# Orders in one ListStatus.
FRAGMENT: Final = 100
_IN_DOUBT: Final = "UNKNOWN: the venue has not confirmed this state"
_WITHDRAWN: Final = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY})


def list_messages(state: State, seq: int, event: BasketFact) -> Iterator[SendListStatus]:
    """The reports of one such event; none where nothing is to be told."""
    known = state.lists.get((event.counterparty, event.list_id))
    match event:
        case ListRefused():
            listed = _as_they_are(state, known) if known and event.known else _rejected(event)
            yield from _reports(state, seq, event, ListOrderStatus.REJECT, listed)
        case ListAccepted() | ListStatusReported() | ListCanceled() | ListDone():
            assert known is not None, event.list_id
            yield from _reports(state, seq, event, _status(known), _as_they_are(state, known))
        case ListFragmentTaken() | ListExecutionBegan():
            pass
        case _:
            assert_never(event)


Told = ListRefused | ListAccepted | ListStatusReported | ListCanceled | ListDone


def _kind(event: Told) -> ListStatusType:
    match event:
        case ListAccepted():
            return ListStatusType.ACK
        case ListStatusReported():
            return event.status_type
        case ListCanceled() | ListRefused():
            return ListStatusType.RESPONSE
        case ListDone():
            return ListStatusType.ALL_DONE
        case _:
            assert_never(event)


def _status(known: OrderList) -> ListOrderStatus:
    if known.is_over:
        return ListOrderStatus.ALL_DONE
    if known.canceled:
        return ListOrderStatus.CANCELLING
    return ListOrderStatus.EXECUTING if known.begun else ListOrderStatus.RECEIVED_FOR_EXECUTION


def _reports(
    state: State,
    seq: int,
    event: Told,
    order_status: ListOrderStatus,
    listed: Sequence[ListedOrder],
) -> Iterator[SendListStatus]:
    pages = [listed[start : start + FRAGMENT] for start in range(0, len(listed), FRAGMENT)]
    for number, page in enumerate(pages, start=1):
        yield SendListStatus(
            session=event.session,
            event_seq=seq,
            at=state.at,
            list_id=event.list_id,
            status_type=_kind(event),
            order_status=order_status,
            tot_no_orders=len(listed),
            no_rpts=len(pages),
            rpt_seq=number,
            orders=tuple(page),
            text=_text(event),
        )


def _text(event: Told) -> str:
    match event:
        case ListRefused():
            return event.text
        case ListCanceled():
            if event.lapsed:
                return "the trading date ended before the list was executed"
            return f"{event.affected} orders are being cancelled"
        case _:
            return ""


def _rejected(event: ListRefused) -> list[ListedOrder]:
    return [_without_order(name, OrdStatus.REJECTED) for name in event.cl_ord_ids]


def _as_they_are(state: State, known: OrderList) -> list[ListedOrder]:
    return [_listed(state, known, one) for one in known.orders]


def _listed(state: State, known: OrderList, asked: ListOrder) -> ListedOrder:
    order_id = known.order_ids.get(asked.cl_ord_id)
    if order_id is not None:
        return _of_order(state.orders[order_id])
    if known.begun:
        text = f"ClOrdID (11) = {asked.cl_ord_id}: already used"
        why = OrdRejReason.DUPLICATE_ORDER
        return _without_order(asked.cl_ord_id, OrdStatus.REJECTED, reason=why, text=text)
    if known.canceled:
        cxl_qty = asked.order_qty
        return _without_order(asked.cl_ord_id, OrdStatus.CANCELED, cxl_qty=cxl_qty)
    leaves_qty = asked.order_qty
    return _without_order(asked.cl_ord_id, OrdStatus.PENDING_NEW, leaves_qty=leaves_qty)


def _of_order(order: Order) -> ListedOrder:
    """CxlQty: what was withdrawn, whoever withdrew it; of a rejected order nothing ever was."""
    status = order.told_status
    rest = order.order_qty - order.cum_qty
    rejected = status is OrdStatus.REJECTED
    return ListedOrder(
        cl_ord_id=order.cl_ord_id,
        ord_status=status,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        cxl_qty=rest if order.closed in _WITHDRAWN and rest > 0 else ZERO,
        avg_px=order.avg_px,
        ord_rej_reason=SPECS[order.closed_reason].ord_rej_reason if rejected else "",
        text=_IN_DOUBT if order.in_doubt else order.text,
    )


def _without_order(
    cl_ord_id: str,
    ord_status: OrdStatus,
    *,
    leaves_qty: Decimal = ZERO,
    cxl_qty: Decimal = ZERO,
    reason: str = "",
    text: str = "",
) -> ListedOrder:
    return ListedOrder(
        cl_ord_id=cl_ord_id,
        ord_status=ord_status,
        cum_qty=ZERO,
        leaves_qty=leaves_qty,
        cxl_qty=cxl_qty,
        avg_px=ZERO,
        ord_rej_reason=reason,
        text=text,
    )
