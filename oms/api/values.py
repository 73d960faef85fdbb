"""Kinds of field in requests and answers. Amounts are decimal strings both ways, never floats."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from oms.domain.fix import ExecInst, ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.values import ValueRefused, decimal_text, parse_decimal

_DECIMAL_SCHEMA = {
    "type": "string",
    "pattern": r"^-?([0-9]{1,15}(\.[0-9]{0,10})?|\.[0-9]{1,10})$",
    "examples": ["100.25"],
}


def _amount(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be a decimal number in a string, as a JSON number loses digits")  # noqa: TRY004
    # A whole number in JSON is exact; one with thousands of digits is refused before it is text.
    if isinstance(value, int) and abs(value) >= 10**20:
        raise ValueError("has too many digits")
    try:
        return parse_decimal(str(value))
    except ValueRefused as refused:
        # The document names field and value by itself: only the rule is needed.
        raise ValueError(refused.rule) from None


Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    PlainSerializer(decimal_text, return_type=str),
    WithJsonSchema(_DECIMAL_SCHEMA),
]

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def _day(value: Any) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("must be a date, as 2026-11-20")


def _moment(value: Any) -> datetime:
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("must be a moment with its zone, as 2026-11-20T10:00:00Z")


def _flag(value: Any) -> bool:
    if value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return bool(value == "true")


# Only the one way to write each: a number is not taken for seconds since 1970, nor 1 for true.
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-20"]}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-20T10:00:00Z"]}),
]
Flag = Annotated[bool, BeforeValidator(_flag)]
"""Of a query, where all is text; a body has JSON's own true and false."""

PRINTABLE: Final = r"^[!-~]([ -~]*[!-~])?$"
GRAPHIC: Final = r"^[!-~]*$"
ONE_LINE: Final = r"^[^\x00-\x1f\x7f]+$"
ASCII_LINE: Final = r"^[ -~]*$"
CURSOR: Final = r"^[A-Za-z0-9_-]*$"
NUMBER: Final = r"^[0-9]{0,18}$"
PATTERNS: Final = {
    PRINTABLE: "must be printable ASCII characters, the first and the last no blank",
    GRAPHIC: "must be printable ASCII characters without blanks",
    ONE_LINE: "must be one line of text without control characters",
    ASCII_LINE: "must be printable ASCII characters",
    CURSOR: "must be the `next` of a page of this list",
    NUMBER: "must be a whole number of at most 18 digits",
}
"""What each pattern asks for, in words."""

ClOrdId = Annotated[
    str,
    Field(
        pattern=PRINTABLE,
        max_length=64,
        description="ClOrdID (11): yours, unique in your FIX and REST requests of a trading day",
        examples=["A-20261121-0001"],
    ),
]
ShortText = Annotated[str, Field(pattern=PRINTABLE, max_length=64)]
Reasoning = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        pattern=ONE_LINE,
        description="why, for the record",
        examples=["client asked by telephone, ticket 4711"],
    ),
]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text that must be one of these."""

    names: tuple[str, ...]

    def read(self, value: Any) -> str:
        """The text. Raises ValueError with the names."""
        if value not in self.names:
            raise ValueError(f"must be one of {', '.join(self.names)}")
        return str(value)

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.names)}


@dataclass(frozen=True, slots=True)
class ByName:
    """A FIX enumeration that JSON carries by its member's name. wire: read from a wire value."""

    kind: type[StrEnum]
    wire: bool = False

    def read(self, value: Any) -> StrEnum:
        """The member of that name (or wire value). Raises ValueError with the names."""
        if isinstance(value, self.kind):
            return value
        if self.wire:
            return self.kind(value)
        found = self.kind.__members__.get(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"must be one of {', '.join(self.kind.__members__)}")
        return found

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        shown = core_schema.plain_serializer_function_ser_schema(
            lambda one: one.name, return_schema=core_schema.str_schema()
        )
        return core_schema.no_info_plain_validator_function(self.read, serialization=shown)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.kind.__members__)}


SideName = Annotated[Side, ByName(Side)]
OrdTypeName = Annotated[OrdType, ByName(OrdType)]
TimeInForceName = Annotated[TimeInForce, ByName(TimeInForce)]
StatusName = Annotated[str, OneOf((*OrdStatus.__members__, "UNKNOWN"))]
RunState = Annotated[str, OneOf(("running", "done", "failed"))]
SideShown = Annotated[Side, ByName(Side, wire=True)]
OrdTypeShown = Annotated[OrdType, ByName(OrdType, wire=True)]
ExecInstName = Annotated[ExecInst, ByName(ExecInst)]
ExecInstShown = Annotated[ExecInst, ByName(ExecInst, wire=True)]
ExecInstsShown = Annotated[
    tuple[ExecInstShown, ...], BeforeValidator(lambda text: (text or "").split())
]
"""Of the table's text, each value separated by a blank."""
TimeInForceShown = Annotated[TimeInForce, ByName(TimeInForce, wire=True)]
OrdStatusShown = Annotated[OrdStatus, ByName(OrdStatus, wire=True)]
ExecTypeShown = Annotated[ExecType, ByName(ExecType, wire=True)]
