"""Every refusal by name: its FIX codes, its text, and whether trying again can help."""

from dataclasses import dataclass
from enum import StrEnum

from oms.domain.fix import CxlRejReason, OrdRejReason


class Reason(StrEnum):
    """Why a request was refused or an order closed without the client's asking."""

    NONE = "NONE"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    INSTRUMENT_HALTED = "INSTRUMENT_HALTED"
    ACCOUNT_NOT_PERMITTED = "ACCOUNT_NOT_PERMITTED"
    QUANTITY_NOT_POSITIVE = "QUANTITY_NOT_POSITIVE"
    PRICE_NOT_POSITIVE = "PRICE_NOT_POSITIVE"
    PRICE_MISSING = "PRICE_MISSING"
    PRICE_NOT_ALLOWED = "PRICE_NOT_ALLOWED"
    OFF_TICK = "OFF_TICK"
    OFF_LOT = "OFF_LOT"
    MAX_ORDER_QTY = "MAX_ORDER_QTY"
    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    PRICE_COLLAR = "PRICE_COLLAR"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
    MAX_POSITION = "MAX_POSITION"
    MAX_MESSAGE_RATE = "MAX_MESSAGE_RATE"
    DUPLICATE_CONTENT = "DUPLICATE_CONTENT"
    KILL_SWITCH = "KILL_SWITCH"
    DUPLICATE_CL_ORD_ID = "DUPLICATE_CL_ORD_ID"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    TOO_LATE = "TOO_LATE"
    ALREADY_PENDING = "ALREADY_PENDING"
    BELOW_CUM_QTY = "BELOW_CUM_QTY"
    FIELD_NOT_REPLACEABLE = "FIELD_NOT_REPLACEABLE"
    ORDER_STATE_UNKNOWN = "ORDER_STATE_UNKNOWN"
    CONDITION_INVALID = "CONDITION_INVALID"
    UNSUPPORTED_BY_VENUES = "UNSUPPORTED_BY_VENUES"
    STOP_NOT_REACHED = "STOP_NOT_REACHED"
    NO_VENUE = "NO_VENUE"
    NO_VENUE_CONNECTED = "NO_VENUE_CONNECTED"
    VENUE_REFUSED = "VENUE_REFUSED"
    VENUE_CLOSED_ORDER = "VENUE_CLOSED_ORDER"
    END_OF_DAY = "END_OF_DAY"
    OPERATOR = "OPERATOR"
    UNSUPPORTED_VALUE = "UNSUPPORTED_VALUE"
    STALE = "STALE"
    TRADE_BUSTED = "TRADE_BUSTED"
    MASS_CANCEL = "MASS_CANCEL"
    LIST_CANCEL = "LIST_CANCEL"
    LIST_MALFORMED = "LIST_MALFORMED"
    SESSION_LOST = "SESSION_LOST"
    CLIENT_DISCONNECTED = "CLIENT_DISCONNECTED"
    NOT_ACKNOWLEDGED = "NOT_ACKNOWLEDGED"
    VENUE_DISAGREES = "VENUE_DISAGREES"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonSpec:
    """How a Reason is told to others. transient: the same may pass later, under a new ClOrdID.

    http_status: never one on which HTTP clients repeat a request by themselves (408, 425, 429,
    5xx): a refusal is final for its ClOrdID, and they would be told the same for ever.
    """

    ord_rej_reason: OrdRejReason = OrdRejReason.OTHER
    cxl_rej_reason: CxlRejReason = CxlRejReason.OTHER
    transient: bool = False
    http_status: int = 422


_LIMIT = OrdRejReason.ORDER_EXCEEDS_LIMIT
_ODD = OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC

