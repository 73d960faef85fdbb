"""The comparison of a day: one pure function."""

from oms.reconciliation.book import Book
from oms.reconciliation.breaks import Comparison
from oms.reconciliation.orders import compare_orders
from oms.reconciliation.sides import OurSide, TheirSide
from oms.reconciliation.trades import compare_trades


def compare(ours: OurSide, theirs: TheirSide) -> Comparison:
    """Every break between our record and a venue's statement, in an order that rows do not change.

    The same two sides give the same breaks, whenever and however often they are compared.
    """
    book = Book(ours, theirs)
    found = compare_trades(book, theirs.trades)
    breaks, orders_checked = list(found.breaks), 0
    if theirs.orders is not None:
        more, orders_checked = compare_orders(book, found.differences, found.breaks)
        breaks += more
    return Comparison(
        breaks=tuple(sorted(breaks, key=lambda one: one.sort_key)),
        orders_checked=orders_checked,
        trades_checked=found.checked,
    )
