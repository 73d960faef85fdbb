"""What outlives a core: the journal and its read tables, the inbox, the FIX engine's numbers.

A simulated PostgreSQL: one writer by lock and epoch, batches all or nothing, a commit that takes a
while, and one whose outcome its writer never learns.
"""

import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from oms.domain.commands import Command, MessagesSent, SentMessage
from oms.simulation.agenda import Agenda
from oms.simulation.tables import Tables
from oms.store.batch import GENESIS, Batch, Entry, SealedBatch
from oms.store.fold_codec import decode_for_fold
from oms.store.leader import LeadershipLost
from oms.store.rows import Row


class SimBatch(Batch):
    """A batch that keeps its rows for the simulated tables, and packs no SQL."""

    __slots__ = ()

    def seal(self) -> SealedBatch:
        """See Batch."""
        rows: dict[str, list[Row]] = self._projector.rows()
        answers = self._answers.rows()
        if answers:
            rows["answers"] = answers
        return SimSealed(
            first_seq=self._first_seq,
            last_seq=self.last_seq,
            leader_epoch=self._leader_epoch,
            previous_hash=self._previous_hash,
            last_hash=self.last_hash,
            sql=b"",
            parameters=[],
            formats=[],
            rows=rows,
            _entries=self._entries,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimSealed(SealedBatch):
    """See SimBatch."""

    rows: dict[str, list[Row]]


class Fate(Enum):
    """What becomes of a commit. TORN: half written when the connection ends; BEFORE and AFTER: the
    connection ends without an answer, and nothing, or everything, was written.
    """

    DONE = "done"
    BEFORE = "lost before it was written"
    AFTER = "lost after it was written"
    TORN = "lost in the middle"


@dataclass(slots=True)
class Disk:
    """See the module. answered: the inbox's commands with their answers' texts, answers: the whole
    rows. numbers: by machine, then session: next MsgSeqNum out and in; claims: by machine, its last
    epoch as leader. told_of: by session, the last event of which a message was noted as sent.
    """

    entries: list[Entry] = field(default_factory=list)
    epoch: int = 0
    tables: Tables = field(default_factory=Tables)
    sent: list[SentMessage] = field(default_factory=list)
    told_of: dict[str, int] = field(default_factory=dict)
    inbox: list[Command] = field(default_factory=list)
    answered: dict[int, str] = field(default_factory=dict)
    answers: dict[int, Row] = field(default_factory=dict)
    numbers: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    on_commit: list[Callable[[list[Entry]], None]] = field(default_factory=list)
    _torn: list[Entry] = field(default_factory=list)
    _writer: "SimJournal | None" = None

    def take_lead(self, agenda: Agenda, fate: Callable[[], tuple[Fate, int]]) -> "SimJournal":
        """A new leader's journal; what the old one had in flight is settled first."""
        if self._writer is not None:
            self._writer.end("another core took the lock")
        self._torn.clear()
        self.epoch += 1
        self._writer = SimJournal(self, agenda, fate, self.epoch)
        return self._writer

    def tip(self) -> tuple[int, bytes]:
        """Number and hash of the last entry."""
        return (self.entries[-1].seq, self.entries[-1].hash) if self.entries else (0, GENESIS)

    def write(self, batch: SealedBatch, *, torn: bool = False) -> None:
        """All of the batch, or, torn, nothing that anybody will ever read."""
        seq, last_hash = self.tip()
        if (batch.first_seq, batch.previous_hash) != (seq + 1, last_hash):
            raise ValueError(f"a batch from {batch.first_seq} on does not follow entry {seq}")
        new = list(batch.entries())
        if torn:
            self._torn = new[: len(new) // 2]
            return
        self.entries += new
        for entry in new:
            self._note(entry)
        if isinstance(batch, SimSealed):
            self.tables.write(batch.rows)
            for row in batch.rows.get("answers", ()):
                self.answered[row[0]] = str(row[5])
                self.answers[row[0]] = row
        for tell in self.on_commit:
            tell(new)

    def _note(self, entry: Entry) -> None:
        if isinstance(entry.obj, MessagesSent):
            self.sent += entry.obj.messages
            for one in () if entry.obj.repeated else entry.obj.messages:
                self.told_of[one.session] = max(self.told_of.get(one.session, 0), one.event_seq)

    def ask(self, command: Command) -> int:
        """Put a command into the inbox; its number there."""
        number = len(self.inbox) + 1
        origin = replace(command.origin, inbox_id=number)
        self.inbox.append(replace(command, origin=origin))
        return number


class SimJournal:
    """Journal and JournalReader of one leader; see oms.ports."""

    def __init__(
        self, disk: Disk, agenda: Agenda, fate: Callable[[], tuple[Fate, int]], epoch: int
    ) -> None:
        """fate: what becomes of the next commit, and after how many microseconds."""
        self.epoch = epoch
        self.on_answer: Callable[[], None] = lambda: None
        self._disk = disk
        self._agenda = agenda
        self._fate = fate
        self._lost = ""
        self._batch: SealedBatch | None = None
        self._outcome = Fate.DONE
        self._done = False

    def begin(self, batch: SealedBatch) -> None:
        """See oms.ports.Journal."""
        self._raise_lost()
        assert batch.leader_epoch == self.epoch, "a batch belongs to one leadership"
        assert self._batch is None, "one batch at a time"
        self._batch, self._done = batch, False
        self._outcome, takes_us = self._fate()
        self._agenda.after(takes_us, lambda: self._settle(batch))

    def finished(self) -> bool:
        """See oms.ports.Journal."""
        if self._done:
            self._batch, self._done = None, False
            return True
        self._raise_lost()
        return False

    def append(self, batch: SealedBatch) -> None:
        """Begin and wait."""
        self.begin(batch)
        while not self.finished():
            assert self._agenda.step(), "a commit that never ends"

    def fileno(self) -> int:
        """Nobody waits for it: `on_answer` is called."""
        raise io.UnsupportedOperation("a simulated journal has no descriptor")

    def heartbeat(self) -> None:
        """See oms.ports.Journal."""
        self._raise_lost()

    def tip(self) -> tuple[int, bytes]:
        """See oms.ports.JournalReader."""
        return self._disk.tip()

    def delivered(self, venues: Collection[str]) -> int:
        """See oms.ports.JournalReader."""
        told = self._disk.told_of.items()
        return max((event_seq for name, event_seq in told if name not in venues), default=0)

    def kept(self) -> dict[str, int]:
        """See oms.ports.JournalReader."""
        sessions = self._disk.tables.rows.get("sessions", {}).values()
        return {one["name"]: one["undelivered_from"] for one in sessions if one["undelivered"]}

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        """See oms.ports.JournalReader; decoded anew from the bytes."""
        for entry in self._disk.entries[from_seq - 1 :]:
            seq, at, kind, name, payload, digest, _ = entry
            obj = decode_for_fold(name, payload)
            yield Entry(seq, at, kind, name, payload, digest, obj)

    def end(self, why: str) -> None:
        """The connection is gone: what is in flight happens or not, and nobody is told."""
        if not self._lost:
            self._lost = why
            if self._batch is not None and not self._done:
                self._write(self._batch)

    def _raise_lost(self) -> None:
        if self._lost:
            raise LeadershipLost(self._lost)

    def _settle(self, batch: SealedBatch) -> None:
        if self._batch is not batch or self._lost or self._done:
            return
        if self._outcome is Fate.DONE:
            self._write(batch)
            self._done = True
        else:
            self.end(f"the connection was lost; the commit was {self._outcome.value}")
        self.on_answer()

    def _write(self, batch: SealedBatch) -> None:
        if self._outcome is Fate.TORN:
            self._disk.write(batch, torn=True)
        elif self._outcome is not Fate.BEFORE:
            self._disk.write(batch)
