"""A shelf of packed orders: each family of orders as one piece, found by the names in it."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from oms.domain.packing import Family

_BUCKETS: Final = 1 << 16
_SIGN_BYTES: Final = 8
_RECORD: Final = _SIGN_BYTES + 4
_record = struct.Struct("<qI").pack
_sign = struct.Struct("<q").pack


class Shelf:
    """Families by their number; and by the hashes of their names the numbers.

    A bucket is a row of records, a hash and a number each: 12 bytes for a name, where a dict takes
    ten times that with its key. A hash only says where to look.
    """

    __slots__ = ("_buckets", "families")

    def __init__(self) -> None:
        self.families: list[Family | None] = []
        self._buckets: list[bytes] = []

    def put(self, family: Family, signs: Iterable[int]) -> None:
        """Keep the family, to be found by these hashes."""
        buckets = self._buckets
        if not buckets:
            buckets = self._buckets = [b""] * _BUCKETS
        number = len(self.families)
        self.families.append(family)
        for sign in signs:
            buckets[sign % _BUCKETS] += _record(sign, number)

    def find(self, sign: int) -> Iterator[tuple[int, Family]]:
        """What may have a name with that hash, the latest first."""
        if not self._buckets:
            return
        bucket = self._buckets[sign % _BUCKETS]
        mark = _sign(sign)
        at = bucket.rfind(mark)
        while at >= 0:
            if at % _RECORD == 0:
                number = int.from_bytes(bucket[at + _SIGN_BYTES : at + _RECORD], "little")
                family = self.families[number]
                if family is not None:
                    yield number, family
            at = bucket.rfind(mark, 0, at + _SIGN_BYTES - 1)

    def may_have(self, sign: int) -> bool:
        """Whether `find` may have something; said quickly."""
        if not self._buckets:
            return False
        return _sign(sign) in self._buckets[sign % _BUCKETS]
