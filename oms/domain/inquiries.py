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


class SubscriptionRequestType(StrEnum):
    """SubscriptionRequestType (263)."""

    SNAPSHOT = "0"
    SUBSCRIBE = "1"
    UNSUBSCRIBE = "2"


@fact
class SecurityListRequest:
    """SecurityListRequest (x): our instruments; request_type: SecurityListRequestType (559)."""

    origin: Origin
    security_req_id: str
    request_type: str
    symbol: str = ""
    security_type: str = ""


@fact
class TradingSessionStatusRequest:
    """TradingSessionStatusRequest (g): of the trading day, now and, subscribed to, from now on."""

    origin: Origin
    trad_ses_req_id: str
    subscription: SubscriptionRequestType
    trading_session_id: str = ""


@fact
class TradeCaptureReportRequest:
    """TradeCaptureReportRequest (AD): the client's own trades; empty fields match all.

    request_type, subscription: TradeRequestType (569), SubscriptionRequestType (263) as they came.
    trade_date: as on the wire, YYYYMMDD.
    """

    origin: Origin
    trade_request_id: str
    request_type: str
    subscription: str = ""
    trade_date: str = ""
    order_id: str = ""
    cl_ord_id: str = ""
    exec_id: str = ""
    account: str = ""
    symbol: str = ""
    side: Side | None = None


@fact
class DontKnowTrade:
    """DontKnowTrade (Q): the client does not accept an execution of ours.

    exec_id: ExecID of our report of it; dk_reason: DKReason (127).
    """

    origin: Origin
    order_id: str
    exec_id: str
    dk_reason: str
    text: str = ""


@fact
class ResolveDispute:
    """A human's signed word that a disputed trade is settled; dispute: its journal number."""

    origin: Origin
    dispute: int
    reason: str


Inquiry = (
    DontKnowTrade
    | ResolveDispute
    | OrderMassStatusRequest
    | SecurityListRequest
    | TradingSessionStatusRequest
    | TradeCaptureReportRequest
)
