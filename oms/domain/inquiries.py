"""Commands of clients beyond single orders: what they ask about, and what they dispute.

FIX messages keep their FIX names. An enumeration is kept as it stood on the wire where an unknown
value has an answer of its own.
"""

from enum import StrEnum

from oms.domain.fact import fact
from oms.domain.fix import Side
from oms.domain.origin import Origin


class MassCancelRequestType(StrEnum):
    """MassCancelRequestType (530), those that are taken."""

    SECURITY = "1"
    ALL_ORDERS = "7"


class MassStatusReqType(StrEnum):
    """MassStatusReqType (585), those that are taken."""

    SECURITY = "1"
    ALL_ORDERS = "7"


@fact
class OrderMassStatusRequest:
    """OrderMassStatusRequest (AF): of the client's open orders; empty fields match all."""

    origin: Origin
    mass_status_req_id: str
    mass_status_req_type: MassStatusReqType
    account: str = ""
    symbol: str = ""
    side: Side | None = None


Inquiry = OrderMassStatusRequest
