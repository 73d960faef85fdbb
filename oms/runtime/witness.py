"""What this machine has seen durable, kept outside the database, to tell one that went back.

A backup that is restored, or a replica that takes over without its primary's last transactions, is
a sound database with a sound journal: nothing in it says that there was more. Numbers given after
that would be given twice, to venues too. So the last entry is noted here before anything of its
batch leaves: what has left is at most what the note says.
"""

import mmap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from oms.ports import Journal

_FILE = "journal_seen"
# Number, chain hash, how often the journal was declared restored before, checksum: of one length.
_TEXT = "{:020d} {} {:06d}"
_LINE = len(_TEXT.format(0, "0" * 64, 0)) + 10
# In turn, so that a process that dies amid writing one leaves the other.
_LINES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A journal entry that was durable, and in which of the journal's lives."""

    seq: int
    hash: bytes
    restores: int


def seen_in(directory: Path) -> Seen | None:
    """The note in a core's directory; None where there is none that can be read."""
    try:
        found = list(_notes((directory / _FILE).read_bytes()))
    except OSError:
        return None
    return max(found, key=lambda one: (one.restores, one.seq), default=None)


def _notes(content: bytes) -> Iterator[Seen]:
    for start in range(0, _LINES * _LINE, _LINE):
        told, _, checksum = content[start : start + _LINE].rstrip(b"\n").rpartition(b" ")
        with suppress(ValueError):
            if int(checksum, 16) == crc32(told):
                seq, digest, restores = told.decode("ascii").split()
                yield Seen(seq=int(seq), hash=bytes.fromhex(digest), restores=int(restores))


class Witness:
    """Writes the note. Not forced to disk: it may be of before a power cut then.

    By shared memory: a write to the file would wait now and then for what PostgreSQL forces to the
    same disk.
    """

    def __init__(self, directory: Path) -> None:
        """The directory is there. Raises OSError."""
        with (directory / _FILE).open("a+b") as file:
            file.seek(0)
            known = file.read(_LINES * _LINE)
            # Blocks of its own, so that a full disk is found here and not in the memory.
            file.write(b"\n" * (_LINES * _LINE - len(known)))
            file.flush()
            self._memory = mmap.mmap(file.fileno(), _LINES * _LINE)
        self._next = 0 if _is_newer(known[_LINE:], known[:_LINE]) else _LINE

    def note(self, seq: int, digest: bytes, restores: int) -> None:
        """This entry is durable."""
        told = _TEXT.format(seq, digest.hex(), restores).encode("ascii")
        start, self._next = self._next, _LINE - self._next
        self._memory[start : start + _LINE] = b"%s %08x\n" % (told, crc32(told))


def _is_newer(one: bytes, other: bytes) -> bool:
    first, second = next(_notes(one), None), next(_notes(other), None)
    if first is None or second is None:
        return first is not None
    return (first.restores, first.seq) > (second.restores, second.seq)


class WitnessedJournal:
    """A journal each of whose batches is noted when it is durable, before anybody is told."""

    def __init__(self, journal: Journal, witness: Witness, restores: int) -> None:
        self._journal, self._witness, self._restores = journal, witness, restores
        self._batch: Any = None
        self.fileno, self.heartbeat = journal.fileno, journal.heartbeat

    def begin(self, batch: Any) -> None:
        """See oms.ports.Journal."""
        self._batch = batch
        self._journal.begin(batch)

    def finished(self) -> bool:
        """See oms.ports.Journal."""
        if not self._journal.finished():
            return False
        self._witness.note(self._batch.last_seq, self._batch.last_hash, self._restores)
        return True
