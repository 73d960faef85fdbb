"""Columns of rows as parameters, one array each, in the form that PostgreSQL reads cheapest.

Whole numbers, points in time, flags and bytes travel in binary form; texts are joined, for
string_to_array to split, which costs a fraction of reading an array's quoted text; exact numbers
are an array as text.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial
from struct import Struct
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, Numeric

SEPARATOR: Final = "\x1f"
# When a text has that, one of these is found that none has.
_OTHER_SEPARATORS: Final = (range(0xE000, 0xF900), range(0xF0000, 0x10FFFF))

Packer = Callable[[Sequence[Any], str], bytes]

_HEADER: Final = Struct(">iiIii")
_NULL: Final = b"\xff\xff\xff\xff"
_TRUE, _FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"
_INT4, _INT8, _BOOL, _BYTEA, _TIMESTAMPTZ = 23, 20, 16, 17, 1184
# PostgreSQL counts microseconds from here.
_EPOCH: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


class SeparatorTakenError(Exception):
    """A text contains the separator: take another one for all."""


def clean(text: str) -> str:
    """The text as the database holds it: PostgreSQL's text has no zero character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def unused_separator(texts: Iterable[str]) -> str:
    """A character that none of the texts contains."""
    told = set().union(*texts)
    return next(chr(one) for few in _OTHER_SEPARATORS for one in few if chr(one) not in told)


def texts_of(values: Sequence[str], separator: str) -> bytes:
    """Texts, joined. Raises SeparatorTakenError."""
    told = separator.join(values)
    if told.count(separator) != len(values) - 1:
        raise SeparatorTakenError
    return clean(told).encode()


def optional_texts_of(values: Sequence[str | None], separator: str) -> bytes:
    """Texts, joined, None as an empty one. Raises SeparatorTakenError."""
    return texts_of([one or "" for one in values], separator)


def numbers_of(values: Sequence[Decimal], _: str) -> bytes:
    """Exact numbers."""
    return f"{{{','.join(map(str, values))}}}".encode()


def optional_numbers_of(values: Sequence[Decimal | None], _: str) -> bytes:
    """Exact numbers, None as NULL."""
    told = ",".join(["NULL" if one is None else str(one) for one in values])
    return f"{{{told}}}".encode()


def flags_of(values: Sequence[bool], _: str) -> bytes:
    """Booleans."""
    return _head(_BOOL, len(values)) + b"".join([_TRUE if one else _FALSE for one in values])


def bytes_of(values: Sequence[bytes]) -> bytes:
    """Runs of bytes."""
    parts: list[bytes] = [b""] * (2 * len(values))
    parts[0::2] = [len(one).to_bytes(4, "big") for one in values]
    parts[1::2] = values
    return _head(_BYTEA, len(values)) + b"".join(parts)


def integers_of(values: Sequence[int | None], _: str = "") -> bytes:
    """Whole numbers of four bytes, None as NULL."""
    return _integers(_INT4, "i", values)


def bigs_of(values: Sequence[int | None], _: str = "") -> bytes:
    """Whole numbers of eight bytes, None as NULL."""
    return _integers(_INT8, "q", values)


def moments_of(values: Sequence[int | None], _: str = "") -> bytes:
    """Sequencer stamps, None as NULL."""
    told = [None if one is None else one - _EPOCH for one in values]
    return _integers(_TIMESTAMPTZ, "q", told)


def _integers(oid: int, code: str, values: Sequence[int | None]) -> bytes:
    count = len(values)
    if None not in values:
        told: list[int | None] = [8 if code == "q" else 4] * (2 * count)
        told[1::2] = values
        return _head(oid, count) + _elements(code, count).pack(*told)
    if values.count(None) == count:
        return _head(oid, count) + _NULL * count
    pack = partial(_elements(code, 1).pack, 8 if code == "q" else 4)
    return _head(oid, count) + b"".join([_NULL if one is None else pack(one) for one in values])


@lru_cache(maxsize=4096)
def _head(oid: int, count: int) -> bytes:
    return _HEADER.pack(1, 1, oid, count, 1)


@lru_cache(maxsize=1024)
def _elements(code: str, count: int) -> Struct:
    """Elements of an array, each behind its length."""
    return Struct(">" + f"i{code}" * count)


def packer_of(column: "Column[Any]") -> tuple[Packer, bool]:
    """What makes a column's values a parameter, and whether that is in binary form."""
    match column.type:
        case Boolean():
            return flags_of, True
        case DateTime():
            return moments_of, True
        case BigInteger():
            return bigs_of, True
        case Integer():
            return integers_of, True
        case Numeric():
            return (optional_numbers_of if column.nullable else numbers_of), False
        case _:
            return (optional_texts_of if column.nullable else texts_of), False
