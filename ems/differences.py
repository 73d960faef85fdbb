"""What a venue says otherwise than we have it: each difference is a discrepancy, for people."""

from collections.abc import Iterator

from oms.domain.commands import ExecutionReport
from oms.domain.events import DiscrepancyFound, OrderInDoubt
from oms.domain.fix import ExecType, OrdType
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.values import decimal_text

# They tell of another quantity or price: that is their news.
_CHANGES = frozenset({ExecType.RESTATED, ExecType.REPLACED})


def differs(child: Order, field: str, ours: str, theirs: str) -> DiscrepancyFound:
    """Of one field, by its FIX name and tag."""
    return DiscrepancyFound(order_id=child.order_id, field=field, ours=ours, theirs=theirs)


def of_another_order(child: Order, report: ExecutionReport) -> Iterator[DiscrepancyFound]:
    """A symbol or a side that is not the order's; a status may name no symbol."""
    if report.symbol and report.symbol != child.symbol:
        yield differs(child, "Symbol (55)", child.symbol, report.symbol)
    if report.side is None or report.side.sign != child.side.sign:
        theirs = report.side.name if report.side else "another"
        yield differs(child, "Side (54)", child.side.name, theirs)


def taken_otherwise(child: Order, report: ExecutionReport) -> Iterator[DiscrepancyFound]:
    """What the venue's first word says of the order and is not what we sent; what is absent is no
    word.
    """
    yield from of_another_order(child, report)
    if report.exec_type in _CHANGES:
        return
    # Of a peg it is the price of the moment.
    price = None if child.ord_type is OrdType.PEGGED else report.price
    for field, ours, theirs in (
        ("OrderQty (38)", child.order_qty, report.order_qty),
        ("Price (44)", child.price, price),
    ):
        if ours is not None and theirs is not None and ours != theirs:
            yield differs(child, field, decimal_text(ours), decimal_text(theirs))


def sized_otherwise(child: Order, report: ExecutionReport) -> bool:
    """Whether the venue's first word names another quantity than we sent."""
    told = report.order_qty
    return told is not None and told != child.order_qty and report.exec_type not in _CHANGES


def more_to_tell(child: Order) -> OrderInDoubt:
    """One report, late perhaps, does not settle what the venue said of the whole order: it is asked
    again.
    """
    return OrderInDoubt(
        order_id=child.order_id,
        reason=Reason.VENUE_DISAGREES,
        text=f"{child.counterparty} may have more to tell",
    )


def told_otherwise(
    child: Order, booked: str, report: ExecutionReport
) -> Iterator[DiscrepancyFound]:
    """What is not the same in a trade told again; one amended since may come as it first was."""
    if booked != child.order_id:
        yield differs(child, "ExecID (17)", f"{report.exec_id} of {booked}", report.exec_id)
        return
    trade = child.executions.get((child.order_id, report.exec_id))
    if trade is None or trade.latest_exec_id != trade.exec_id:
        return
    for field, ours, theirs in (
        ("LastQty (32)", trade.last_qty, report.last_qty),
        ("LastPx (31)", trade.last_px, report.last_px),
    ):
        if theirs is not None and ours != theirs:
            was = f"{decimal_text(ours)} of {report.exec_id}"
            yield differs(child, field, was, decimal_text(theirs))
