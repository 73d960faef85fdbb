"""Trades: each of theirs finds ours by ExecID and order; what is left over or differs is a break.

A trade that is busted on one side only is a difference of status. One that is busted on both, or
on the only side that has it, moves nothing and is none. Rows that say the same trade again are
duplicates; which of several rows is compared depends on what they say, not on where they stand.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from oms.domain.values import ZERO, decimal_text
from oms.reconciliation.book import Book
from oms.reconciliation.breaks import Break, BreakKind
from oms.reconciliation.sides import Evidence, OurOrder, OurTrade, TheirTrade


@dataclass(slots=True, kw_only=True)
class TradeFindings:
    """breaks, and by child order what each differing trade adds to their CumQty over ours."""

    breaks: list[Break] = field(default_factory=list)
    differences: dict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    checked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Rows that name one trade: of one ExecID and one order, ours where we know it."""

    exec_id: str
    order: OurOrder | None
    rows: list[TheirTrade]


def compare_trades(book: Book, theirs: tuple[TheirTrade, ...]) -> TradeFindings:
    """Every break about trades."""
    found = TradeFindings()
    paired: set[tuple[str, str]] = set()
    groups = _groups(book, theirs)
    for group in sorted(groups, key=lambda one: one.order is None):
        ours = _counterpart(book, group, paired)
        rows = sorted(group.rows, key=lambda row: (_differs(ours, row), _content(row)))
        found.checked += 1
        found.breaks += [_duplicate(group, ours, row) for row in rows[1:]]
        if ours is not None:
            paired.add((ours.exec_id, ours.order_id))
        found.breaks += _judge(book, group, ours, rows[0])
        if ours is not None or group.order is not None:
            order_id = ours.order_id if ours is not None else rows_order_id(group)
            more = _counted(rows[0]) - _counted(ours)
            if more:
                found.differences[order_id].append(more)
    for trade in book.trades:
        if trade.due and (trade.exec_id, trade.order_id) not in paired:
            found.checked += 1
            if not trade.busted:
                found.breaks.append(_missing_there(book, trade))
                found.differences[trade.order_id].append(-trade.last_qty)
    return found


def rows_order_id(group: _Group) -> str:
    """Our order that the rows are about, empty where we know none."""
    return group.order.order_id if group.order is not None else ""


def _groups(book: Book, theirs: tuple[TheirTrade, ...]) -> list[_Group]:
    found: dict[tuple[str, str, str], _Group] = {}
    for row in theirs:
        order = book.order_of(row.cl_ord_id, row.order_id)
        named = ("", order.order_id) if order else (row.cl_ord_id, row.order_id)
        key = (row.exec_id, *named)
        if key not in found:
            found[key] = _Group(exec_id=row.exec_id, order=order, rows=[])
        found[key].rows.append(row)
    return [found[key] for key in sorted(found)]


def _counterpart(book: Book, group: _Group, paired: set[tuple[str, str]]) -> OurTrade | None:
    """Our trade; where the rows' order is unknown, the only one of that ExecID that is left."""
    known = [
        trade
        for trade in book.trades_of(group.exec_id)
        if (trade.exec_id, trade.order_id) not in paired
    ]
    if group.order is None:
        return known[0] if len(known) == 1 else None
    named = (one for one in known if one.order_id == group.order.order_id)
    return next(named, None) or _copied(book, group, paired)


def _copied(book: Book, group: _Group, paired: set[tuple[str, str]]) -> OurTrade | None:
    """Our trade of the same figures that only a drop copy told, under another ExecID: the nearest
    in time.
    """
    row = group.rows[0]
    found = [
        trade
        for trade in book.trades
        if trade.copied
        and (trade.exec_id, trade.order_id) not in paired
        and group.order is not None
        and trade.order_id == group.order.order_id
        and (trade.side, trade.last_qty, trade.last_px) == (row.side, row.last_qty, row.last_px)
    ]
    at = row.transact_time
    return min(found, key=lambda trade: abs(trade.transact_time - at), default=None)


def _judge(book: Book, group: _Group, ours: OurTrade | None, row: TheirTrade) -> Iterator[Break]:
    if group.order is None:
        yield _unknown_order(book, ours, row)
    if ours is not None:
        yield from _differences(book, ours, row)
    elif group.order is not None and not row.busted:
        yield Break(
            kind=BreakKind.MISSING_HERE,
            order_id=group.order.order_id,
            cl_ord_id=row.cl_ord_id,
            exec_id=row.exec_id,
            theirs=_told(row),
            evidence={"their_trade": row.evidence(), **book.order_evidence(group.order.order_id)},
        )