SPECS: dict[Reason, ReasonSpec] = {reason: ReasonSpec() for reason in Reason} | {
    Reason.UNKNOWN_INSTRUMENT: ReasonSpec(ord_rej_reason=OrdRejReason.UNKNOWN_SYMBOL),
    Reason.INSTRUMENT_HALTED: ReasonSpec(
        ord_rej_reason=OrdRejReason.EXCHANGE_CLOSED, transient=True
    ),
    Reason.ACCOUNT_NOT_PERMITTED: ReasonSpec(
        ord_rej_reason=OrdRejReason.UNKNOWN_ACCOUNT, http_status=403
    ),
    Reason.QUANTITY_NOT_POSITIVE: ReasonSpec(ord_rej_reason=OrdRejReason.INCORRECT_QUANTITY),
    Reason.OFF_LOT: ReasonSpec(ord_rej_reason=OrdRejReason.INCORRECT_QUANTITY),
    Reason.PRICE_NOT_POSITIVE: ReasonSpec(ord_rej_reason=_ODD),
    Reason.PRICE_MISSING: ReasonSpec(ord_rej_reason=_ODD),
    Reason.PRICE_NOT_ALLOWED: ReasonSpec(ord_rej_reason=_ODD),
    Reason.OFF_TICK: ReasonSpec(ord_rej_reason=_ODD),
    Reason.UNSUPPORTED_VALUE: ReasonSpec(ord_rej_reason=_ODD),
    Reason.MAX_ORDER_QTY: ReasonSpec(ord_rej_reason=_LIMIT),
    Reason.MAX_ORDER_NOTIONAL: ReasonSpec(ord_rej_reason=_LIMIT),
    Reason.PRICE_COLLAR: ReasonSpec(ord_rej_reason=_LIMIT, transient=True),
    Reason.NO_REFERENCE_PRICE: ReasonSpec(ord_rej_reason=_LIMIT, transient=True),
    Reason.MAX_POSITION: ReasonSpec(ord_rej_reason=_LIMIT, transient=True),
    Reason.MAX_MESSAGE_RATE: ReasonSpec(ord_rej_reason=_LIMIT, transient=True),
    Reason.DUPLICATE_CONTENT: ReasonSpec(
        ord_rej_reason=OrdRejReason.DUPLICATE_ORDER, transient=True
    ),
    Reason.KILL_SWITCH: ReasonSpec(
        ord_rej_reason=OrdRejReason.BROKER_OPTION,
        cxl_rej_reason=CxlRejReason.BROKER_OPTION,
        transient=True,
    ),
    Reason.DUPLICATE_CL_ORD_ID: ReasonSpec(
        ord_rej_reason=OrdRejReason.DUPLICATE_ORDER,
        cxl_rej_reason=CxlRejReason.DUPLICATE_CL_ORD_ID,
        http_status=409,
    ),
    Reason.UNKNOWN_ORDER: ReasonSpec(
        ord_rej_reason=OrdRejReason.UNKNOWN_ORDER,
        cxl_rej_reason=CxlRejReason.UNKNOWN_ORDER,
        http_status=404,
    ),
    Reason.TOO_LATE: ReasonSpec(cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL, http_status=409),
    Reason.ALREADY_PENDING: ReasonSpec(
        cxl_rej_reason=CxlRejReason.ALREADY_PENDING, transient=True, http_status=409
    ),
    Reason.ORDER_STATE_UNKNOWN: ReasonSpec(
        cxl_rej_reason=CxlRejReason.BROKER_OPTION, transient=True, http_status=409
    ),
    Reason.BELOW_CUM_QTY: ReasonSpec(http_status=409),
    Reason.NO_VENUE: ReasonSpec(ord_rej_reason=_ODD),
    Reason.CONDITION_INVALID: ReasonSpec(ord_rej_reason=_ODD),
    Reason.UNSUPPORTED_BY_VENUES: ReasonSpec(ord_rej_reason=_ODD),
    Reason.NO_VENUE_CONNECTED: ReasonSpec(
        ord_rej_reason=OrdRejReason.EXCHANGE_CLOSED, transient=True
    ),
    Reason.VENUE_REFUSED: ReasonSpec(ord_rej_reason=OrdRejReason.BROKER_OPTION),
    Reason.STALE: ReasonSpec(ord_rej_reason=OrdRejReason.TOO_LATE_TO_ENTER, transient=True),
}
