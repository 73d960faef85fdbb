"""Effects: what leaves the process once the event behind it is durable. One per FIX message out,
and what we do with a session.

`event_seq` is the journal number of the event that caused it: with it the outbox knows after a
restart what may not have left. All times are sequencer stamps. poss_resend: it may have left
before.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, get_args

from oms.domain.answer_effects import AnswerMessage, SendDontKnowTrade
from oms.domain.conditions import Conditions, DayFigures
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)


@dataclass(slots=True, kw_only=True)
class SendExecutionReport:
    """ExecutionReport (8) to a client."""

    session: str
    event_seq: int
    at: int
    order_id: str
    cl_ord_id: str
    exec_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    account: str
    symbol: str
    side: Side | None
    order_qty: Decimal
    ord_type: OrdType | None
    price: Decimal | None
    time_in_force: TimeInForce | None
    cum_qty: Decimal
    leaves_qty: Decimal
    avg_px: Decimal
    orig_cl_ord_id: str = ""
    exec_ref_id: str = ""
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    last_mkt: str = ""
    ord_rej_reason: str = ""
    restatement: str = ""
    ord_status_req_id: str = ""
    text: str = ""
    poss_resend: bool = False
    conditions: Conditions | None = None
    day: DayFigures | None = None
    list_id: str = ""


@dataclass(slots=True, kw_only=True)
class SendMassStatusReport:
    """ExecutionReport (8) to a client that asked for the status of many orders: one of the answer.

    report: what it says of its order.
    """

    session: str
    event_seq: int
    at: int
    report: SendExecutionReport
    mass_status_req_id: str
    tot_num_reports: int
    last_rpt_requested: bool
    poss_resend: bool = False

    @property
    def order_id(self) -> str:
        """The order that it is about."""
        return self.report.order_id


@dataclass(slots=True, kw_only=True)
class SendOrderCancelReject:
    """OrderCancelReject (9) to a client."""

    session: str
    event_seq: int
    at: int
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatus
    cxl_rej_reason: CxlRejReason
    response_to: CxlRejResponseTo
    account: str
    text: str
    poss_resend: bool = False
    list_id: str = ""


@dataclass(slots=True, kw_only=True)
class SendNewOrderSingle:
    """NewOrderSingle (D) to a venue; poss_resend: it may have gone there before."""

    session: str
    event_seq: int
    at: int
    order_id: str
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None
    time_in_force: TimeInForce
    poss_resend: bool = False
    conditions: Conditions | None = None


@dataclass(slots=True, kw_only=True)
class SendOrderCancelRequest:
    """OrderCancelRequest (F) to a venue."""

    session: str
    event_seq: int
    at: int
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    venue_order_id: str
    symbol: str
    side: Side
    order_qty: Decimal


@dataclass(slots=True, kw_only=True)
class SendOrderCancelReplaceRequest:
    """OrderCancelReplaceRequest (G) to a venue."""

    session: str
    event_seq: int
    at: int
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    venue_order_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None
    time_in_force: TimeInForce
    conditions: Conditions | None = None


@dataclass(slots=True, kw_only=True)
class SendOrderStatusRequest:
    """OrderStatusRequest (H) to a venue."""

    session: str
    event_seq: int
    at: int
    order_id: str
    cl_ord_id: str
    venue_order_id: str
    symbol: str
    side: Side


@dataclass(slots=True, kw_only=True)
class SendOrderMassStatusRequest:
    """OrderMassStatusRequest (AF) for all orders (MassStatusReqType 7) to a venue."""

    session: str
    event_seq: int
    at: int
    mass_status_req_id: str


@dataclass(slots=True, kw_only=True)
class SendMarketDataRequest:
    """MarketDataRequest (V): subscribe top of book with incremental updates for these symbols."""

    session: str
    event_seq: int
    at: int
    md_req_id: str
    symbols: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class SendReject:
    """Reject (3), or BusinessMessageReject (j) where business, to whoever sent the message."""

    session: str
    event_seq: int
    at: int
    business: bool
    ref_seq_num: int
    ref_msg_type: str
    ref_id: str
    reason_code: str
    ref_tag: int
    text: str


class SessionAction(StrEnum):
    """What we do with a session. RESET: new sequence numbers, both ways; only while it is down.

    DISCARD: what waits for a client that is not configured is let go.
    RELOAD: of no session; those that were added, changed and removed become so.
    """

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    RESET = "RESET"
    REPEAT = "REPEAT"
    DISCARD = "DISCARD"
    RELOAD = "RELOAD"


@dataclass(slots=True, kw_only=True)
class ControlSession:
    """Our own doing with a session, no message. REPEAT: send again, under the new numbers and as
    PossResend, what `epoch` sent from the stamp `since` on and the client may not have. answers: a
    client that logs on to what is closed is told the text by a Logout. through: DISCARD what events
    up to that one have made.
    """

    session: str
    event_seq: int
    at: int
    action: SessionAction
    text: str = ""
    answers: bool = False
    epoch: int = 0
    since: int = 0
    through: int = 0


FixMessage = (
    SendExecutionReport
    | SendOrderCancelReject
    | SendNewOrderSingle
    | SendOrderCancelRequest
    | SendOrderCancelReplaceRequest
    | SendOrderStatusRequest
    | SendOrderMassStatusRequest
    | SendMarketDataRequest
    | SendReject
    | SendMassStatusReport
    | SendDontKnowTrade
    | AnswerMessage
)
Effect = FixMessage | ControlSession

ToClient = (
    SendExecutionReport | SendOrderCancelReject | SendReject | SendMassStatusReport | AnswerMessage
)
TO_CLIENTS: Final = get_args(ToClient)
