"""What clients ask about beyond single orders, answered from the state; pure.

Only open orders are told in answer to a mass status request: one that it leaves out is done, and
its client may ask for it by its ClOrdID.
"""

from collections.abc import Iterator
from typing import assert_never

from oms.domain.answers import NoOrdersReported, OrderMassStatusReported
from oms.domain.commands import OrderMassCancelRequest
from oms.domain.events import Event
from oms.domain.inquiries import Inquiry, MassStatusReqType, OrderMassStatusRequest
from oms.domain.order import Order
from oms.domain.state import State
from oms.orders.mass_cancel import decide_mass_cancel


def decide_inquiry(
    state: State, seq: int, command: Inquiry | OrderMassCancelRequest
) -> Iterator[Event]:
    """What is answered, and done where it asks for that. seq: the command's journal number."""
    match command:
        case OrderMassCancelRequest():
            yield from decide_mass_cancel(state, seq, command)
        case OrderMassStatusRequest():
            yield from _mass_status(state, command)
        case _:
            assert_never(command)


def _mass_status(state: State, command: OrderMassStatusRequest) -> Iterator[Event]:
    session, named = command.origin.session, command.mass_status_req_id
    client = command.origin.counterparty
    found = [state.orders[one] for one in state.open_orders]
    found = [one for one in found if _is_meant(one, client, command)]
    found.sort(key=lambda order: (order.created_at, order.order_id))
    for n, order in enumerate(found, start=1):
        yield OrderMassStatusReported(
            order_id=order.order_id,
            session=session,
            mass_status_req_id=named,
            tot_num_reports=len(found),
            last_rpt_requested=n == len(found),
        )
    if not found:
        yield NoOrdersReported(
            session=session, mass_status_req_id=named, text="no open order of yours matches"
        )


def _is_meant(order: Order, client: str, command: OrderMassStatusRequest) -> bool:
    by_security = command.mass_status_req_type is MassStatusReqType.SECURITY
    return (
        not order.is_child
        and order.counterparty == client
        and (not by_security or order.symbol == command.symbol)
        and command.account in ("", order.account)
        and command.side in (None, order.side)
    )
