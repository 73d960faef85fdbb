"""Breaks: what the two sides do not agree on, each with the evidence of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made_of
from enum import StrEnum

from oms.reconciliation.sides import Evidence


class BreakKind(StrEnum):
    """What is wrong. With an exec_id it is about a trade, without one about an order."""

    MISSING_HERE = "MISSING_HERE"
    MISSING_THERE = "MISSING_THERE"
    QUANTITY = "QUANTITY"
    PRICE = "PRICE"
    SIDE = "SIDE"
    SYMBOL = "SYMBOL"
    DUPLICATE = "DUPLICATE"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    STATUS = "STATUS"
    CUM_QTY = "CUM_QTY"
    DISPUTED = "DISPUTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One difference. order_id: our child order, empty where we know none; field: what differs.

    evidence: our_trade, their_trade, our_order, their_order, our_report, our_dispute, as far as
    there are such; our rows with their journal number, theirs with their line.
    """

    kind: BreakKind
    order_id: str = ""
    cl_ord_id: str = ""
    exec_id: str = ""
    field: str = ""
    ours: str = ""
    theirs: str = ""
    evidence: Mapping[str, Evidence] = made_of(default_factory=dict)

    @property
    def sort_key(self) -> tuple[str, ...]:
        """The order of breaks in a run; does not depend on the order of rows."""
        return (
            self.order_id,
            self.cl_ord_id,
            self.exec_id,
            self.kind.value,
            self.field,
            self.ours,
            self.theirs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison came to. Checked: what either side has, each trade and order once."""

    breaks: tuple[Break, ...]
    orders_checked: int
    trades_checked: int
