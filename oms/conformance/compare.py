"""A message against what a row says of it: the first field that differs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from fix_sessions.light_session import Message
from oms.conformance.matrix import Row
from oms.conformance.scope import Entry

NAMES = {
    6: "AvgPx",
    11: "ClOrdID",
    14: "CumQty",
    17: "ExecID",
    18: "ExecInst",
    19: "ExecRefID",
    20: "ExecTransType",
    31: "LastPx",
    32: "LastQty",
    35: "MsgType",
    37: "OrderID",
    38: "OrderQty",
    39: "OrdStatus",
    40: "OrdType",
    41: "OrigClOrdID",
    44: "Price",
    54: "Side",
    55: "Symbol",
    59: "TimeInForce",
    97: "PossResend",
    99: "StopPx",
    102: "CxlRejReason",
    103: "OrdRejReason",
    150: "ExecType",
    151: "LeavesQty",
    152: "CashOrderQty",
    378: "ExecRestatementReason",
    424: "DayOrderQty",
    425: "DayCumQty",
    434: "CxlRejResponseTo",
    636: "WorkingIndicator",
}
TAGS = {name: tag for tag, name in NAMES.items()}
_NUMBERS = frozenset({6, 14, 31, 32, 38, 44, 99, 151, 152, 424, 425})
# A report that is no trade may say LastQty 0 or leave it out.
_ABSENT_IS_ZERO = frozenset({32})

Value = str | Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one field must say; None: the field must be absent or empty."""

    tag: int
    value: Value


class Differs(Exception):
    """A row is not what was said: the step, the field, what the standard has and what came."""

    def __init__(self, step: str, field: str, expected: object, found: object) -> None:
        super().__init__(f"step {step}: {field}: expected {_shown(expected)}, got {_shown(found)}")
        self.step = step
        self.field = field


class Allowed:
    """What the table of deviations says of one scenario's rows, other than refusals (alt)."""

    def __init__(self, found: Sequence[Entry]) -> None:
        self._skipped = frozenset(step for one in found for step in one.steps)
        self.then = {
            step: [Wanted(tag=tag, value=value) for tag, value in fields.items()]
            for one in found
            for step, fields in one.then.items()
        }
        self._instead = {
            (step, tag): value
            for one in found
            for step, fields in one.instead.items()
            for tag, value in fields.items()
        }

    def skips(self, row: Row) -> bool:
        """Whether the row is passed over."""
        return row.step in self._skipped and row.branch != "alt"

    def instead(self, row: Row, wanted: Sequence[Wanted]) -> list[Wanted]:
        """What the fields of that row must say, where the table has another value."""
        if row.branch == "alt":
            return list(wanted)
        return [
            replace(one, value=self._instead.get((row.step, one.tag), one.value)) for one in wanted
        ]


def field_name(tag: int) -> str:
    """The field as error texts name it."""
    return f"{NAMES[tag]} ({tag})" if tag in NAMES else f"tag {tag}"


def compare(row: Row, message: Message, wanted: Sequence[Wanted]) -> None:
    """Raises Differs at the first field of the message that is not as wanted."""
    for one in wanted:
        found = message.msg_type if one.tag == 35 else message.get(one.tag)
        if not _same(one, found):
            raise Differs(row.step, field_name(one.tag), one.value, found)


def _same(wanted: Wanted, found: str | None) -> bool:
    if wanted.value is None:
        return not found
    if wanted.tag not in _NUMBERS:
        return found == wanted.value
    if found is None and wanted.tag in _ABSENT_IS_ZERO:
        found = "0"
    return found is not None and _number(found) == _number(wanted.value)


def _number(text: str | Decimal) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
