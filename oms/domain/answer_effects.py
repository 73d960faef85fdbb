"""Effects that answer what clients asked for beyond single orders; see oms.domain.effects."""

from dataclasses import dataclass
from decimal import Decimal

from oms.domain.baskets import ListOrderStatus, ListStatusType
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.instrument import Instrument


@dataclass(slots=True, kw_only=True)
class SendOrderMassCancelReport:
    """OrderMassCancelReport (r) to a client. response "0": rejected, for reject_reason."""

    session: str
    event_seq: int
    at: int
    request_id: str
    cl_ord_id: str
    request_type: str
    response: str
    reject_reason: str
    affected: int
    symbol: str
    side: Side | None
    text: str
    poss_resend: bool = False


@dataclass(slots=True, kw_only=True)
class SendSecurityList:
    """SecurityList (y) to a client: one fragment. total: how many instruments in all."""

    session: str
    event_seq: int
    at: int
    security_req_id: str
    response_id: str
    result: str
    instruments: tuple[Instrument, ...]
    total: int
    last_fragment: bool
    text: str
    poss_resend: bool = False


@dataclass(slots=True, kw_only=True)
class SendTradingSessionStatus:
    """TradingSessionStatus (h) to a client. unsolicited: it is subscribed, and something changed.

    status: TradSesStatus (340); reject_reason: TradSesStatusRejReason (567), or empty.
    """

    session: str
    event_seq: int
    at: int
    trad_ses_req_id: str
    trading_session_id: str
    status: str
    reject_reason: str
    unsolicited: bool
    text: str
    poss_resend: bool = False


@dataclass(slots=True, kw_only=True)
class SendTradeRequestAck:
    """TradeCaptureReportRequestAck (AQ) to a client."""

    session: str
    event_seq: int
    at: int
    trade_request_id: str
    request_type: str
    result: str
    status: str
    total: int
    text: str
    poss_resend: bool = False


@dataclass(slots=True, kw_only=True)
class SendTradeCaptureReport:
    """TradeCaptureReport (AE) to a client. exec_id: as the client's ExecutionReport of it had it.

    trade_date: ISO.
    """

    session: str
    event_seq: int
    at: int
    report_id: str
    trade_request_id: str
    exec_type: ExecType
    exec_id: str
    order_id: str
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    last_qty: Decimal
    last_px: Decimal
    last_mkt: str
    trade_date: str
    transact_time: int
    total: int
    last: bool
    poss_resend: bool = False


@dataclass(slots=True, kw_only=True)
class SendDontKnowTrade:
    """DontKnowTrade (Q) to a venue: we know no order that its execution could be of."""

    session: str
    event_seq: int
    at: int
    venue_order_id: str
    exec_id: str
    dk_reason: str
    symbol: str
    side: Side | None
    last_qty: Decimal | None
    last_px: Decimal | None
    text: str
    poss_resend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """One order in a ListStatus; ord_rej_reason: OrdRejReason (103), where it was rejected."""

    cl_ord_id: str
    ord_status: OrdStatus
    cum_qty: Decimal
    leaves_qty: Decimal
    cxl_qty: Decimal
    avg_px: Decimal
    ord_rej_reason: str = ""
    text: str = ""


@dataclass(slots=True, kw_only=True)
class SendListStatus:
    """ListStatus (N) to a client: report rpt_seq of no_rpts about a list of tot_no_orders."""

    session: str
    event_seq: int
    at: int
    list_id: str
    status_type: ListStatusType
    order_status: ListOrderStatus
    tot_no_orders: int
    no_rpts: int
    rpt_seq: int
    orders: tuple[ListedOrder, ...]
    text: str
    poss_resend: bool = False


AnswerMessage = (
    SendOrderMassCancelReport
    | SendSecurityList
    | SendTradingSessionStatus
    | SendTradeRequestAck
    | SendTradeCaptureReport
    | SendListStatus
)
