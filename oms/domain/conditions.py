"""Conditions of an order beyond side, quantity, type, price and time in force.

A plain order has none, so that it costs nothing. What a venue can do of them is configured
(`Ability`); what it cannot do and we do not do in its place is refused before it leaves.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from oms.domain.fact import fact
from oms.domain.fix import ExecInst, OrdType, TimeInForce

PLAIN_TYPES = frozenset({OrdType.MARKET, OrdType.LIMIT})
PLAIN_TIMES = frozenset({TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK})


class Ability(StrEnum):
    """A condition that a venue may be able to take."""

    MIN_QTY = "MIN_QTY"
    MAX_FLOOR = "MAX_FLOOR"
    ALL_OR_NONE = "ALL_OR_NONE"
    NOT_HELD = "NOT_HELD"
    CANCEL_ON_SYSTEM_FAILURE = "CANCEL_ON_SYSTEM_FAILURE"
    PRIMARY_PEG = "PRIMARY_PEG"
    MIDPOINT_PEG = "MIDPOINT_PEG"
    REINSTATE_ON_TRADING_HALT = "REINSTATE_ON_TRADING_HALT"
    CANCEL_ON_TRADING_HALT = "CANCEL_ON_TRADING_HALT"
    CANCEL_IF_NOT_BEST = "CANCEL_IF_NOT_BEST"


# What an ExecInst needs of a venue. Not held is a liberty given to us, and a cancel when a session
# is lost is ours to do as well: a venue that has not got them is simply not told.
_NEEDED = {
    ExecInst.ALL_OR_NONE: Ability.ALL_OR_NONE,
    ExecInst.PRIMARY_PEG: Ability.PRIMARY_PEG,
    ExecInst.MIDPOINT_PEG: Ability.MIDPOINT_PEG,
    ExecInst.REINSTATE_ON_TRADING_HALT: Ability.REINSTATE_ON_TRADING_HALT,
    ExecInst.CANCEL_ON_TRADING_HALT: Ability.CANCEL_ON_TRADING_HALT,
    ExecInst.CANCEL_IF_NOT_BEST: Ability.CANCEL_IF_NOT_BEST,
}
_PASSED_ON = {
    ExecInst.NOT_HELD: Ability.NOT_HELD,
    ExecInst.CANCEL_ON_SYSTEM_FAILURE: Ability.CANCEL_ON_SYSTEM_FAILURE,
}
NAMES = {
    Ability.MIN_QTY: "MinQty (110)",
    Ability.MAX_FLOOR: "MaxFloor (111)",
    Ability.ALL_OR_NONE: "ExecInst (18) = G (ALL_OR_NONE)",
    Ability.PRIMARY_PEG: "ExecInst (18) = R (PRIMARY_PEG)",
    Ability.MIDPOINT_PEG: "ExecInst (18) = M (MIDPOINT_PEG)",
    Ability.REINSTATE_ON_TRADING_HALT: "ExecInst (18) = J (REINSTATE_ON_TRADING_HALT)",
    Ability.CANCEL_ON_TRADING_HALT: "ExecInst (18) = K (CANCEL_ON_TRADING_HALT)",
    Ability.CANCEL_IF_NOT_BEST: "ExecInst (18) = Z (CANCEL_IF_NOT_BEST)",
}
SINCE_FIX_44 = frozenset(
    {
        Ability.REINSTATE_ON_TRADING_HALT,
        Ability.CANCEL_ON_TRADING_HALT,
        Ability.CANCEL_IF_NOT_BEST,
    }
)
"""What a venue that speaks FIX 4.2 cannot be told."""
# By which of them an order ends at its venue, so that its rest goes to no other.
_ENDS_THERE = frozenset({ExecInst.CANCEL_ON_TRADING_HALT, ExecInst.CANCEL_IF_NOT_BEST})


@fact
class Conditions:
    """By FIX field: StopPx (99), ExpireTime (126) as a stamp, ExpireDate (432) in ISO, MinQty
    (110), MaxFloor (111), ExecInst (18), CashOrderQty (152), PegOffsetValue (211); 0, "" and None:
    not given. cash_px: the price at which cash was made a quantity, cash_px_source: whose it is.
    """

    stop_px: Decimal | None = None
    expire_time: int = 0
    expire_date: str = ""
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    exec_inst: tuple[ExecInst, ...] = ()
    cash_order_qty: Decimal | None = None
    peg_offset: Decimal | None = None
    cash_px: Decimal | None = None
    cash_px_source: str = ""

    @property
    def as_asked(self) -> "Conditions":
        """Without what we added."""
        return replace(self, cash_px=None, cash_px_source="") if self.cash_px else self

    def left(self, cum_qty: Decimal) -> "Conditions":
        """What still holds after trades of so much: MinQty is the whole order's, not its rest's."""
        if self.min_qty is None or cum_qty <= 0:
            return self
        return replace(self, min_qty=self.min_qty - cum_qty if cum_qty < self.min_qty else None)

    @property
    def ends_at_venue(self) -> bool:
        """Whether a cancel by the venue is what the order itself asks for."""
        return not _ENDS_THERE.isdisjoint(self.exec_inst)

    @property
    def needs(self) -> frozenset[Ability]:
        """What a venue must be able to do."""
        found = {_NEEDED[one] for one in self.exec_inst if one in _NEEDED}
        if self.min_qty is not None:
            found.add(Ability.MIN_QTY)
        if self.max_floor is not None:
            found.add(Ability.MAX_FLOOR)
        return frozenset(found)


def at_venue(
    conditions: Conditions,
    order_qty: Decimal,
    *,
    abilities: frozenset[Ability],
    ord_type: OrdType,
    time_in_force: TimeInForce,
) -> Conditions | None:
    """The conditions of a child of that quantity, type and time in force; None: there are none."""
    stops = ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
    until = time_in_force is TimeInForce.GTD
    told = Conditions(
        stop_px=conditions.stop_px if stops else None,
        expire_time=conditions.expire_time if until else 0,
        expire_date=conditions.expire_date if until else "",
        min_qty=None if conditions.min_qty is None else min(conditions.min_qty, order_qty),
        max_floor=None if conditions.max_floor is None else min(conditions.max_floor, order_qty),
        exec_inst=tuple(
            one
            for one in conditions.exec_inst
            if one not in _PASSED_ON or _PASSED_ON[one] in abilities
        ),
        peg_offset=conditions.peg_offset,
    )
    return told if told != Conditions() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """DayOrderQty (424), DayCumQty (425) and DayAvgPx (426) of a good-till order."""

    order_qty: Decimal
    cum_qty: Decimal
    avg_px: Decimal
