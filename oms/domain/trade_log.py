"""The trades of a position in the order in which they were booked, kept as compressed text."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from zlib import compress, decompress

from oms.domain.fix import Side
from oms.domain.order import Execution

_BLOCK: Final = 64

Trade = tuple[Side, Decimal, Decimal]
"""Side, quantity and price."""


class TradeLog:
    """A few bytes for each trade, as a position needs them all again after a bust."""

    __slots__ = ("_blocks", "_last")

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._last: list[str] = []

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._last)

    def add(self, side: Side, last_qty: Decimal, last_px: Decimal) -> int:
        """Book a trade; its place, by which it is amended."""
        last = self._last
        last.append(f"{side._value_}{last_qty!s}@{last_px!s}")
        place = len(self._blocks) * _BLOCK + len(last) - 1
        if len(last) == _BLOCK:
            self._blocks.append(_block(last))
            self._last = []
        return place

    def amend(self, place: int, side: Side, trade: Execution) -> None:
        """What the trade in that place is now; nothing, if it is busted."""
        text = "" if trade.busted else f"{side._value_}{trade.last_qty!s}@{trade.last_px!s}"
        block, n = divmod(place, _BLOCK)
        if block == len(self._blocks):
            self._last[n] = text
            return
        texts = _texts(self._blocks[block])
        texts[n] = text
        self._blocks[block] = _block(texts)

    def __iter__(self) -> Iterator[Trade | None]:
        """Each trade; None for one that is busted."""
        for block in self._blocks:
            yield from map(_trade, _texts(block))
        yield from map(_trade, self._last)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TradeLog) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _block(texts: list[str]) -> bytes:
    return compress(" ".join(texts).encode("ascii"))


def _texts(block: bytes) -> list[str]:
    return decompress(block).decode("ascii").split(" ")


def _trade(text: str) -> Trade | None:
    if not text:
        return None
    quantity, _, price = text[1:].partition("@")
    return Side(text[0]), Decimal(quantity), Decimal(price)
