"""FIX tag=value text on the wire: fields, frames, checksums and UTC timestamps; no session, no I/O.

Bytes and text map one to one by latin-1, so nothing that arrives is lost for its encoding.
Fields of type data whose value holds SOH are not supported: such a message does not parse.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

SOH = "\x01"
ENCODING = "latin-1"
DEFAULT_MAX_FRAME_BYTES = 1 << 20

_SHOWN_CHARACTERS = 80
_FRAMING_TAGS = frozenset({8, 9, 10})
_ALL_BUT_SIGNS = bytes(set(range(256)) - set(b"=\x01"))
_TAG = re.compile(r"[1-9][0-9]{0,8}")
# Standard tags and the usual user-defined ones; others are read anew each time, so that nobody can
# fill the memory with tags.
_KNOWN_TAGS = 10_000
_START = re.compile(rb"8=FIXT?\.[0-9]\.[0-9]\x019=([0-9]{1,9})\x01")
_TRAILER = re.compile(rb"\x0110=[0-9]{3}\x01")
_TRAILER_BYTES = len(b"10=000\x01")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_US_PER_SECOND = 1_000_000
_SECOND = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})-([0-9]{2}):([0-9]{2}):([0-9]{2})")
_SECOND_CHARACTERS = len("20260102-03:04:05")
_LEAP = slice(len("20260102-03:"), _SECOND_CHARACTERS)
# Nobody sends other than 3, 6, 9 or 12; a fill must not be lost over a digit.
_FRACTION = re.compile(r"|\.[0-9]{1,12}")


class WireError(ValueError):
    """Text or bytes that are not FIX; the message names the offending piece and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message's bytes as they came, or a stretch of bytes that is none.

    `fault` is empty for a sound frame, else it names the rule that the bytes break; FIX volume 2
    has garbled messages ignored, without consuming a sequence number.
    """

    raw: bytes
    fault: str = ""

    @property
    def text(self) -> str:
        return self.raw.decode(ENCODING)


def _shown(piece: str) -> str:
    if len(piece) > _SHOWN_CHARACTERS:
        return f"{piece[:_SHOWN_CHARACTERS]!r}... ({len(piece)} characters)"
    return repr(piece)


def fields_of(text: str) -> list[tuple[int, str]]:
    """Every field in order, repeated tags included. An empty value is kept: the caller judges it.

    Raises WireError naming the piece that is not tag=value followed by SOH.
    """
    pieces = text.split(SOH)
    if pieces.pop():
        raise WireError(_first_fault(text))
    try:
        return [(_TAGS[tag], value) for tag, value in [piece.split("=", 1) for piece in pieces]]
    except (KeyError, ValueError):
        raise WireError(_first_fault(text)) from None


def fields_by_tag(text: str) -> dict[int, str]:
    """The fields by their tags; where a tag is repeated, the last of its values.

    Raises WireError as `fields_of` does.
    """
    # Where "=" and SOH take turns throughout, one split does it.
    signs = text.encode("utf-8", "surrogatepass").translate(None, _ALL_BUT_SIGNS)
    count = len(signs) // 2
    if signs != b"=\x01" * count or not text.endswith(SOH):
        return dict(fields_of(text))
    pieces = text.replace(SOH, "=").split("=")
    try:
        return dict(zip(map(_TAGS.__getitem__, pieces[:-1:2]), pieces[1::2], strict=True))
    except KeyError:
        raise WireError(_first_fault(text)) from None


class _Tags(dict[str, int]):
    """Tags by their text: looking one up is faster than reading it. Raises KeyError for no tag."""

    def __missing__(self, text: str) -> int:
        if not _TAG.fullmatch(text):
            raise KeyError(text)
        tag = int(text)
        if tag < _KNOWN_TAGS:
            self[text] = tag
        return tag


_TAGS: Final = _Tags()


def _first_fault(text: str) -> str:
    pieces = text.split(SOH)
    for piece in pieces[:-1]:
        tag, equals, _ = piece.partition("=")
        if not equals or not _TAG.fullmatch(tag):
            return f"field {_shown(piece)} is not tag=value with a tag of 1 to 999999999"
    return f"field {_shown(pieces[-1])} does not end with SOH"


def first(fields: Sequence[tuple[int, str]], tag: int) -> str | None:
    """The value of the first field with this tag, or None."""
    for found, value in fields:
        if found == tag:
            return value
    return None


def checksum(data: bytes) -> int:
    """The sum of all bytes modulo 256, as CheckSum (10) carries it in three digits."""
    return sum(data) & 0xFF


def frame(begin_string: str, fields: Iterable[tuple[int, str]]) -> bytes:
    """One message as bytes, with BeginString, BodyLength and CheckSum put around `fields`.

    Raises WireError for a framing tag among the fields, a tag below 1, an empty value, a value that
    holds SOH, or a character outside latin-1: none of these can be said in FIX.
    """
    pieces = list(fields)
    body = "".join([f"{tag}={value}\x01" for tag, value in pieces])
    if body.count(SOH) != len(pieces) or "=\x01" in body:
        _refuse_values(pieces)
    for tag, _ in pieces:
        if tag < 1 or tag in _FRAMING_TAGS:
            raise WireError(f"tag {tag} may not be given: it must be above 0 and not 8, 9 or 10")
    head = f"8={begin_string}\x019={len(body)}\x01"
    try:
        data = (head + body).encode(ENCODING)
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise WireError(f"character {character!r} is outside latin-1") from None
    return b"%b10=%03d\x01" % (data, checksum(data))


def _refuse_values(pieces: Iterable[tuple[int, str]]) -> None:
    for tag, value in pieces:
        if SOH in value:
            raise WireError(f"tag {tag}: value {_shown(value)} holds SOH")
        if value == "":
            raise WireError(f"tag {tag}: the value is empty")


class FrameReader:
    """Cuts a byte stream into frames; after garbled bytes it goes on at the next message start.

    The frames do not depend on how the stream was cut into pieces.
    """

    __slots__ = ("_buffer", "_max_frame_bytes")

    def __init__(self, max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self._max_frame_bytes = max_frame_bytes

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, garbled ones with their fault.

        Raises WireError where one frame would be longer than the bound; the connection is then of
        no more use, as nothing tells where the next message begins.
        """
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        position = 0
        while position < len(buffer):
            found = self._next(position)
            if found is None:
                break
            frames.append(found)
            position += len(found.raw)
        del buffer[:position]
        if len(buffer) > self._max_frame_bytes:
            raise WireError(
                f"{len(buffer)} bytes without the end of a message, more than the bound of "
                f"{self._max_frame_bytes}"
            )
        return frames

    def _next(self, position: int) -> Frame | None:
        buffer = self._buffer
        start = _START.match(buffer, position)
        if start is None:
            return self._garbled(position, "no BeginString and BodyLength at the start")
        body_end = start.end() + int(start[1])
        end = body_end + _TRAILER_BYTES
        if end - position > self._max_frame_bytes:
            raise WireError(
                f"BodyLength {start[1].decode()} makes a frame of more than the bound of "
                f"{self._max_frame_bytes} bytes"
            )
        if end > len(buffer):
            return None
        if buffer[body_end - 1] != 1 or not _TRAILER.match(buffer, body_end - 1):
            return self._garbled(position, f"BodyLength {start[1].decode()} is wrong")
        raw = bytes(buffer[position:end])
        expected = checksum(raw[:-_TRAILER_BYTES])
        if int(raw[-4:-1]) != expected:
            given = raw[-4:-1].decode()
            return Frame(raw=raw, fault=f"CheckSum {given} is wrong: the sum is {expected:03d}")
        return Frame(raw=raw)

    def _garbled(self, position: int, fault: str) -> Frame | None:
        """Everything up to the next trailer or the next start, whichever comes first."""
        trailer = _TRAILER.search(self._buffer, position)
        start = _START.search(self._buffer, position + 1)
        ends = [trailer.end()] if trailer else []
        ends += [start.start()] if start else []
        if not ends:
            return None
        return Frame(raw=bytes(self._buffer[position : min(ends)]), fault=fault)


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    at = _EPOCH + timedelta(seconds=second)
    return f"{at.year:04d}{at.month:02d}{at.day:02d}-{at:%H:%M:%S}"


