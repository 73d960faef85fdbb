"""Reading one message's fields: required, optional, typed; a fault says tag, value and rule.

Names and reject codes follow FIX 4.4 Volumes 2 and 6: a missing required tag is SessionRejectReason
(373) 1, an empty value 4, a value outside its range 5, a wrong format 6, a repeated tag 13.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar, cast

from fix_sessions.wire import SOH, WireError, fields_by_tag, fields_of, parse_utc_timestamp
from oms.domain.fix import BusinessRejectReason, SessionRejectReason
from oms.domain.values import ValueOutOfRange, ValueRefused, parse_decimal

E = TypeVar("E", bound=StrEnum)

Pairs = list[tuple[int, str]]
"""Fields in order: tag and value."""

NAMES = {
    1: "Account",
    6: "AvgPx",
    11: "ClOrdID",
    14: "CumQty",
    15: "Currency",
    17: "ExecID",
    18: "ExecInst",
    20: "ExecTransType",
    21: "HandlInst",
    31: "LastPx",
    32: "LastQty",
    34: "MsgSeqNum",
    35: "MsgType",
    37: "OrderID",
    38: "OrderQty",
    39: "OrdStatus",
    40: "OrdType",
    41: "OrigClOrdID",
    44: "Price",
    45: "RefSeqNum",
    54: "Side",
    55: "Symbol",
    58: "Text",
    59: "TimeInForce",
    60: "TransactTime",
    66: "ListID",
    67: "ListSeqNo",
    68: "TotNoOrders",
    73: "NoOrders",
    99: "StopPx",
    102: "CxlRejReason",
    110: "MinQty",
    111: "MaxFloor",
    126: "ExpireTime",
    150: "ExecType",
    151: "LeavesQty",
    152: "CashOrderQty",
    211: "PegOffsetValue",
    268: "NoMDEntries",
    269: "MDEntryType",
    270: "MDEntryPx",
    271: "MDEntrySize",
    279: "MDUpdateAction",
    394: "BidType",
    432: "ExpireDate",
    434: "CxlRejResponseTo",
    911: "TotNumReports",
    1128: "ApplVerID",
}
# Members of the repeating groups that a message we read may bring along (parties, allocations,
# trading sessions, other security ids, stipulations, contra brokers, amounts, fees): they repeat.
_MEMBERS = frozenset(
    {448, 447, 452, 802, 523, 803, 79, 661, 736, 467, 80, 539, 524, 525, 538, 804, 545, 805}
    | {336, 625, 455, 456, 233, 234, 375, 337, 437, 438, 655, 519, 520, 521}
    | {137, 138, 139, 891, 2376, 1060}
    | {1117, 1118, 1119, 1120, 1121, 1122, 2388}
)
MAX_ID_CHARACTERS = 64
MAX_TEXT_CHARACTERS = 1_000


class Refusal(Exception):
    """The message is answered with Reject (3), or BusinessMessageReject (j) where business."""

    def __init__(self, *, reason_code: str, tag: int, text: str, business: bool = False) -> None:
        super().__init__(text)
        self.reason_code = reason_code
        self.tag = tag
        self.text = text
        self.business = business


def named(tag: int) -> str:
    """A tag as people read it: `OrderQty (38)`."""
    return f"{NAMES[tag]} ({tag})" if tag in NAMES else f"tag {tag}"


def shown(value: str) -> str:
    """A value as it may stand in an answer: short."""
    return value if len(value) <= 40 else f"{value[:40]}... ({len(value)} characters)"


def _value_fault(tag: int, value: str, rule: str) -> Refusal:
    return Refusal(
        reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
        tag=tag,
        text=f"{named(tag)} = {shown(value)}: {rule}",
    )


class Fields:
    """The fields of one message, by tag; repeating groups are read from `ordered`."""

    __slots__ = ("_ordered", "_text", "by_tag")

    def __init__(self, text: str, *, groups: bool = False) -> None:
        """groups: whether `ordered` will be asked for. Raises Refusal unless all is tag=value."""
        self._text = text
        self._ordered: Pairs | None = None
        try:
            if groups:
                self._ordered = fields_of(text)
            self.by_tag = dict(self._ordered) if self._ordered else fields_by_tag(text)
        except WireError as error:
            raise Refusal(
                reason_code=SessionRejectReason.INCORRECT_DATA_FORMAT, tag=0, text=str(error)
            ) from None

    @classmethod
    def of(cls, pairs: Pairs) -> "Fields":
        """Fields that were read before: those of one entry of a group."""
        return cls("".join([f"{tag}={value}{SOH}" for tag, value in pairs]), groups=True)

    @property
    def ordered(self) -> Pairs:
        """Every field in order."""
        if self._ordered is None:
            self._ordered = fields_of(self._text)
        return self._ordered

    def translated(self, translation: Callable[[Pairs], Pairs]) -> None:
        """Go on with what a dialect makes of the fields."""
        self._ordered = translation(self.ordered)
        self.by_tag = dict(self._ordered)

    def require(self, tags: Iterable[int]) -> None:
        """Raise Refusal for the first that is missing."""
        for tag in tags:
            self.text(tag)

    def refuse_repeats(self) -> None:
        """Raise Refusal where a tag that is no member of a group appears twice."""
        if len(self.by_tag) == self._text.count(SOH):
            return
        seen: set[int] = set()
        for tag, value in self.ordered:
            if tag in seen and tag not in _MEMBERS:
                raise Refusal(
                    reason_code=SessionRejectReason.TAG_APPEARS_MORE_THAN_ONCE,
                    tag=tag,
                    text=f"{named(tag)} = {shown(value)}: must appear once",
                )
            seen.add(tag)

    def text(self, tag: int, *, limit: int = MAX_ID_CHARACTERS) -> str:
        """A required text of printable characters. Raises Refusal."""
        value = self.by_tag.get(tag)
        if value is None:
            raise Refusal(
                reason_code=SessionRejectReason.REQUIRED_TAG_MISSING,
                tag=tag,
                text=f"{named(tag)}: required tag missing",
            )
        if value.isprintable() and 0 < len(value) <= limit:
            return value
        raise _text_fault(tag, value, limit)

    def optional_text(self, tag: int, *, limit: int = MAX_ID_CHARACTERS) -> str:
        """A text, empty where absent. Raises Refusal."""
        value = self.by_tag.get(tag)
        if value is None or (value.isprintable() and 0 < len(value) <= limit):
            return value or ""
        raise _text_fault(tag, value, limit)

    def remark(self, tag: int) -> str:
        """A text for people that never refuses its message: cut, and made printable."""
        return remark_of(self.by_tag.get(tag, ""))

    def decimal(self, tag: int) -> Decimal:
        """A required decimal. Raises Refusal."""
        value = self.text(tag)
        try:
            return parse_decimal(value)
        except ValueRefused as error:
            raise _decimal_fault(tag, value, error) from None

    def optional_decimal(self, tag: int) -> Decimal | None:
        """A decimal, None where absent. Raises Refusal."""
        value = self.by_tag.get(tag)
        if value is None:
            return None
        try:
            return parse_decimal(value)
        except ValueRefused as error:
            raise _decimal_fault(tag, value, error) from None

    def integer(self, tag: int, default: int = 0) -> int:
        """A whole number not below zero, `default` where absent. Raises Refusal."""
        value = self.by_tag.get(tag)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise Refusal(
                reason_code=SessionRejectReason.INCORRECT_DATA_FORMAT,
                tag=tag,
                text=f"{named(tag)} = {shown(value)}: must be a whole number",
            )
        return int(value)

    def choice(self, tag: int, kind: type[E]) -> E:
        """A required enumerated value. Raises Refusal."""
        found = kind._value2member_map_.get(self.by_tag.get(tag))
        # Only what is no member is worth the question why.
        return cast(E, found) if found is not None else _choice(tag, self.text(tag), kind)

    def optional_choice(self, tag: int, kind: type[E]) -> E | None:
        """An enumerated value, None where absent. Raises Refusal."""
        value = self.by_tag.get(tag)
        return None if value is None else _choice(tag, value, kind)

    def timestamp(self, tag: int) -> int:
        """A UTCTimestamp as a sequencer stamp, 0 where absent. Raises Refusal."""
        value = self.by_tag.get(tag)
        if value is None:
            return 0
        try:
            return parse_utc_timestamp(value)
        except WireError as error:
            raise Refusal(
                reason_code=SessionRejectReason.INCORRECT_DATA_FORMAT,
                tag=tag,
                text=f"{named(tag)} = {shown(value)}: {error}",
            ) from None

    def flag(self, tag: int) -> bool:
        """A Boolean, False where absent."""
        return self.by_tag.get(tag) == "Y"


def remark_of(text: str) -> str:
    """A counterparty's text for people: cut, and made printable."""
    value = text[:MAX_TEXT_CHARACTERS]
    if value.isprintable():
        return value
    return "".join(one if one.isprintable() else " " for one in value)


