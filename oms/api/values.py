"""Kinds of field in requests and answers. Amounts are decimal strings both ways, never floats."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

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

from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
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

PRINTABLE = r"^[!-~]([ -~]*[!-~])?$"
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
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="why, for the record",
        examples=["client asked by telephone, ticket 4711"],
    ),
]


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
OrdStatusName = Annotated[OrdStatus, ByName(OrdStatus)]
SideShown = Annotated[Side, ByName(Side, wire=True)]
OrdTypeShown = Annotated[OrdType, ByName(OrdType, wire=True)]
TimeInForceShown = Annotated[TimeInForce, ByName(TimeInForce, wire=True)]
OrdStatusShown = Annotated[OrdStatus, ByName(OrdStatus, wire=True)]
ExecTypeShown = Annotated[ExecType, ByName(ExecType, wire=True)]
