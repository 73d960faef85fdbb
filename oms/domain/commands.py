"""Commands: every input of the core, frozen. FIX messages keep their FIX names.

`OBSERVATIONS` change no fact and are not journaled; a decision records what it used of them.
"""

from dataclasses import field
from decimal import Decimal

from oms.domain.baskets import BasketCommand
from oms.domain.conditions import Conditions
from oms.domain.fact import fact
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from oms.domain.inquiries import Inquiry
from oms.domain.origin import JOBS, SYSTEM, Channel, Origin
from oms.domain.orphans import DecideOrphan, TradeIds
from oms.domain.session_commands import (
    ApproveSessionReset,
    DiscardCommand,
    LogoutCause,
    ReloadSessions,
    RequestSessionReset,
    ResendAsked,
    StartSession,
    StopSession,
)
from oms.domain.splits import SplitCommand

# Where commands are, there is what they begin with.
__all__ = ["JOBS", "SYSTEM", "Channel", "Origin"]


@fact
class NewOrderSingle:
    """NewOrderSingle (D); conditions None for a plain order; order_qty 0 where cash is given."""

    origin: Origin
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    transact_time: int = 0
    text: str = ""
    conditions: Conditions | None = None
    currency: str = ""


@fact
class OrderCancelRequest:
    """OrderCancelRequest (F); names its order by orig_cl_ord_id or, over REST, by order_id."""

    origin: Origin
    cl_ord_id: str
    orig_cl_ord_id: str = ""
    order_id: str = ""


@fact
class OrderCancelReplaceRequest:
    """OrderCancelReplaceRequest (G); price None only where the order has none. What is not given of
    conditions stays as it is; StopPx may change.
    """

    origin: Origin
    cl_ord_id: str
    order_qty: Decimal
    orig_cl_ord_id: str = ""
    order_id: str = ""
    price: Decimal | None = None
    symbol: str = ""
    side: Side | None = None
    ord_type: OrdType | None = None
    time_in_force: TimeInForce | None = None
    conditions: Conditions | None = None
    transact_time: int = 0
    currency: str = ""


@fact
class OrderMassCancelRequest:
    """Cancel every open order of the counterparty that matches; empty fields match all.

    request_type: MassCancelRequestType (530) as it came; empty over REST, which has none.
    """

    origin: Origin
    cl_ord_id: str
    account: str = ""
    symbol: str = ""
    side: Side | None = None
    request_type: str = ""


@fact
class OrderStatusRequest:
    """OrderStatusRequest (H)."""

    origin: Origin
    cl_ord_id: str
    order_id: str = ""
    ord_status_req_id: str = ""


@fact
class ExecutionReport:
    """ExecutionReport (8) from a venue; absent fields are empty, zero or None.

    side is None for a Side (54) that we never send. restatement: ExecRestatementReason (378).
    """

    origin: Origin
    order_id: str
    cl_ord_id: str
    exec_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    symbol: str
    side: Side | None
    orig_cl_ord_id: str = ""
    exec_ref_id: str = ""
    order_qty: Decimal | None = None
    price: Decimal | None = None
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    cum_qty: Decimal = Decimal(0)
    leaves_qty: Decimal = Decimal(0)
    avg_px: Decimal = Decimal(0)
    ord_rej_reason: str = ""
    restatement: str = ""
    transact_time: int = 0
    text: str = ""
    mass_status_req_id: str = ""
    tot_num_reports: int | None = None
    last_rpt_requested: bool = False
    ids: TradeIds | None = None


@fact
class OrderCancelReject:
    """OrderCancelReject (9) from a venue."""

    origin: Origin
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatus
    cxl_rej_reason: CxlRejReason
    response_to: CxlRejResponseTo
    text: str = ""


@fact
class MessageRejectedByPeer:
    """Reject (3) or BusinessMessageReject (j): the peer did not take our message ref_seq_num."""

    origin: Origin
    ref_seq_num: int
    ref_msg_type: str
    ref_id: str
    text: str


@fact
class UnreadableMessage:
    """A FIX message that decode refused; the answer is the one FIX prescribes.

    business: BusinessMessageReject (j) with reason 380, else session Reject (3) with 373.
    """

    origin: Origin
    ref_msg_type: str
    business: bool
    reason_code: str
    ref_tag: int
    text: str


@fact
class Quote:
    """Best bid and offer of one venue; None where that side is empty."""

    bid: Decimal | None = None
    bid_size: Decimal = Decimal(0)
    ask: Decimal | None = None
    ask_size: Decimal = Decimal(0)


