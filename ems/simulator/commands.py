"""What a venue is told: client requests, fault switches and operator decisions, with a JSON form.

Quantities and prices are exact decimals; enumerated FIX fields stay wire text, because a venue has
to answer values that it does not support. The JSON form is what the venue's log holds.
"""

import typing
from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """NewOrderSingle (D) of one counterparty (`owner`, its CompID).

    expire_time: microseconds since 1970 UTC, 0 for none; expire_date as FIX has it: 20261231.
    """

    owner: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    order_qty: Decimal
    price: Decimal | None = None
    time_in_force: str = "0"
    account: str = ""
    poss_resend: bool = False
    stop_px: Decimal | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    exec_inst: str = ""
    expire_time: int = 0
    expire_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """OrderCancelRequest (F)."""

    owner: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: str
    poss_resend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceOrder:
    """OrderCancelReplaceRequest (G); a new OrderQty and Price for a limit order."""

    owner: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    order_qty: Decimal
    price: Decimal | None = None
    poss_resend: bool = False
    stop_px: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkPrices:
    """Time for every reference price to take one random step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireDay:
    """The trading day is over: orders for the close trade, those of the day expire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFault:
    """Set one switch of faults.Faults, counts and milliseconds as numbers, on/off as 1/0."""

    name: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BustTrade:
    """Undo a trade, both sides of it; an empty exec_id means the last one."""

    exec_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectTrade:
    """Give a trade another quantity or price, on both sides; empty means the last trade."""

    exec_id: str = ""
    last_qty: Decimal | None = None
    last_px: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnsolicited:
    """Cancel a working order that nobody asked to cancel; empty means the one entered last."""

    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitShares:
    """Make new_shares of old_shares of a symbol: orders at work are re-based and restated."""

    symbol: str
    new_shares: int
    old_shares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepriceOrder:
    """Give a working order another price unasked; an empty order_id means the one entered last."""

    price: Decimal
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnknownFill:
    """Report to `owner` the fill of an order that `owner` never sent."""

    owner: str
    symbol: str
    side: str
    last_qty: Decimal
    last_px: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Falsify:
    """Make the trade file lie about one trade: see statements.KINDS.

    An empty exec_id means the last trade that the file still tells truly, or the next one to come.
    """

    kind: str
    exec_id: str = ""


Command = (
    NewOrder
    | CancelOrder
    | ReplaceOrder
    | WalkPrices
    | ExpireDay
    | SetFault
    | BustTrade
    | CorrectTrade
    | CancelUnsolicited
    | SplitShares
    | RepriceOrder
    | ReportUnknownFill
    | Falsify
)

_CLASSES: dict[str, type[Command]] = {cls.__name__: cls for cls in typing.get_args(Command)}
_DECIMALS: dict[str, frozenset[str]] = {
    name: frozenset(
        key for key, hint in typing.get_type_hints(cls).items() if "Decimal" in str(hint)
    )
    for name, cls in _CLASSES.items()
}
_FIELDS: dict[type, tuple[str, ...]] = {
    cls: tuple(field.name for field in fields(cls)) for cls in _CLASSES.values()
}


def command_to_json(command: Command) -> dict[str, object]:
    """The command as JSON values; decimals as text."""
    kind = type(command)
    document: dict[str, object] = {"type": kind.__name__}
    for name in _FIELDS[kind]:
        value = getattr(command, name)
        document[name] = format(value, "f") if isinstance(value, Decimal) else value
    return document


def command_from_json(document: dict[str, object]) -> Command:
    """The command that command_to_json wrote; raises ValueError for anything else."""
    values = dict(document)
    name = str(values.pop("type", ""))
    cls = _CLASSES.get(name)
    if cls is None:
        message = f"type {name!r} is no venue command"
        raise ValueError(message)
    for key in _DECIMALS[name]:
        value = values.get(key)
        if value is not None:
            values[key] = Decimal(str(value))
    try:
        return cls(**values)  # type: ignore[arg-type]
    except TypeError as error:
        message = f"{name}: {error}"
        raise ValueError(message) from None
