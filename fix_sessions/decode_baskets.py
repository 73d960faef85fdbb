"""Readers of what clients ask about lists of orders (baskets); see fix_sessions.decode.

An order of a list is read as a NewOrderSingle is: one that cannot be read is answered for the whole
message, as nothing of it can be taken apart from the rest.
"""

from collections.abc import Callable
from typing import Final

from fix_sessions.fields import Fields, Pairs, Refusal
from fix_sessions.list_entries import NO_ORDERS, split
from fix_sessions.order_fields import read_order
from oms.domain.baskets import (
    ListCancelRequest,
    ListExecute,
    ListOrder,
    ListStatusRequest,
    NewOrderList,
)
from oms.domain.commands import Command
from oms.domain.fix import SessionRejectReason
from oms.domain.origin import Origin

_CL_ORD_ID, _LIST_SEQ_NO, _TOT_NO_ORDERS = 11, 67, 68


def _new_order_list(fields: Fields, origin: Origin) -> NewOrderList:
    """What is not done for a list is answered by ListStatus, as that can say why."""
    own, entries = split(fields.ordered)
    head = Fields.of(own)
    head.refuse_repeats()
    head.require((_TOT_NO_ORDERS, NO_ORDERS))
    if head.integer(NO_ORDERS) != len(entries) or not entries:
        raise Refusal(
            reason_code=SessionRejectReason.INCORRECT_NUM_IN_GROUP_COUNT,
            tag=NO_ORDERS,
            text=f"NoOrders (73) = {head.text(NO_ORDERS)}: {len(entries)} orders stand in the list",
        )
    return NewOrderList(
        origin=origin,
        list_id=head.text(66),
        bid_type=head.text(394),
        tot_no_orders=head.integer(_TOT_NO_ORDERS),
        orders=tuple(_order(entry, number) for number, entry in enumerate(entries, start=1)),
        last_fragment=head.by_tag.get(893) != "N",
        exec_inst_type=head.optional_text(433),
        prog_rpt_reqs=head.optional_text(414),
        contingency_type=head.optional_text(1385),
        exec_inst=69 in head.by_tag,
    )


def _order(entry: Pairs, number: int) -> ListOrder:
    """One order; a fault says which one of the list it is in."""
    fields = Fields.of(entry)
    try:
        fields.refuse_repeats()
        fields.require((_CL_ORD_ID, _LIST_SEQ_NO))
        return ListOrder(
            list_seq_no=fields.integer(_LIST_SEQ_NO),
            **read_order(fields),
        )
    except Refusal as refusal:
        raise Refusal(
            reason_code=refusal.reason_code,
            tag=refusal.tag or _CL_ORD_ID,
            text=f"order {number} of the list: {refusal.text}",
        ) from None


def _list_execute(fields: Fields, origin: Origin) -> ListExecute:
    fields.require((60,))
    return ListExecute(origin=origin, list_id=fields.text(66))


def _list_cancel_request(fields: Fields, origin: Origin) -> ListCancelRequest:
    fields.require((60,))
    return ListCancelRequest(origin=origin, list_id=fields.text(66))


def _list_status_request(fields: Fields, origin: Origin) -> ListStatusRequest:
    return ListStatusRequest(origin=origin, list_id=fields.text(66))


BASKET_READERS: Final[dict[str, Callable[[Fields, Origin], Command]]] = {
    "E": _new_order_list,
    "K": _list_cancel_request,
    "L": _list_execute,
    "M": _list_status_request,
}
