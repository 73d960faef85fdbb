"""The comparison of a day: one pure function."""

from oms.reconciliation.book import Book
from oms.reconciliation.breaks import Break, BreakKind, Comparison
from oms.reconciliation.orders import compare_orders
from oms.reconciliation.sides import OurDispute, OurSide, TheirSide
from oms.reconciliation.trades import compare_trades


def _disputed(dispute: OurDispute) -> Break:
    """Both sides may have the same trade: its client does not have it."""
    return Break(
        kind=BreakKind.DISPUTED,
        order_id=dispute.order_id,
        exec_id=dispute.exec_id,
        field="DKReason (127)",
        theirs=dispute.dk_reason,
        evidence={"our_dispute": dispute.evidence()},
    )


def compare(ours: OurSide, theirs: TheirSide) -> Comparison:
    """Every break between our record and a venue's statement, in an order that rows do not change.

    The same two sides give the same breaks, whenever and however often they are compared.
    """
    book = Book(ours, theirs)
    found = compare_trades(book, theirs.trades)
    breaks, orders_checked = [*found.breaks, *map(_disputed, ours.disputes)], 0
    if theirs.orders is not None:
        more, orders_checked = compare_orders(book, found.differences, found.breaks)
        breaks += more
    return Comparison(
        breaks=tuple(sorted(breaks, key=lambda one: one.sort_key)),
        orders_checked=orders_checked,
        trades_checked=found.checked,
    )