def utc_timestamp_ms(at_us: int) -> str:
    """UTCTimestamp with milliseconds, cut and not rounded, so that it never lies in the future."""
    return _millisecond_text(at_us // 1000)


@lru_cache(maxsize=64)
def _millisecond_text(at_ms: int) -> str:
    second, fraction = divmod(at_ms, 1000)
    return f"{_second_text(second)}.{fraction:03d}"


def parse_utc_timestamp(text: str) -> int:
    """Microseconds since 1970 UTC of a UTCTimestamp with up to twelve decimals; cut, not rounded.

    A leap second (60), which FIX allows and a clock of ours does not know, is the last moment
    before it, of the same date. Raises WireError for any other form, and for a date that does not
    exist.
    """
    try:
        fraction_us = _fraction_us(text[_SECOND_CHARACTERS:])
    except ValueError:
        raise WireError(_not_a_timestamp(text)) from None
    if text[_LEAP] == "59:60":
        return _second_of(f"{text[: _LEAP.start]}59:59") + _US_PER_SECOND - 1
    return _second_of(text[:_SECOND_CHARACTERS]) + fraction_us


@lru_cache(maxsize=2048)
def _fraction_us(text: str) -> int:
    if not _FRACTION.fullmatch(text):
        raise ValueError(text)
    return int(text[1:7].ljust(6, "0"))


@lru_cache(maxsize=64)
def _second_of(text: str) -> int:
    match = _SECOND.fullmatch(text)
    if match is None:
        raise WireError(_not_a_timestamp(text))
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise WireError(f"UTCTimestamp {_shown(text)}: {error}") from None
    return (at - _EPOCH) // _MICROSECOND


def _not_a_timestamp(text: str) -> str:
    return f"UTCTimestamp {_shown(text)} is not YYYYMMDD-HH:MM:SS[.sss]"
