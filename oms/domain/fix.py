"""FIX enumerations: the specification's names, the wire's values (FIX 4.4 Volume 6)."""

from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Side (54)."""

    BUY = "1"
    SELL = "2"
    SELL_SHORT = "5"

    @property
    def sign(self) -> int:
        """+1 for a purchase, -1 for a sale: the direction in which a fill moves a position."""
        return 1 if self is Side.BUY else -1


class OrdType(StrEnum):
    """OrdType (40)."""

    MARKET = "1"
    LIMIT = "2"
    STOP = "3"
    STOP_LIMIT = "4"
    PEGGED = "P"

    @property
    def is_stop(self) -> bool:
        """Whether the order waits for its StopPx (99)."""
        return self is OrdType.STOP or self is OrdType.STOP_LIMIT


class TimeInForce(StrEnum):
    """TimeInForce (59); absent on the wire means DAY."""

    DAY = "0"
    GTC = "1"
    OPG = "2"
    IOC = "3"
    FOK = "4"
    GTD = "6"
    CLS = "7"

    @property
    def immediate(self) -> bool:
        """Whether the order may not rest."""
        return self is TimeInForce.IOC or self is TimeInForce.FOK

    @property
    def good_till(self) -> bool:
        """Whether the order outlives its trading date."""
        return self is TimeInForce.GTC or self is TimeInForce.GTD


class ExecInst(StrEnum):
    """ExecInst (18), those that we know; Q is told as cancel on connection loss by some."""

    NOT_HELD = "1"
    ALL_OR_NONE = "G"
    MIDPOINT_PEG = "M"
    CANCEL_ON_SYSTEM_FAILURE = "Q"
    PRIMARY_PEG = "R"
    REINSTATE_ON_TRADING_HALT = "J"
    CANCEL_ON_TRADING_HALT = "K"
    CANCEL_IF_NOT_BEST = "Z"


class ExecType(StrEnum):
    """ExecType (150), FIX 4.4 values."""

    NEW = "0"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"
    TRADE = "F"
    TRADE_CORRECT = "G"
    TRADE_CANCEL = "H"
    ORDER_STATUS = "I"
    TRIGGERED = "L"


class OrdStatus(StrEnum):
    """OrdStatus (39)."""

    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    PENDING_REPLACE = "E"


# FIX 4.4 Volume 4, order state changes: of the statuses that hold, the highest is reported.
ORD_STATUS_PRECEDENCE: dict[OrdStatus, int] = {
    OrdStatus.PENDING_CANCEL: 12,
    OrdStatus.PENDING_REPLACE: 11,
    OrdStatus.DONE_FOR_DAY: 10,
    OrdStatus.CALCULATED: 9,
    OrdStatus.FILLED: 8,
    OrdStatus.STOPPED: 7,
    OrdStatus.SUSPENDED: 6,
    OrdStatus.CANCELED: 5,
    OrdStatus.EXPIRED: 5,
    OrdStatus.PARTIALLY_FILLED: 4,
    OrdStatus.NEW: 2,
    OrdStatus.REJECTED: 2,
    OrdStatus.PENDING_NEW: 2,
}


GT_CORPORATE_ACTION: Final = "0"
"""ExecRestatementReason (378): a good-till order goes on as a corporate action has left it."""
GT_RENEWAL: Final = "1"
"""ExecRestatementReason (378): a good-till order goes on, on a new day."""

REPRICING: Final = "3"
"""ExecRestatementReason (378): the order has another price."""


class OrdRejReason(StrEnum):
    """OrdRejReason (103)."""

    BROKER_OPTION = "0"
    UNKNOWN_SYMBOL = "1"
    EXCHANGE_CLOSED = "2"
    ORDER_EXCEEDS_LIMIT = "3"
    TOO_LATE_TO_ENTER = "4"
    UNKNOWN_ORDER = "5"
    DUPLICATE_ORDER = "6"
    UNSUPPORTED_ORDER_CHARACTERISTIC = "11"
    INCORRECT_QUANTITY = "13"
    UNKNOWN_ACCOUNT = "15"
    OTHER = "99"


class CxlRejReason(StrEnum):
    """CxlRejReason (102)."""

    TOO_LATE_TO_CANCEL = "0"
    UNKNOWN_ORDER = "1"
    BROKER_OPTION = "2"
    ALREADY_PENDING = "3"
    DUPLICATE_CL_ORD_ID = "6"
    OTHER = "99"


class CxlRejResponseTo(StrEnum):
    """CxlRejResponseTo (434)."""

    ORDER_CANCEL_REQUEST = "1"
    ORDER_CANCEL_REPLACE_REQUEST = "2"


class BusinessRejectReason(StrEnum):
    """BusinessRejectReason (380)."""

    OTHER = "0"
    UNKNOWN_ID = "1"
    UNKNOWN_SECURITY = "2"
    UNSUPPORTED_MESSAGE_TYPE = "3"
    APPLICATION_NOT_AVAILABLE = "4"
    CONDITIONALLY_REQUIRED_FIELD_MISSING = "5"


class SessionRejectReason(StrEnum):
    """SessionRejectReason (373), those that the decoder gives."""

    REQUIRED_TAG_MISSING = "1"
    TAG_SPECIFIED_WITHOUT_A_VALUE = "4"
    VALUE_IS_INCORRECT = "5"
    INCORRECT_DATA_FORMAT = "6"
    TAG_APPEARS_MORE_THAN_ONCE = "13"
    INCORRECT_NUM_IN_GROUP_COUNT = "16"


class MsgType(StrEnum):
    """MsgType (35) of the messages that cross our edge."""

    REJECT = "3"
    EXECUTION_REPORT = "8"
    ORDER_CANCEL_REJECT = "9"
    NEW_ORDER_SINGLE = "D"
    ORDER_CANCEL_REQUEST = "F"
    ORDER_CANCEL_REPLACE_REQUEST = "G"
    ORDER_STATUS_REQUEST = "H"
    MARKET_DATA_REQUEST = "V"
    MARKET_DATA_SNAPSHOT = "W"
    MARKET_DATA_INCREMENTAL_REFRESH = "X"
    MARKET_DATA_REQUEST_REJECT = "Y"
    ORDER_MASS_STATUS_REQUEST = "AF"
    BUSINESS_MESSAGE_REJECT = "j"
