"""Readers of what clients ask about beyond single orders; see fix_sessions.decode."""

from collections.abc import Callable
from typing import Final

from fix_sessions.fields import Fields
from oms.domain.commands import Command, OrderMassCancelRequest
from oms.domain.fix import Side
from oms.domain.inquiries import MassStatusReqType, OrderMassStatusRequest
from oms.domain.origin import Origin


def _order_mass_cancel_request(fields: Fields, origin: Origin) -> OrderMassCancelRequest:
    """A type that is not served is answered by the report, as FIX has a code for it."""
    fields.require((60,))
    return OrderMassCancelRequest(
        origin=origin,
        cl_ord_id=fields.text(11),
        request_type=fields.text(530),
        account=fields.optional_text(1),
        symbol=fields.optional_text(55),
        side=fields.optional_choice(54, Side),
    )


def _order_mass_status_request(fields: Fields, origin: Origin) -> OrderMassStatusRequest:
    kind = fields.choice(585, MassStatusReqType)
    by_security = kind is MassStatusReqType.SECURITY
    return OrderMassStatusRequest(
        origin=origin,
        mass_status_req_id=fields.text(584),
        mass_status_req_type=kind,
        account=fields.optional_text(1),
        symbol=fields.text(55) if by_security else fields.optional_text(55),
        side=fields.optional_choice(54, Side),
    )


INQUIRY_READERS: Final[dict[str, Callable[[Fields, Origin], Command]]] = {
    "q": _order_mass_cancel_request,
    "AF": _order_mass_status_request,
}
