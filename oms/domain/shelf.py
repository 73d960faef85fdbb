"""A shelf of packed orders: each family of orders as one piece, found by the names in it.

The core that leads has its shelves on disk (oms.runtime.disk_shelf); everybody else in memory.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from oms.domain.packing import Family, may_have_traded

_BUCKETS: Final = 1 << 16
_SIGN_BYTES: Final = 8
_RECORD: Final = _SIGN_BYTES + 4
_FREED_AT_ONCE: Final = 256
_record = struct.Struct("<qI").pack
sign_bytes = struct.Struct("<q").pack


class Shelf(Protocol):
    """Families by a number that they get; and by the hashes of their names the numbers.

    A hash only says where to look. What was put is what comes back, or an exception ends the core:
    a name that is not found counts as nobody's.
    """

    def put(self, family: Family, signs: Sequence[int]) -> None:
        """Keep the family, to be found by these hashes."""

    def find(self, sign: int) -> Iterator[tuple[int, Family]]:
        """What may have a name with that hash, the latest first."""

    def may_have(self, sign: int) -> bool:
        """Whether `find` may have something; said quickly, and now and then too often."""

    def take_off(self, number: int) -> None:
        """The family is not kept any more."""

    def families(self) -> Iterator[Family]:
        """All that are kept, the oldest first."""

    def traded(self, marks: Sequence[bytes]) -> Iterator[Family]:
        """Of `families` those that may have trades and all these texts: some without, too."""

    def free_some(self) -> bool:
        """Free a portion of a shelf that nobody asks any more; whether there is more of it."""


NewShelf = Callable[[], Shelf]


class MemoryShelf:
    """A bucket is a row of records, a hash and a number each: 12 bytes for a name, where a dict
    takes ten times that with its key.
    """

    __slots__ = ("_buckets", "_count", "_families")

    def __init__(self, buckets: int = _BUCKETS) -> None:
        """buckets: of names; fewer take longer to look through."""
        self._families: list[Family | None] = []
        self._count = buckets
        self._buckets: list[bytes] = []

    def put(self, family: Family, signs: Sequence[int]) -> None:
        """See Shelf."""
        buckets = self._buckets
        if not buckets:
            buckets = self._buckets = [b""] * self._count
        number = len(self._families)
        self._families.append(family)
        count = self._count
        for sign in signs:
            buckets[sign % count] += _record(sign, number)

    def find(self, sign: int) -> Iterator[tuple[int, Family]]:
        """See Shelf."""
        if not self._buckets:
            return
        bucket = self._buckets[sign % self._count]
        for at in places_of(sign, bucket, _RECORD):
            number = int.from_bytes(bucket[at + _SIGN_BYTES : at + _RECORD], "little")
            family = self._families[number]
            if family is not None:
                yield number, family

    def may_have(self, sign: int) -> bool:
        """See Shelf."""
        if not self._buckets:
            return False
        return sign_bytes(sign) in self._buckets[sign % self._count]

    def take_off(self, number: int) -> None:
        """See Shelf."""
        self._families[number] = None

    def families(self) -> Iterator[Family]:
        """See Shelf."""
        for family in list(self._families):
            if family is not None:
                yield family

    def traded(self, marks: Sequence[bytes]) -> Iterator[Family]:
        """See Shelf."""
        for family in list(self._families):
            if family is not None and may_have_traded(family, marks):
                yield family

    def free_some(self) -> bool:
        """See Shelf."""
        self._buckets = []
        del self._families[-_FREED_AT_ONCE:]
        return bool(self._families)


def places_of(sign: int, rows: bytes, record: int) -> Iterator[int]:
    """Where records of so many bytes begin with that hash, the last first."""
    mark = sign_bytes(sign)
    at = rows.rfind(mark)
    while at >= 0:
        if at % record == 0:
            yield at
        at = rows.rfind(mark, 0, at + _SIGN_BYTES - 1)
