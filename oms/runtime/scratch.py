"""Scratch files: where a core puts what it knows and hardly asks for, in place of memory.

Nothing in them is durable or trusted: the journal is the truth. A file has no name, so no two cores
can share one, and its space is free again when the process ends, however that is. What the disk
does not take stays in memory. What is read back otherwise than it was written ends the core, which
recovers by replay into new files.
"""

import contextlib
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final
from zlib import crc32

import structlog

log = structlog.get_logger()

# What a record is; far apart, so that a flipped bit makes none of another.
LIVE: Final = b"Live"
DEAD: Final = b"dEAD"
ROWS: Final = b"rows"
_KINDS: Final = frozenset({LIVE, DEAD, ROWS})

# Kind, length, and the checksum of the data with its place.
_HEAD: Final = struct.Struct("<4sII")
_head = _HEAD.pack
_32_BITS: Final = 0xFFFF_FFFF
# Most records are read whole by the first reading.
_MOST: Final = 1_200
WRITE_EVERY: Final = 1 << 16
# Of what could not be written for a while, so much at once.
_CATCH_UP: Final = 1 << 20
_READ_AHEAD: Final = 1 << 20
_FREED_AT_ONCE: Final = 1 << 21


class ScratchFault(Exception):
    """What was written is not what is read: nothing may be decided by it."""


class Scratch:
    """The scratch files of a core, all in one directory; failures: of writing, so far."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files: list[ScratchFile] = []
        self.failures = 0
        self._failing = False

    @property
    def on_disk(self) -> int:
        """Bytes in files."""
        return sum(one.written for one in self.files)

    @property
    def waiting(self) -> int:
        """Bytes in memory, to be written."""
        return sum(one.size - one.written for one in self.files)

    def new_file(self) -> IO[bytes]:
        """A file without a name. Raises OSError."""
        return tempfile.TemporaryFile(dir=self.directory, buffering=0)

    def failed(self, error: OSError) -> None:
        """Nothing could be written; one line for many failures in a row."""
        self.failures += 1
        if not self._failing:
            self._failing = True
            fault = error.strerror or str(error)
            log.warning("core.scratch_unwritable", directory=str(self.directory), fault=fault)

    def worked(self) -> None:
        """Something was written."""
        if self._failing:
            self._failing = False
            log.info("core.scratch_writable", directory=str(self.directory))

    def fault(self, at: int, text: str) -> ScratchFault:
        """To be raised: what stands there cannot be what was written."""
        where = f"scratch file in {self.directory}, byte {at}"
        log.error("core.scratch_unreadable", directory=str(self.directory), at=at, fault=text)
        return ScratchFault(f"{where}: {text}")


class ScratchFile:
    """Records one after the other, each found by its place. The last ones may be in memory yet."""

    __slots__ = ("_dead", "_file", "_scratch", "_waiting", "_write_at", "_write_every", "written")

    def __init__(self, scratch: Scratch, write_every: int = WRITE_EVERY) -> None:
        """write_every: after so many bytes."""
        self.written = 0
        self._scratch = scratch
        self._file: IO[bytes] | None = None
        self._waiting = bytearray()
        self._write_every = self._write_at = write_every
        # Whose mark could not be written, or not all of it.
        self._dead: set[int] = set()
        scratch.files.append(self)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.written + len(self._waiting)

    def append(self, kind: bytes, data: bytes) -> int:
        """Keep the record; its place."""
        waiting = self._waiting
        at = self.written + len(waiting)
        waiting += _head(kind, len(data), crc32(data, at & _32_BITS))
        waiting += data
        if len(waiting) >= self._write_at:
            self._write()
        return at

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = self._scratch.new_file()
            done = os.pwrite(self._file.fileno(), self._waiting[:_CATCH_UP], self.written)
        except OSError as error:
            self._scratch.failed(error)
        else:
            self._scratch.worked()
            self.written += done
            del self._waiting[:done]
        self._write_at = len(self._waiting) + self._write_every

    def read(self, at: int) -> tuple[bytes, bytes]:
        """The record in that place: what it is, its data. Raises ScratchFault."""
        found = self._bytes(at, _MOST)
        if len(found) < _HEAD.size:
            raise self.fault(at, f"ends after {len(found)} bytes")
        end = _HEAD.size + _HEAD.unpack_from(found)[1]
        if end > len(found):
            found = self._bytes(at, end)
        kind, length, checksum = _HEAD.unpack_from(found)
        data = found[_HEAD.size : end]
        if at in self._dead:
            kind = DEAD
        if kind not in _KINDS or len(data) != length or crc32(data, at & _32_BITS) != checksum:
            raise self.fault(at, "is not what was written there")
        return kind, data

    def _bytes(self, at: int, count: int) -> bytes:
        """So many bytes from there, or those until the end."""
        found = b""
        on_disk = self.written - at
        if on_disk > 0:
            wanted = min(count, on_disk)
            assert self._file is not None
            try:
                found = os.pread(self._file.fileno(), wanted, at)
            except OSError as error:
                raise self.fault(at, error.strerror or str(error)) from error
            if len(found) < wanted:
                raise self.fault(at, f"{len(found)} bytes are left of {wanted}")
            at += wanted
            count -= wanted
        if count:
            begin = at - self.written
            found += self._waiting[begin : begin + count]
        return found

    def fault(self, at: int, text: str) -> ScratchFault:
        """See Scratch."""
        return self._scratch.fault(at, text)

    def kill(self, at: int) -> None:
        """The record in that place counts no longer."""
        begin = at - self.written
        if begin >= 0:
            self._waiting[begin : begin + len(DEAD)] = DEAD
            return
        marked = 0
        if begin <= -len(DEAD) and self._file is not None:
            try:
                marked = os.pwrite(self._file.fileno(), DEAD, at)
            except OSError as error:
                self._scratch.failed(error)
        if marked < len(DEAD):
            self._dead.add(at)

    def portions(self, wanted: bytes) -> Iterator[list[bytes]]:
        """The data of all records of that kind, in order, as they are now; many at once.

        Raises ScratchFault.
        """
        at, end = 0, self.size
        while at < end:
            found = self._bytes(at, min(_READ_AHEAD, end - at))
            whole, datas = self._records(at, found, wanted)
            if not whole:
                kind, data = self.read(at)
                whole, datas = _HEAD.size + len(data), [data] if kind == wanted else []
            yield datas
            at += whole

    def _records(self, at: int, found: bytes, wanted: bytes) -> tuple[int, list[bytes]]:
        """How many of these bytes are whole records, and the data of those of that kind."""
        datas = []
        offset, last, dead = 0, len(found) - _HEAD.size, self._dead
        while offset <= last:
            kind, length, checksum = _HEAD.unpack_from(found, offset)
            begin = offset + _HEAD.size
            end = begin + length
            if end > len(found):
                break
            data = found[begin:end]
            place = at + offset
            if crc32(data, place & _32_BITS) != checksum or (kind not in _KINDS or place in dead):
                kind, data = self.read(place)
            if kind == wanted:
                datas.append(data)
            offset = end
        return offset, datas

    def free_some(self) -> bool:
        """Give back a portion of the disk, for nobody reads it any more; whether more is left."""
        self._waiting = bytearray()
        self.written = max(self.written - _FREED_AT_ONCE, 0)
        if self._file is not None:
            if self.written:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file.fileno(), self.written)
                return True
            self._file.close()
            self._file = None
        if self in self._scratch.files:
            self._scratch.files.remove(self)
        return False
