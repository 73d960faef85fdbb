"""Mass cancels, over FIX and over REST: one decision for both.

A mass cancel has a ClOrdID of its client's own ids. The same again, marked as a repetition, is
answered as the first time and cancels nothing more; the same id for anything else is refused.
"""

from collections.abc import Iterator
from typing import Final

from oms.domain.answers import MassCancelAnswered
from oms.domain.commands import Channel, OrderMassCancelRequest, Origin
from oms.domain.events import Event
from oms.domain.inquiries import MassCancelRequestType
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.orders.requests import can_force_cancel, forced_cancel, known

_TAKEN: Final = frozenset({"", *(one.value for one in MassCancelRequestType)})
# MassCancelRejectReason (532)
_NOT_SUPPORTED, _UNKNOWN_SECURITY, _OTHER = "0", "1", "99"


def decide_mass_cancel(state: State, seq: int, command: OrderMassCancelRequest) -> Iterator[Event]:
    """Cancel the counterparty's open orders that match, each for its own sake; seq names it."""
    origin = command.origin
    first = state.mass_cancels.get((origin.counterparty, command.cl_ord_id))
    if first is not None and _is_repeated(first, command):
        yield _answer(command, first.request_id, affected=first.affected, text=first.text)
        return
    request_id = f"M{seq}"
    fault = _fault_of(state, command)
    if fault is not None:
        reason, reject_reason, text = fault
        yield _answer(command, request_id, reason=reason, reject_reason=reject_reason, text=text)
        return
    found = [
        state.orders[order_id]
        for order_id in sorted(state.open_orders)
        if _matches(state.orders[order_id], command)
    ]
    text = f"{len(found)} orders are being cancelled"
    yield _answer(command, request_id, affected=len(found), text=text)
    for order in found:
        yield forced_cancel(order, Reason.MASS_CANCEL)


def _fault_of(state: State, command: OrderMassCancelRequest) -> tuple[Reason, str, str] | None:
    """Why it is refused: our reason, MassCancelRejectReason and the text."""
    kind, symbol = command.request_type, _symbol(command)
    first = state.mass_cancels.get((command.origin.counterparty, command.cl_ord_id))
    if first is not None or known(state, command.origin, command.cl_ord_id) is not None:
        text = f"ClOrdID (11) = {command.cl_ord_id}: already used"
        return Reason.DUPLICATE_CL_ORD_ID, _OTHER, text
    if kind not in _TAKEN:
        text = f"MassCancelRequestType (530) = {kind}: must be 1 (SECURITY) or 7 (ALL_ORDERS)"
        return Reason.UNSUPPORTED_VALUE, _NOT_SUPPORTED, text
    by_security = kind == MassCancelRequestType.SECURITY
    if by_security and symbol not in state.reference.instruments:
        text = f"Symbol (55) = {symbol or 'absent'}: must be an instrument of ours"
        return Reason.UNKNOWN_INSTRUMENT, _UNKNOWN_SECURITY, text
    return None


def _symbol(command: OrderMassCancelRequest) -> str:
    """Where all orders are asked for by name, an instrument beside it narrows nothing."""
    return "" if command.request_type == MassCancelRequestType.ALL_ORDERS else command.symbol


def _is_repeated(first: MassCancelAnswered, command: OrderMassCancelRequest) -> bool:
    """Whether it says that it may have come before, and asks for what that one did."""
    if not _says_so(command.origin):
        return False
    asked = command.request_type, command.account, _symbol(command), command.side
    return asked == (first.request_type, first.account, first.symbol, first.side)


def _says_so(origin: Origin) -> bool:
    return origin.poss_resend or origin.poss_dup or origin.channel is Channel.REST


def _answer(
    command: OrderMassCancelRequest,
    request_id: str,
    *,
    affected: int = 0,
    reason: Reason = Reason.NONE,
    reject_reason: str = "",
    text: str,
) -> MassCancelAnswered:
    return MassCancelAnswered(
        counterparty=command.origin.counterparty,
        session=command.origin.session,
        cl_ord_id=command.cl_ord_id,
        request_id=request_id,
        request_type=command.request_type,
        account=command.account,
        symbol=_symbol(command),
        side=command.side,
        affected=affected,
        reason=reason,
        reject_reason=reject_reason,
        text=text,
    )


def _matches(order: Order, command: OrderMassCancelRequest) -> bool:
    return (
        can_force_cancel(order)
        and order.counterparty == command.origin.counterparty
        and command.account in ("", order.account)
        and _symbol(command) in ("", order.symbol)
        and command.side in (None, order.side)
    )