def _text_fault(tag: int, value: str, limit: int) -> Refusal:
    if not value:
        return Refusal(
            reason_code=SessionRejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE,
            tag=tag,
            text=f"{named(tag)}: specified without a value",
        )
    if len(value) > limit:
        return _value_fault(tag, value, f"must have at most {limit} characters")
    return _value_fault(tag, ascii(value), "must be printable text")


def _decimal_fault(tag: int, value: str, error: ValueRefused) -> Refusal:
    if isinstance(error, ValueOutOfRange):
        return _value_fault(tag, value, error.rule)
    return Refusal(
        reason_code=SessionRejectReason.INCORRECT_DATA_FORMAT,
        tag=tag,
        text=f"{named(tag)} = {shown(value)}: {error.rule}",
    )


def _choice(tag: int, value: str, kind: type[E]) -> E:
    found = kind._value2member_map_.get(value)
    if found is None:
        allowed = ", ".join(f"{one.value} ({one.name})" for one in kind)
        raise _value_fault(tag, value, f"must be one of {allowed}")
    return cast(E, found)


def unsupported(msg_type: str) -> Refusal:
    """The answer to a MsgType that this session does not serve."""
    return Refusal(
        business=True,
        reason_code=BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE,
        tag=35,
        text=f"MsgType (35) = {shown(msg_type)}: not supported here",
    )
