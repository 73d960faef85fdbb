"""A shelf of packed orders on disk: memory knows which names it may have, and what came last.

Rows of names lie on disk in blocks, each with the place of the block before it. A filter in memory
says of nearly every name that was never there that it was not: a new order asks for such names.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from oms.domain.packing import Family, as_bytes, from_bytes, may_have_traded_of
from oms.domain.shelf import places_of
from oms.runtime.scratch import DEAD, LIVE, ROWS, WRITE_EVERY, Scratch, ScratchFile

BUCKETS: Final = 1 << 14
_ROW: Final = 16
_BLOCK: Final = 64 * _ROW
_SIGN_BYTES: Final = 8
_row = struct.Struct("<qQ").pack
_place = struct.Struct("<q")
_NOWHERE: Final = -1

# For each name up to five bits of one word of 64, and sixteen bits of memory: of names that are not
# there one in 200 passes a full filter.
_MASK_BITS: Final = 12
_LOW_BITS: Final = (1 << _MASK_BITS) - 1
_FIRST_WORDS: Final = 1 << 18
_NAMES_A_WORD: Final = 4


def _mask(n: int) -> int:
    mixed = ((n + 1) * 0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF_FFFF_FFFF
    return sum(1 << bit for bit in {(mixed >> shift) & 63 for shift in (58, 52, 46, 40, 34)})


_MASKS: Final = tuple(_mask(n) for n in range(1 << _MASK_BITS))


class DiskShelf:
    """See the module, and oms.domain.shelf.Shelf. A family's number is its place in the file."""

    __slots__ = ("_before", "_file", "_filters", "_last_rows", "_room")

    def __init__(
        self, scratch: Scratch, *, buckets: int = BUCKETS, write_every: int = WRITE_EVERY
    ) -> None:
        """buckets: of names, a power of two; write_every: after so many bytes they go to disk."""
        assert buckets.bit_count() == 1, buckets
        assert buckets <= _FIRST_WORDS, "a bucket is the end of a word's number"
        self._file = ScratchFile(scratch, write_every)
        # By bucket: the rows that are in memory, and the place of the block that was written last.
        self._last_rows: list[bytes] = [b""] * buckets
        self._before = array("q", [_NOWHERE]) * buckets
        # Each twice the size of the one before, with its last word's number.
        self._filters: list[tuple[array[int], int]] = []
        self._room = 0

    def put(self, family: Family, signs: Sequence[int]) -> None:
        """See Shelf."""
        at = self._file.append(LIVE, as_bytes(family))
        if self._room <= 0:
            self._add_filter()
        words, last = self._filters[-1]
        rows = self._last_rows
        last_bucket = len(rows) - 1
        room = self._room
        for sign in signs:
            n = (sign >> _MASK_BITS) & last
            mask = _MASKS[sign & _LOW_BITS]
            word = words[n]
            if word & mask != mask:
                words[n] = word | mask
                room -= 1
            bucket = n & last_bucket
            mine = rows[bucket] = rows[bucket] + _row(sign, at)
            if len(mine) >= _BLOCK:
                block = _place.pack(self._before[bucket]) + mine
                self._before[bucket] = self._file.append(ROWS, block)
                rows[bucket] = b""
        self._room = room

    def _add_filter(self) -> None:
        words = 2 * len(self._filters[-1][0]) if self._filters else _FIRST_WORDS
        self._filters.append((array("Q", [0]) * words, words - 1))
        self._room = words * _NAMES_A_WORD

    def may_have(self, sign: int) -> bool:
        """See Shelf."""
        mask = _MASKS[sign & _LOW_BITS]
        n = sign >> _MASK_BITS
        for words, last in self._filters:  # noqa: SIM110 - `any` takes twice as long
            if words[n & last] & mask == mask:
                return True
        return False

    def find(self, sign: int) -> Iterator[tuple[int, Family]]:
        """See Shelf. Raises ScratchFault."""
        bucket = (sign >> _MASK_BITS) & (len(self._last_rows) - 1)
        rows, before = self._last_rows[bucket], self._before[bucket]
        while True:
            for at in places_of(sign, rows, _ROW):
                number = int.from_bytes(rows[at + _SIGN_BYTES : at + _ROW], "little")
                kind, data = self._read(number, LIVE, DEAD)
                if kind == LIVE:
                    yield number, from_bytes(data)
            if before == _NOWHERE:
                return
            _, block = self._read(before, ROWS)
            [before] = _place.unpack_from(block)
            rows = block[_place.size :]

    def _read(self, at: int, *kinds: bytes) -> tuple[bytes, bytes]:
        found = self._file.read(at)
        if found[0] not in kinds:
            raise self._file.fault(at, "is something else than was written there")
        return found

    def take_off(self, number: int) -> None:
        """See Shelf."""
        self._file.kill(number)

    def families(self) -> Iterator[Family]:
        """See Shelf. Raises ScratchFault."""
        for datas in self._file.portions(LIVE):
            yield from map(from_bytes, datas)

    def traded(self, marks: Sequence[bytes]) -> Iterator[Family]:
        """See Shelf. Raises ScratchFault."""
        for datas in self._file.portions(LIVE):
            yield from map(from_bytes, may_have_traded_of(datas, marks))

    def free_some(self) -> bool:
        """See Shelf."""
        self._last_rows, self._filters = [b""], []
        self._before = array("q", [_NOWHERE])
        return self._file.free_some()
