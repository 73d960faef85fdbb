"""Market data out: the price levels that a subscriber sees, and what changed since."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from ems.simulator.book import Book
from ems.simulator.model import Trade


class MDEntryType(StrEnum):
    """MDEntryType (269), those that the venue publishes."""

    BID = "0"
    OFFER = "1"
    TRADE = "2"


class MDUpdateAction(StrEnum):
    """MDUpdateAction (279)."""

    NEW = "0"
    CHANGE = "1"
    DELETE = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One market data entry: a price level, identified by its type and price, or a trade."""

    entry_type: MDEntryType
    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One incremental change."""

    action: MDUpdateAction
    entry: Entry


Levels = dict[tuple[MDEntryType, Decimal], Decimal]


@dataclass(slots=True, kw_only=True, eq=False)
class View:
    """What one subscription has been shown of one symbol; depth 0 is the whole book."""

    symbol: str
    depth: int
    entry_types: frozenset[str]
    shown: Levels = field(default_factory=dict)
    last_exec_id: str = ""

    def snapshot(self, book: Book, last_trade: Trade | None) -> list[Entry]:
        """The whole view, best levels first; updates() later tells the difference to it."""
        self.shown = self._levels(book)
        entries = [
            Entry(entry_type=kind, price=price, size=size)
            for (kind, price), size in self.shown.items()
        ]
        entries.extend(self._trade(last_trade))
        return entries

    def updates(self, book: Book, last_trade: Trade | None) -> list[Update]:
        """What changed since the last look: deletions first."""
        before, now = self.shown, self._levels(book)
        self.shown = now
        found = [
            _update(MDUpdateAction.DELETE, key, size)
            for key, size in before.items()
            if key not in now
        ]
        for key, size in now.items():
            if key not in before:
                found.append(_update(MDUpdateAction.NEW, key, size))
            elif before[key] != size:
                found.append(_update(MDUpdateAction.CHANGE, key, size))
        found.extend(
            Update(action=MDUpdateAction.NEW, entry=entry) for entry in self._trade(last_trade)
        )
        return found

    def _levels(self, book: Book) -> Levels:
        levels: Levels = {}
        for kind, side in ((MDEntryType.BID, book.bids), (MDEntryType.OFFER, book.asks)):
            if kind in self.entry_types:
                for level in side.levels(self.depth):
                    levels[kind, level.price] = level.shown_qty
        return levels

    def _trade(self, trade: Trade | None) -> Iterator[Entry]:
        """The last trade, once; several between two looks show as the last of them."""
        if MDEntryType.TRADE not in self.entry_types or trade is None:
            return
        if trade.exec_id != self.last_exec_id:
            self.last_exec_id = trade.exec_id
            yield Entry(entry_type=MDEntryType.TRADE, price=trade.last_px, size=trade.last_qty)


def _update(action: MDUpdateAction, key: tuple[MDEntryType, Decimal], size: Decimal) -> Update:
    kind, price = key
    return Update(action=action, entry=Entry(entry_type=kind, price=price, size=size))
