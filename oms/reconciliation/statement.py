"""A venue's statement as CSV text: strict, so that what is cut off or strange is no statement.

A header row, one row a record, and the trailer row `TRAILER,<number of records>` as the last line.
Values are decimal text without exponent, times ISO 8601 in UTC ("2026-01-31T09:30:00.123456Z").
"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar

from oms.domain.fix import OrdStatus, Side
from oms.domain.values import ValueRefused, micros, parse_decimal
from oms.reconciliation.sides import TheirOrder, TheirTrade, TradeStatus

TRAILER: Final = "TRAILER"
TRADE_COLUMNS: Final = (
    *("exec_id", "cl_ord_id", "order_id", "symbol", "side"),
    *("last_qty", "last_px", "transact_time", "status"),
)
ORDER_COLUMNS: Final = (
    *("cl_ord_id", "order_id", "symbol", "side"),
    *("order_qty", "price", "cum_qty", "leaves_qty", "ord_status"),
)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,12}", re.ASCII)
_E = TypeVar("_E", bound=Enum)


FIRST_DAY: Final = date(2000, 1, 1)


class StatementError(ValueError):
    """A text that is no complete statement; names line, field, value and rule."""


def fault_of_day(day: date, today: date) -> str:
    """Why there can be no statement of that day, empty where there can; today: the UTC date."""
    if FIRST_DAY <= day <= today:
        return ""
    return f"must be from {FIRST_DAY} to today, {today} (UTC)"


def parse_trades(text: str, day: date) -> tuple[TheirTrade, ...]:
    """The trades of that UTC date. Raises StatementError, also for a trade of another date."""
    found = []
    for row in _rows(text, TRADE_COLUMNS):
        at = row.time("transact_time")
        if at.date() != day:
            raise row.fault("transact_time", f"must be on {day}")
        found.append(
            TheirTrade(
                line=row.line,
                exec_id=row.text("exec_id"),
                cl_ord_id=row.name("cl_ord_id"),
                order_id=row.value("order_id"),
                symbol=row.text("symbol"),
                side=row.member("side", Side),
                last_qty=row.number("last_qty", positive=True),
                last_px=row.number("last_px", positive=True),
                transact_time=micros(at),
                status=row.member("status", TradeStatus),
            )
        )
    return tuple(found)


def parse_orders(text: str) -> tuple[TheirOrder, ...]:
    """The orders of a day. Raises StatementError."""
    found = []
    for row in _rows(text, ORDER_COLUMNS):
        price = row.value("price")
        found.append(
            TheirOrder(
                line=row.line,
                cl_ord_id=row.name("cl_ord_id"),
                order_id=row.value("order_id"),
                symbol=row.text("symbol"),
                side=row.member("side", Side),
                order_qty=row.number("order_qty"),
                price=row.number("price", positive=True) if price else None,
                cum_qty=row.number("cum_qty"),
                leaves_qty=row.number("leaves_qty"),
                ord_status=row.member("ord_status", OrdStatus),
            )
        )
    return tuple(found)


class _Row:
    """One record by column."""

    def __init__(self, line: int, columns: tuple[str, ...], cells: list[str]) -> None:
        self.line = line
        if len(cells) != len(columns):
            raise StatementError(f"line {line}: {len(cells)} fields: must be {len(columns)}")
        self._cells = dict(zip(columns, cells, strict=True))

    def fault(self, column: str, rule: str) -> StatementError:
        """What is wrong with a cell."""
        return StatementError(f"line {self.line}: {column} = {self._cells[column][:60]!r}: {rule}")

    def value(self, column: str) -> str:
        return self._cells[column]

    def text(self, column: str) -> str:
        if not self._cells[column]:
            raise self.fault(column, "must not be empty")
        return self._cells[column]

    def name(self, column: str) -> str:
        """The order's ClOrdID, which may be empty where the venue's OrderID is not."""
        if not self._cells[column] and not self._cells["order_id"]:
            raise self.fault(column, "must not be empty where order_id is")
        return self._cells[column]

    def number(self, column: str, *, positive: bool = False) -> Decimal:
        try:
            found = parse_decimal(self._cells[column])
        except ValueRefused as refused:
            raise self.fault(column, refused.rule) from None
        if found < 0 or (positive and not found):
            raise self.fault(column, "must be above 0" if positive else "must not be negative")
        return found

    def time(self, column: str) -> datetime:
        text = self._cells[column]
        if not _TIME.fullmatch(text):
            raise self.fault(column, "must be a UTC time like 2026-01-31T09:30:00.123456Z")
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            raise self.fault(column, "must be a time that exists") from None

    def member(self, column: str, kind: type[_E]) -> _E:
        try:
            return kind(self._cells[column])
        except ValueError:
            known = ", ".join(str(one.value) for one in kind)
            raise self.fault(column, f"must be one of {known}") from None


def _rows(text: str, columns: tuple[str, ...]) -> Iterator[_Row]:
    if not text.endswith("\n"):
        raise StatementError("the last line has no end: the file is cut off")
    if "\0" in text:
        raise StatementError("a NUL character: must be text")
    lines = text.removesuffix("\n").split("\n")
    reader = csv.reader((line.removesuffix("\r") for line in lines), strict=True)
    cells: list[list[str]] = []
    try:
        for row in reader:
            if reader.line_num != len(cells) + 1:
                raise StatementError(f"line {len(cells) + 1}: a field goes on over the line's end")
            cells.append(row)
    except csv.Error as error:
        raise StatementError(f"line {len(cells) + 1}: must be CSV: {error}") from None
    if tuple(cells[0]) != columns:
        raise StatementError(f"line 1: must be the header {','.join(columns)}")
    last = cells[-1]
    if len(cells) < 2 or last[:1] != [TRAILER]:
        raise StatementError(f"line {len(cells)}: no {TRAILER} row: the file is cut off")
    records = cells[1:-1]
    if len(last) != 2 or not _COUNT.fullmatch(last[1]) or int(last[1]) != len(records):
        told = ",".join(last)[:60]
        raise StatementError(f"line {len(cells)}: {told!r}: must count {len(records)} records")
    for line, one in enumerate(records, start=2):
        if one[:1] == [TRAILER]:
            raise StatementError(f"line {line}: a {TRAILER} row before the end")
        yield _Row(line, columns, one)
