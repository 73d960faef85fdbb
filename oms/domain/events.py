"""Events: facts, past tense. What was decided and what others told us; state is their fold.

Those about orders are in `order_events`; `Event` is the union of all, imported from here.
"""

from decimal import Decimal

from oms.domain.answers import AnswerFact
from oms.domain.baskets import BasketFact
from oms.domain.fact import fact
from oms.domain.order_events import (
    CancelPending,
    CancelRejected,
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    ExpiryPending,
    OrderAccepted,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderHeld,
    OrderInDoubt,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderResent,
    OrderRestated,
    OrderRouted,
    OrderStatusQueried,
    OrderStatusReported,
    OrderTriggered,
    OrphanReported,
    ReplacePending,
    ReplaceRejected,
    RequestRefused,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    UnknownOrderStatusReported,
    VenueQuote,
)
from oms.domain.orphan_events import OrphanFact
from oms.domain.reasons import Reason
from oms.domain.session_commands import LogoutCause
from oms.domain.session_events import SessionFact, SessionsReloaded
from oms.domain.splits import OrderRebased, SplitFact
from oms.domain.standing_events import StandingFact
from oms.domain.terms import OrderTerms, RiskFigure

__all__ = [
    "CancelPending",
    "CancelRejected",
    "CommandAnswered",
    "DiscrepancyFound",
    "DuplicateExecutionDropped",
    "DuplicateOrderRefused",
    "EpochOpened",
    "Event",
    "ExpiryPending",
    "KillSwitchEngaged",
    "KillSwitchReleased",
    "LeaderStarted",
    "MessageRefused",
    "OrderAccepted",
    "OrderAcknowledged",
    "OrderCanceled",
    "OrderConfirmed",
    "OrderExpired",
    "OrderHeld",
    "OrderInDoubt",
    "OrderRefused",
    "OrderRejected",
    "OrderReplaced",
    "OrderResent",
    "OrderRestated",
    "OrderRouted",
    "OrderStatusQueried",
    "OrderStatusReported",
    "OrderTerms",
    "OrderTriggered",
    "OrphanReported",
    "PeerRefusedMessage",
    "ReplacePending",
    "ReplaceRejected",
    "RequestRefused",
    "ResyncCompleted",
    "ResyncStarted",
    "RiskFigure",
    "RiskLimitSet",
    "SessionClosed",
    "SessionOpened",
    "TradeBusted",
    "TradeCorrected",
    "TradeExecuted",
    "TradingDateOpened",
    "TradingDayClosed",
    "UnknownOrderStatusReported",
    "VenueQuote",
]


@fact
class DiscrepancyFound:
    """The venue's figures for a child differ from ours; for reconciliation and the alert."""

    order_id: str
    field: str
    ours: str
    theirs: str


@fact
class MessageRefused:
    """An inbound message was answered with a Reject (3) or BusinessMessageReject (j)."""

    session: str
    ref_seq_num: int
    ref_msg_type: str
    ref_id: str
    business: bool
    reason_code: str
    ref_tag: int
    text: str


@fact
class PeerRefusedMessage:
    """The peer answered a message of ours with Reject or BusinessMessageReject."""

    session: str
    ref_seq_num: int
    ref_msg_type: str
    ref_id: str
    text: str


@fact
class SessionOpened:
    """A FIX session is up."""

    session: str


@fact
class SessionClosed:
    """A FIX session is down; cause: whose doing it was."""

    session: str
    text: str
    cause: LogoutCause = LogoutCause.LOST


@fact
class EpochOpened:
    """Sequence numbers of the session start again; epoch counts the resets.

    inbound_only: our own numbers go on.
    """

    session: str
    epoch: int
    inbound_only: bool = False


@fact
class ResyncStarted:
    """A venue session is up: its open orders are asked for before anything new goes there."""

    session: str
    mass_status_req_id: str


@fact
class ResyncCompleted:
    """The venue has told all it knows; orders may go there."""

    session: str
    mass_status_req_id: str
    reported: int


@fact
class LeaderStarted:
    """A core process took over; what was in flight is in doubt until its venue speaks.

    restored: see CoreStarted.
    """

    leader_epoch: int
    version: str
    restored: str = ""


@fact
class RiskLimitSet:
    """A limit has this value from here on; None: removed."""

    rule: str
    level: str
    subject: str
    value: Decimal | None
    user: str
    reason: str


@fact
class KillSwitchEngaged:
    """New orders and replaces in the scope are refused from here on."""

    level: str
    subject: str
    user: str
    reason: str


@fact
class KillSwitchReleased:
    """Orders in the scope are taken again."""

    level: str
    subject: str
    user: str
    reason: str


@fact
class TradingDateOpened:
    """The trading date from here on (ISO)."""

    trade_date: str


@fact
class TradingDayClosed:
    """The trading day is over."""

    trade_date: str


@fact
class CommandAnswered:
    """What a REST command that concerns no single order came to."""

    accepted: bool
    reason: Reason
    text: str


Event = (
    OrderAccepted
    | OrderRefused
    | DuplicateOrderRefused
    | OrderStatusReported
    | UnknownOrderStatusReported
    | OrderRouted
    | OrderResent
    | OrderHeld
    | OrderTriggered
    | OrderRestated
    | OrderRebased
    | OrderAcknowledged
    | OrderRejected
    | TradeExecuted
    | DuplicateExecutionDropped
    | TradeBusted
    | TradeCorrected
    | OrphanReported
    | CancelPending
    | CancelRejected
    | RequestRefused
    | OrderCanceled
    | OrderExpired
    | ExpiryPending
    | ReplacePending
    | ReplaceRejected
    | OrderReplaced
    | OrderInDoubt
    | OrderStatusQueried
    | OrderConfirmed
    | DiscrepancyFound
    | MessageRefused
    | PeerRefusedMessage
    | SessionOpened
    | SessionClosed
    | EpochOpened
    | ResyncStarted
    | ResyncCompleted
    | LeaderStarted
    | RiskLimitSet
    | KillSwitchEngaged
    | KillSwitchReleased
    | TradingDateOpened
    | TradingDayClosed
    | CommandAnswered
    | SessionFact
    | SessionsReloaded
    | AnswerFact
    | OrphanFact
    | SplitFact
    | StandingFact
    | BasketFact
)
