"""Orders: how each stands on both sides. What differing trades explain is not told a second time.

An order that is only asked to change (PENDING_CANCEL, PENDING_REPLACE) or in doubt counts as what
it was: working or closed. So the venue's word "working" settles nothing but contradicts nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from oms.domain.fix import OrdStatus
from oms.domain.values import ZERO, decimal_text
from oms.reconciliation.book import Book
from oms.reconciliation.breaks import Break, BreakKind
from oms.reconciliation.sides import OurOrder, TheirOrder, optional_text

_MOST_COMBINED = 12
_WORKING = frozenset(
    {
        OrdStatus.NEW,
        OrdStatus.PARTIALLY_FILLED,
        OrdStatus.STOPPED,
        OrdStatus.SUSPENDED,
        OrdStatus.PENDING_NEW,
        OrdStatus.PENDING_CANCEL,
        OrdStatus.PENDING_REPLACE,
        OrdStatus.REPLACED,
    }
)


def compare_orders(
    book: Book, differences: Mapping[str, Sequence[Decimal]], told: Iterable[Break]
) -> tuple[list[Break], int]:
    """Every break about orders, and how many orders either side has.

    differences: by order, what each trade that differs adds to their CumQty over ours. told: the
    breaks about trades; an order that they show to be unknown is not told again.
    """
    breaks: list[Break] = []
    checked = 0
    for order_id in sorted(book.orders):
        order = book.orders[order_id]
        rows = sorted(
            book.their_orders.get(order_id, ()),
            key=lambda row: (_differs(order, row), _content(row)),
        )
        if rows:
            checked += 1
            breaks += [_duplicate(order_id, row) for row in rows[1:]]
            breaks += _differences(order, rows[0], differences.get(order_id, ()))
        elif order.due:
            checked += 1
            breaks.append(_missing_there(order))
    strangers = list(_strangers(book, told))
    return breaks + strangers, checked + len({_key(row) for row in book.strangers})


def _strangers(book: Book, told: Iterable[Break]) -> Iterator[Break]:
    names = {one.cl_ord_id for one in told if one.kind is BreakKind.UNKNOWN_ORDER}
    seen: set[tuple[str, str]] = set()
    for row in sorted(book.strangers, key=_content):
        if _key(row) in seen:
            yield _duplicate("", row)
        elif not row.cl_ord_id or row.cl_ord_id not in names:
            evidence = {"their_order": row.evidence()}
            orphan = book.orphan_of("", row.cl_ord_id, row.order_id)
            if orphan is not None:
                evidence["our_report"] = orphan.evidence()
            yield Break(
                kind=BreakKind.UNKNOWN_ORDER,
                cl_ord_id=row.cl_ord_id,
                field="cl_ord_id",
                theirs=row.cl_ord_id or row.order_id,
                evidence=evidence,
            )
        seen.add(_key(row))


def _differences(order: OurOrder, row: TheirOrder, by_trades: Sequence[Decimal]) -> Iterator[Break]:
    pairs: list[tuple[BreakKind, str, str, str]] = []
    if order.side is not row.side:
        pairs.append((BreakKind.SIDE, "side", order.side.name, row.side.name))
    if order.symbol != row.symbol:
        pairs.append((BreakKind.SYMBOL, "symbol", order.symbol, row.symbol))
    if order.comparable:
        pairs += _state_differences(order, row, by_trades)
    for kind, field, ours, theirs in pairs:
        yield Break(
            kind=kind,
            order_id=order.order_id,
            cl_ord_id=row.cl_ord_id,
            field=field,
            ours=ours,
            theirs=theirs,
            evidence={"our_order": order.evidence(), "their_order": row.evidence()},
        )


def _state_differences(
    order: OurOrder, row: TheirOrder, by_trades: Sequence[Decimal]
) -> Iterator[tuple[BreakKind, str, str, str]]:
    if order.order_qty != row.order_qty:
        told = (decimal_text(order.order_qty), decimal_text(row.order_qty))
        yield BreakKind.QUANTITY, "order_qty", *told
    if order.price != row.price:
        yield BreakKind.PRICE, "price", optional_text(order.price), optional_text(row.price)
    cum_qty = order.cum_qty
    if row.cum_qty - order.cum_qty in _sums(by_trades):
        cum_qty = row.cum_qty
    else:
        told = (decimal_text(order.cum_qty), decimal_text(row.cum_qty))
        yield BreakKind.CUM_QTY, "cum_qty", *told
    ours = our_status(order, cum_qty)
    theirs = their_status(row)
    if ours is not theirs:
        yield BreakKind.STATUS, "ord_status", ours.name, theirs.name


def _sums(differences: Sequence[Decimal]) -> set[Decimal]:
    """What some of these come to. A trade may be missing in their trade file alone, so not all of
    the trades that differ need show in their order's CumQty.
    """
    found = {ZERO}
    for one in differences[:_MOST_COMBINED]:
        found |= {one + other for other in found}
    return found | {sum(differences, ZERO)}


def our_status(order: OurOrder, cum_qty: Decimal) -> OrdStatus:
    """How our order stands, with that CumQty, requests in flight aside."""
    if cum_qty >= order.order_qty:
        return OrdStatus.FILLED
    reopened = order.ord_status is OrdStatus.FILLED
    if order.is_open or reopened or order.ord_status in _WORKING:
        return OrdStatus.PARTIALLY_FILLED if cum_qty else OrdStatus.NEW
    return order.ord_status


def their_status(row: TheirOrder) -> OrdStatus:
    """How they say that it stands, requests in flight aside."""
    if row.ord_status not in _WORKING:
        return row.ord_status
    return OrdStatus.PARTIALLY_FILLED if row.cum_qty else OrdStatus.NEW


def _missing_there(order: OurOrder) -> Break:
    return Break(
        kind=BreakKind.MISSING_THERE,
        order_id=order.order_id,
        cl_ord_id=order.cl_ord_ids[0] if order.cl_ord_ids else "",
        field="cl_ord_id",
        ours=our_status(order, order.cum_qty).name,
        evidence={"our_order": order.evidence()},
    )


def _duplicate(order_id: str, row: TheirOrder) -> Break:
    return Break(
        kind=BreakKind.DUPLICATE,
        order_id=order_id,
        cl_ord_id=row.cl_ord_id,
        field="cl_ord_id",
        theirs=row.cl_ord_id or row.order_id,
        evidence={"their_order": row.evidence()},
    )


def _differs(order: OurOrder, row: TheirOrder) -> bool:
    said = (order.side, order.symbol, order.order_qty, order.price, order.cum_qty)
    heard = (row.side, row.symbol, row.order_qty, row.price, row.cum_qty)
    return said != heard or our_status(order, order.cum_qty) is not their_status(row)


def _content(row: TheirOrder) -> tuple[object, ...]:
    return (
        row.cl_ord_id,
        row.order_id,
        row.symbol,
        row.side,
        row.order_qty,
        ZERO if row.price is None else row.price,
        row.cum_qty,
        row.leaves_qty,
        row.ord_status,
        row.line,
    )


def _key(row: TheirOrder) -> tuple[str, str]:
    return row.cl_ord_id, "" if row.cl_ord_id else row.order_id
