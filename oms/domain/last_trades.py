"""The last trades of each symbol: a price is measured against the last one that still counts."""

from collections import deque
from decimal import Decimal
from typing import Final

from oms.domain.order import Execution

# So many of a symbol may be busted one after the other, and the price before them is still known.
_KEPT: Final = 8

TradeKey = tuple[str, int]
"""Its account, and its place in the position's trades."""


class LastTrades:
    """A few trades of each symbol, the newest last."""

    __slots__ = ("_trades",)

    def __init__(self) -> None:
        # No key: a price that was no trade's.
        self._trades: dict[str, deque[tuple[TradeKey | None, Decimal]]] = {}

    def add(self, symbol: str, key: TradeKey, last_px: Decimal) -> None:
        """A trade was booked."""
        trades = self._trades.get(symbol)
        if trades is None:
            trades = self._trades[symbol] = deque(maxlen=_KEPT)
        trades.append((key, last_px))

    def amend(self, symbol: str, key: TradeKey, trade: Execution) -> None:
        """A trade was busted, and is no price any more, or corrected."""
        trades = self._trades.get(symbol, ())
        kept = [one for one in trades if one[0] != key or not trade.busted]
        told = [(key, trade.last_px) if one[0] == key else one for one in kept]
        self._trades[symbol] = deque(told, maxlen=_KEPT)

    def restate(self, symbol: str, px: Decimal) -> None:
        """After a split: the trades so far were of other shares, and this is their price now."""
        self._trades[symbol] = deque([(None, px)], maxlen=_KEPT)

    def px(self, symbol: str) -> Decimal | None:
        """What the last trade that counts was done at; None where none is known."""
        trades = self._trades.get(symbol)
        return trades[-1][1] if trades else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LastTrades) and self._trades == other._trades

    __hash__ = None  # type: ignore[assignment]
