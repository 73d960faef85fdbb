"""What the three parties said at the end, and how a comparison is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from oms.demo.plan import PlannedOrder
from oms.demo.rest import RestOrder

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the summary: passed where no fault is listed."""

    name: str
    figure: str
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the three parties said at the end. clients: the books that each FIX session kept."""

    plan: Sequence[PlannedOrder]
    clients: Sequence[Row]
    rest: Sequence[RestOrder]
    tables: Mapping[str, Sequence[Row]]
    venues: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]

    def fix_orders(self) -> Iterator[Row]:
        """Every order in the books of the FIX clients."""
        for client in self.clients:
            yield from client["orders"]


def number(text: Any) -> Decimal | None:
    """A figure as a decimal; None where there is none."""
    return Decimal(text) if text not in (None, "") else None


def different(what: str, values: Mapping[str, tuple[Any, Any]], left: str, right: str) -> list[str]:
    return [
        f"{what}: {name}: {left} {shown(one)}, {right} {shown(other)}"
        for name, (one, other) in values.items()
        if one != other
    ]


def shown(value: Any) -> str:
    """A value as a fault shows it."""
    return format(value, "f") if isinstance(value, Decimal) else repr(value)