def _differences(book: Book, ours: OurTrade, row: TheirTrade) -> Iterator[Break]:
    if ours.busted and row.busted:
        return
    pairs: list[tuple[BreakKind, str, str, str]] = []
    if ours.busted != row.busted:
        status = "BUSTED" if ours.busted else "BOOKED"
        pairs.append((BreakKind.STATUS, "status", status, row.status.value))
    else:
        if ours.side is not row.side:
            pairs.append((BreakKind.SIDE, "side", ours.side.name, row.side.name))
        if ours.symbol != row.symbol:
            pairs.append((BreakKind.SYMBOL, "symbol", ours.symbol, row.symbol))
        if ours.last_qty != row.last_qty:
            told = (decimal_text(ours.last_qty), decimal_text(row.last_qty))
            pairs.append((BreakKind.QUANTITY, "last_qty", *told))
        if ours.last_px != row.last_px:
            told = (decimal_text(ours.last_px), decimal_text(row.last_px))
            pairs.append((BreakKind.PRICE, "last_px", *told))
    for kind, name, said, heard in pairs:
        yield Break(
            kind=kind,
            order_id=ours.order_id,
            cl_ord_id=row.cl_ord_id,
            exec_id=ours.exec_id,
            field=name,
            ours=said,
            theirs=heard,
            evidence=_both(book, ours, row),
        )


def _unknown_order(book: Book, ours: OurTrade | None, row: TheirTrade) -> Break:
    evidence = {"their_trade": row.evidence()}
    if ours is not None:
        evidence = _both(book, ours, row)
    orphan = book.orphan_of(row.exec_id, row.cl_ord_id, row.order_id)
    if orphan is not None:
        evidence["our_report"] = orphan.evidence()
    their_order = book.their_order_of(row.cl_ord_id, row.order_id)
    if their_order is not None:
        evidence["their_order"] = their_order.evidence()
    return Break(
        kind=BreakKind.UNKNOWN_ORDER,
        order_id=ours.order_id if ours is not None else "",
        cl_ord_id=row.cl_ord_id,
        exec_id=row.exec_id,
        field="cl_ord_id",
        ours=ours.order_id if ours is not None else "",
        theirs=row.cl_ord_id or row.order_id,
        evidence=evidence,
    )


def _duplicate(group: _Group, ours: OurTrade | None, row: TheirTrade) -> Break:
    evidence = {"their_trade": row.evidence()}
    if ours is not None:
        evidence["our_trade"] = ours.evidence()
    return Break(
        kind=BreakKind.DUPLICATE,
        order_id=rows_order_id(group),
        cl_ord_id=row.cl_ord_id,
        exec_id=row.exec_id,
        field="exec_id",
        theirs=_told(row),
        evidence=evidence,
    )


def _missing_there(book: Book, trade: OurTrade) -> Break:
    return Break(
        kind=BreakKind.MISSING_THERE,
        order_id=trade.order_id,
        cl_ord_id=book.name_of(trade.order_id),
        exec_id=trade.exec_id,
        ours=f"{trade.side.name} {decimal_text(trade.last_qty)} {trade.symbol}"
        f" @ {decimal_text(trade.last_px)}",
        evidence={"our_trade": trade.evidence(), **book.order_evidence(trade.order_id)},
    )


def _both(book: Book, ours: OurTrade, row: TheirTrade) -> dict[str, Evidence]:
    return {
        "our_trade": ours.evidence(),
        "their_trade": row.evidence(),
        **book.order_evidence(ours.order_id),
    }


def _told(row: TheirTrade) -> str:
    return (
        f"{row.side.name} {decimal_text(row.last_qty)} {row.symbol} @ {decimal_text(row.last_px)}"
    )


def _differs(ours: OurTrade | None, row: TheirTrade) -> bool:
    if ours is None:
        return False
    said = (ours.side, ours.symbol, ours.last_qty, ours.last_px, ours.busted)
    return said != (row.side, row.symbol, row.last_qty, row.last_px, row.busted)


def _content(row: TheirTrade) -> tuple[object, ...]:
    """What orders rows of one trade: all that they say."""
    return (
        row.status,
        row.symbol,
        row.side,
        row.last_qty,
        row.last_px,
        row.transact_time,
        row.cl_ord_id,
        row.order_id,
        row.line,
    )


def _counted(trade: OurTrade | TheirTrade | None) -> Decimal:
    """What the trade adds to its order's CumQty."""
    return ZERO if trade is None or trade.busted else trade.last_qty
