"""The morning restatement of good-till orders by their venue, held against ours."""

from collections.abc import Iterator

from oms.domain.commands import ExecutionReport
from oms.domain.events import DiscrepancyFound, Event, OrderInDoubt
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.values import decimal_text


def renewed(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """A good-till order as its venue has it on a new day, held against ours."""
    for field, ours, theirs in (
        ("OrderQty (38)", child.order_qty, report.order_qty),
        ("Price (44)", child.price, report.price),
        ("CumQty (14)", child.cum_qty, report.cum_qty),
        ("LeavesQty (151)", child.leaves_qty, report.leaves_qty),
    ):
        if theirs is not None and ours != theirs:
            told = "none" if ours is None else decimal_text(ours)
            yield DiscrepancyFound(
                order_id=child.order_id, field=field, ours=told, theirs=decimal_text(theirs)
            )
    lost = report.cum_qty != child.cum_qty and child.is_open
    if lost and not child.in_doubt:
        yield OrderInDoubt(
            order_id=child.order_id,
            reason=Reason.VENUE_DISAGREES,
            text=f"{child.counterparty} restates it with another CumQty",
        )
