"""What this machine has seen durable, kept outside the database, to tell one that went back.

A backup that is restored, or a replica that takes over without its primary's last transactions, is
a sound database with a sound journal: nothing in it says that there was more. Numbers given after
that would be given twice, to venues too. So the last entry is noted here before anything of its
batch leaves: what has left is at most what the note says.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oms.ports import Journal

_FILE = "journal_seen"
# Number, chain hash, how often the journal was declared restored before: of one length always.
_TEXT = "{:020d} {} {:06d}\n"
_LENGTH = len(_TEXT.format(0, "0" * 64, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A journal entry that was durable, and in which of the journal's lives."""

    seq: int
    hash: bytes
    restores: int


def seen_in(directory: Path) -> Seen | None:
    """The note in a core's directory; None where there is none that can be read."""
    with suppress(ValueError, OSError):
        text = (directory / _FILE).read_bytes()[:_LENGTH].decode("ascii")
        seq, digest, restores = text.split()
        return Seen(seq=int(seq), hash=bytes.fromhex(digest), restores=int(restores))
    return None


class Witness:
    """Writes the note. Not forced to disk: it may be of before a power cut then."""

    def __init__(self, directory: Path) -> None:
        """The directory is there. Raises OSError."""
        self._file = os.open(directory / _FILE, os.O_WRONLY | os.O_CREAT, 0o644)

    def note(self, seq: int, digest: bytes, restores: int) -> None:
        """This entry is durable. Raises OSError."""
        text = _TEXT.format(seq, digest.hex(), restores)
        os.pwrite(self._file, text.encode("ascii"), 0)


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
