"""The end-of-day statements as CSV text: every trade, every order's last status; and their lies.

Both files have a header row, one row a record, and the trailer row `TRAILER,<number of records>`,
without which a file is cut off. Values are exact decimal text, times ISO 8601 in UTC.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from ems.simulator.model import SymbolSettings, Trade, VenueOrder
from oms.domain.fix import Side

TRAILER = "TRAILER"
TRADE_COLUMNS = (
    "exec_id",
    "cl_ord_id",
    "order_id",
    "symbol",
    "side",
    "last_qty",
    "last_px",
    "transact_time",
    "status",
)
ORDER_COLUMNS = (
    "cl_ord_id",
    "order_id",
    "symbol",
    "side",
    "order_qty",
    "price",
    "cum_qty",
    "leaves_qty",
    "ord_status",
)
KINDS = ("omit", "quantity", "price", "side", "duplicate", "extra", "unknown_order")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """One row of the trade file. exec_id is the trade's first ExecID; quantity and price are what
    stands now, and for a busted trade what stood last.
    """

    exec_id: str
    cl_ord_id: str
    order_id: str
    symbol: str
    side: str
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Falsification:
    """One lie of the trade file: the true row, and the rows that stand in its place."""

    kind: str
    exec_id: str
    true: TradeRow
    told: tuple[TradeRow, ...]


class Falsifier:
    """Which trades the trade file lies about, and how; one lie a trade."""

    def __init__(self, symbols: Iterable[SymbolSettings]) -> None:
        self._symbols = {item.symbol: item for item in symbols}
        self._kinds: dict[str, str] = {}
        self._waiting: list[tuple[str, int]] = []  # kind, and how many trades there were

    def order(self, kind: str, exec_id: str, trades: Mapping[str, Trade]) -> tuple[str, str]:
        """Ask for one lie; the rule that was broken or "", and the trade it is about if known."""
        if kind not in KINDS:
            return f"kind {kind!r} is none of {', '.join(KINDS)}", ""
        self._settle(trades)
        if exec_id:
            if exec_id not in trades or exec_id in self._kinds:
                return f"exec_id {exec_id!r}: no trade, or falsified already", ""
            self._kinds[exec_id] = kind
            return "", exec_id
        for known in reversed(list(trades)):
            if known not in self._kinds:
                self._kinds[known] = kind
                return "", known
        self._waiting.append((kind, len(trades)))
        return "", ""

    def done(self, trades: Mapping[str, Trade]) -> tuple[Falsification, ...]:
        """Every lie that the trade file tells now."""
        self._settle(trades)
        return tuple(
            Falsification(kind=kind, exec_id=exec_id, true=row, told=tuple(self._told(kind, row)))
            for exec_id, kind in self._kinds.items()
            for row in (trade_row(trades[exec_id]),)
        )

    def _settle(self, trades: Mapping[str, Trade]) -> None:
        """Give waiting lies the first trades that came after they were asked for."""
        if not self._waiting:
            return
        coming = list(trades)
        still: list[tuple[str, int]] = []
        for kind, seen in self._waiting:
            exec_id = next((item for item in coming[seen:] if item not in self._kinds), None)
            if exec_id is None:
                still.append((kind, seen))
            else:
                self._kinds[exec_id] = kind
        self._waiting = still

    def _told(self, kind: str, row: TradeRow) -> Iterator[TradeRow]:
        symbol = self._symbols[row.symbol]
        match kind:
            case "omit":
                return
            case "quantity":
                yield replace(row, last_qty=row.last_qty + symbol.lot)
            case "price":
                yield replace(row, last_px=row.last_px + symbol.tick)
            case "side":
                yield replace(row, side=Side.SELL if row.side == Side.BUY else Side.BUY)
            case "duplicate":
                yield row
                yield row
            case "extra":
                yield row
                yield replace(row, exec_id=f"{row.exec_id}-X")
            case _:
                yield row
                nobody = f"UNKNOWN-{row.order_id}"
                yield replace(row, exec_id=f"{row.exec_id}-U", order_id=nobody, cl_ord_id=nobody)


def trade_row(trade: Trade) -> TradeRow:
    """The true row of a trade."""
    return TradeRow(
        exec_id=trade.exec_id,
        cl_ord_id=trade.cl_ord_id,
        order_id=trade.order_id,
        symbol=trade.symbol,
        side=trade.side,
        last_qty=trade.last_qty,
        last_px=trade.last_px,
        transact_time=trade.transact_time,
        status=trade.status,
    )


def trade_file(trades: Iterable[Trade], falsifications: Iterable[Falsification], day: date) -> str:
    """The trades of one UTC date as CSV text, lies included."""
    lies = {item.exec_id: item.told for item in falsifications}
    rows: list[TradeRow] = []
    for trade in trades:
        if utc_date(trade.transact_time) == day:
            rows.extend(lies.get(trade.exec_id, (trade_row(trade),)))
    return _csv(TRADE_COLUMNS, (_trade_cells(row) for row in rows))


def order_file(orders: Iterable[VenueOrder], day: date) -> str:
    """The last status of every order that was entered or changed on one UTC date, as CSV text."""
    return _csv(
        ORDER_COLUMNS,
        (
            _order_cells(order)
            for order in orders
            if day in (utc_date(order.created_at), utc_date(order.changed_at))
        ),
    )


def utc_date(at: int) -> date:
    """The UTC date of microseconds since 1970."""
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC).date()


def iso_time(at: int) -> str:
    """Microseconds since 1970 as 2026-01-31T09:30:00.123456Z."""
    moment = datetime.fromtimestamp(at // 1_000_000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000_000:06d}Z"


def _trade_cells(row: TradeRow) -> tuple[str, ...]:
    return (
        row.exec_id,
        row.cl_ord_id,
        row.order_id,
        row.symbol,
        row.side,
        format(row.last_qty, "f"),
        format(row.last_px, "f"),
        iso_time(row.transact_time),
        row.status,
    )


def _order_cells(order: VenueOrder) -> tuple[str, ...]:
    return (
        order.cl_ord_id,
        order.order_id,
        order.symbol,
        order.side,
        format(order.order_qty, "f"),
        "" if order.price is None else format(order.price, "f"),
        format(order.cum_qty, "f"),
        format(order.leaves_qty, "f"),
        order.ord_status,
    )


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    writer.writerow((TRAILER, count))
    return out.getvalue()