@fact
class QuoteObserved:
    """A venue's top of book for a symbol changed. An observation: not journaled by itself."""

    origin: Origin
    symbol: str
    quote: Quote


@fact
class SessionLoggedOn:
    """A FIX session is up."""

    origin: Origin


@fact
class SessionLoggedOut:
    """A FIX session is down; cause: whose doing it was."""

    origin: Origin
    text: str = ""
    cause: LogoutCause = LogoutCause.LOST


@fact
class SequenceReset:
    """Sequence numbers of a session were reset by either side: a new epoch begins.

    inbound_only: our own numbers go on (theirs were by SequenceReset-Reset).
    """

    origin: Origin
    inbound_only: bool = False


@fact
class SentMessage:
    """One application message handed to the engine: the event that caused it, its MsgSeqNum.

    at: when; the note of it is journaled a little later. 0 in journals that did not tell.
    """

    session: str
    epoch: int
    msg_seq_num: int
    event_seq: int
    msg_type: str
    order_id: str
    text: str
    at: int = 0


@fact
class StreamMark:
    """How far an inbound stream was read where its last messages were observations."""

    session: str
    epoch: int
    msg_seq_num: int


@fact
class MessagesSent:
    """Outbound messages since the last such command, in order; and marks of what was observed.

    repeated: the session for which the messages are what its reset would have swallowed; else none.
    numbered: how far our own numbers may be used up beyond what was sent, where a core starts.
    kept: what waits for a client that is not configured, by its events; without number or text.
    """

    origin: Origin
    messages: tuple[SentMessage, ...]
    observed: tuple[StreamMark, ...] = ()
    repeated: str = ""
    numbered: tuple[StreamMark, ...] = ()
    kept: tuple[SentMessage, ...] = ()


@fact
class ClockTicked:
    """Time has passed; the stamp is the tick. An observation unless something is due."""

    origin: Origin = SYSTEM


@fact
class CoreStarted:
    """A core process leads; `restored`: why the database lost entries, see oms.app.lost_entries."""

    origin: Origin
    leader_epoch: int
    version: str
    trade_date: str
    restored: str = ""


@fact
class SetRiskLimit:
    """Set one limit; value None removes it. level FIRM has subject "*"."""

    origin: Origin
    rule: str
    level: str
    subject: str
    value: Decimal | None
    reason: str = ""


@fact
class EngageKillSwitch:
    """Refuse new orders and replaces in the scope and, by default, cancel what is open there."""

    origin: Origin
    level: str
    subject: str
    reason: str
    cancel_open_orders: bool = True


@fact
class ReleaseKillSwitch:
    """Allow orders in the scope again."""

    origin: Origin
    level: str
    subject: str
    reason: str


@fact
class ResolveOrder:
    """A human's signed decision about an order in doubt: CANCELED, REJECTED or WORKING."""

    origin: Origin
    order_id: str
    outcome: OrdStatus
    reason: str


@fact
class OpenTradingDate:
    """The trading date is now this (ISO); ClOrdIDs of closed orders of earlier dates are free."""

    origin: Origin
    trade_date: str


@fact
class CloseTradingDay:
    """The day is over: Day orders of it, or older, are withdrawn from venues and expire."""

    origin: Origin
    trade_date: str


Command = (
    NewOrderSingle
    | OrderCancelRequest
    | OrderCancelReplaceRequest
    | OrderMassCancelRequest
    | OrderStatusRequest
    | ExecutionReport
    | OrderCancelReject
    | MessageRejectedByPeer
    | UnreadableMessage
    | QuoteObserved
    | SessionLoggedOn
    | SessionLoggedOut
    | SequenceReset
    | MessagesSent
    | ClockTicked
    | CoreStarted
    | SetRiskLimit
    | EngageKillSwitch
    | ReleaseKillSwitch
    | ResolveOrder
    | OpenTradingDate
    | CloseTradingDay
    | StartSession
    | StopSession
    | RequestSessionReset
    | ApproveSessionReset
    | ReloadSessions
    | ResendAsked
    | DiscardCommand
    | DecideOrphan
    | SplitCommand
    | Inquiry
    | BasketCommand
)

OBSERVATIONS = (QuoteObserved, ClockTicked)


@fact
class Stamped:
    """A command as the sequencer took it: journal number and time (µs since 1970, UTC)."""

    seq: int
    at: int
    command: Command = field()
