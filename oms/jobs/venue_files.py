"""A venue's files of the day, read whole; what cannot be read, or is no statement, is told."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from oms.reconciliation.sides import TheirSide
from oms.reconciliation.statement import StatementError, parse_orders, parse_trades

MAX_BYTES: Final = 1 << 30


class NoStatement(Exception):
    """There is no statement to compare with; the message names the file and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a venue's statement of a day stands; orders None: it sends no file of orders."""

    trades: Path
    orders: Path | None

    def __str__(self) -> str:
        return str(self.trades) if self.orders is None else f"{self.trades} {self.orders}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was read. digests: SHA-256 of each file, in hexadecimal, in the order of the source."""

    side: TheirSide
    digests: str


def read_statement(source: Source, day: date) -> Statement:
    """The venue's statement of that UTC date. Raises NoStatement."""
    raw_trades = _read(source.trades)
    digests = [sha256(raw_trades).hexdigest()]
    try:
        trades = parse_trades(_text(source.trades, raw_trades), day)
    except StatementError as error:
        raise NoStatement(f"{source.trades}: {error}") from None
    if source.orders is None:
        return Statement(side=TheirSide(trades=trades, orders=None), digests=digests[0])
    raw_orders = _read(source.orders)
    digests.append(sha256(raw_orders).hexdigest())
    try:
        orders = parse_orders(_text(source.orders, raw_orders))
    except StatementError as error:
        raise NoStatement(f"{source.orders}: {error}") from None
    side = TheirSide(trades=trades, orders=orders)
    return Statement(side=side, digests=" ".join(digests))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NoStatement(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise NoStatement(f"{path}: must not be larger than {MAX_BYTES} bytes")
    return raw


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")  # spreadsheets put a mark at the begin
    except UnicodeDecodeError:
        raise NoStatement(f"{path}: must be UTF-8") from None
