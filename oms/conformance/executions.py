"""What a client has been told of trades, added up: AvgPx must say the same."""

from decimal import Decimal

from fix_sessions.light_session import Message
from oms.conformance.compare import Differs

ZERO = Decimal(0)
# AvgPx may be rounded, but not by more than this.
_ROUNDED = Decimal("0.0001")


class Executions:
    """The trades of one order by ExecID; corrections by the ExecID of what they correct."""

    def __init__(self) -> None:
        self._trades: dict[str, tuple[Decimal, Decimal]] = {}
        self._first: dict[str, str] = {}

    def take(self, step: str, told: Message, kind: str) -> None:
        """Book a report of ExecType `kind`; raises Differs where its AvgPx is not ours."""
        exec_id, ref = told.get(17) or "", told.get(19) or ""
        trade = self._first.get(ref, ref)
        if kind == "F":
            self._trades[exec_id] = _number(told, 32), _number(told, 31)
        elif kind in ("G", "H"):
            if trade not in self._trades:
                raise Differs(step, "ExecRefID (19)", "a trade told before", ref)
            self._first[exec_id] = trade
            del self._trades[trade]
            if kind == "G":
                self._trades[trade] = _number(told, 32), _number(told, 31)
        value = sum((quantity * price for quantity, price in self._trades.values()), ZERO)
        cum_qty, avg_px = _number(told, 14), _number(told, 6)
        # A split changes the quantities and not the value.
        expected = value / cum_qty if cum_qty else ZERO
        if abs(avg_px - expected) > _ROUNDED:
            raise Differs(step, "AvgPx (6)", f"{expected:.4f}", avg_px)


def _number(told: Message, tag: int) -> Decimal:
    return Decimal(told.get(tag) or 0)
