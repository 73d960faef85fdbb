"""A batch: entries of the journal and the rows they change, written in one transaction.

Collected in the sequencer's thread: encode, chain, note what was touched. `seal` packs it all, so
that the thread that appends it only waits for PostgreSQL.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from psycopg.pq import Format

from oms.domain.commands import Command
from oms.domain.events import Event
from oms.domain.state import State
from oms.store import arrays, statements
from oms.store.answers import Answers
from oms.store.codec import encode
from oms.store.projector import Projector
from oms.store.rows import Row

GENESIS = bytes(32)
"""What the first entry's hash is chained to."""


class Entry(NamedTuple):
    """One journal entry. kind: C command, E event; at: sequencer stamp.

    A tuple, as recovery makes a million of them.
    """

    seq: int
    at: int
    kind: str
    type: str
    payload: bytes
    hash: bytes
    obj: Command | Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """A batch ready to be appended: sql with parameters from the third on, and its entries.

    formats: of all parameters. previous_hash: of the entry before first_seq.
    """

    first_seq: int
    last_seq: int
    leader_epoch: int
    previous_hash: bytes
    last_hash: bytes
    sql: bytes
    parameters: list[bytes | None]
    formats: list[Format]
    _entries: "_Entries"

    def __len__(self) -> int:
        return self.last_seq - self.first_seq + 1

    def entries(self) -> Iterator[Entry]:
        """Its entries in order."""
        return self._entries.all(self.first_seq)


def entry_hash(  # noqa: PLR0917 - called for each entry, where names cost
    previous_hash: bytes, seq: int, at: int, kind: str, name: str, payload: bytes
) -> bytes:
    """SHA-256 over the hash of the entry before, `seq|at|kind|type|`, and the payload."""
    header = f"{seq}|{at}|{kind}|{name}|".encode()
    return sha256(previous_hash + header + payload).digest()


class _Entries:
    """Entries by column, as they are packed."""

    __slots__ = (
        "ats",
        "epochs",
        "hashes",
        "kinds",
        "msg_seq_nums",
        "objs",
        "order_ids",
        "payloads",
        "sessions",
        "types",
    )

    def __init__(self) -> None:
        self.ats: list[int] = []
        self.kinds: list[str] = []
        self.types: list[str] = []
        self.order_ids: list[str] = []
        self.sessions: list[str] = []
        self.epochs: list[int | None] = []
        self.msg_seq_nums: list[int | None] = []
        self.payloads: list[bytes] = []
        self.hashes: list[bytes] = []
        self.objs: list[Command | Event] = []

    def all(self, first_seq: int) -> Iterator[Entry]:
        """Entries one by one."""
        for n, obj in enumerate(self.objs):
            yield Entry(
                seq=first_seq + n,
                at=self.ats[n],
                kind=self.kinds[n],
                type=self.types[n],
                payload=self.payloads[n],
                hash=self.hashes[n],
                obj=obj,
            )

    def parameters(self, first_seq: int, separator: str) -> list[bytes | None]:
        """In the order of `append_statement`, from the third on. Raises SeparatorTakenError."""
        return [
            str(first_seq).encode(),
            arrays.moments_of(self.ats),
            "".join(self.kinds).encode(),
            arrays.texts_of(self.types, separator),
            arrays.bytes_of(self.payloads),
            b"".join(self.hashes),
            arrays.texts_of(self.order_ids, separator),
            arrays.texts_of(self.sessions, separator),
            arrays.integers_of(self.epochs),
            arrays.bigs_of(self.msg_seq_nums),
            separator.encode(),
        ]


class Batch:
    """Entries with consecutive numbers from first_seq on; see the module.

    state is the one that the entries are folded into: each entry is added just after its folding
    and before the next one's. previous_hash: of the entry before (GENESIS before the first).
    """

    __slots__ = (
        "_answers",
        "_command_row",
        "_entries",
        "_first_seq",
        "_leader_epoch",
        "_previous_hash",
        "_projector",
        "last_hash",
        "last_seq",
    )

    def __init__(
        self, state: State, *, first_seq: int, previous_hash: bytes, leader_epoch: int
    ) -> None:
        self._first_seq = first_seq
        self._leader_epoch = leader_epoch
        self._previous_hash = previous_hash
        self._entries = _Entries()
        self._projector = Projector(state)
        self._answers = Answers()
        self._command_row: int | None = None
        self.last_seq = first_seq - 1
        self.last_hash = previous_hash

    def __len__(self) -> int:
        return self.last_seq - self._first_seq + 1

    def add_command(self, seq: int, at: int, command: Command, payload: bytes = b"") -> None:
        """Add a command, once it is known to be journaled; its events follow.

        payload: what `encode` makes of it, where that was done before.
        """
        entries = self._entries
        self._command_row = len(entries.objs)
        self._add(seq, at, "C", command, payload or encode(command))
        origin = command.origin
        entries.order_ids.append("")
        entries.sessions.append(origin.session)
        numbered = origin.msg_seq_num > 0
        entries.epochs.append(origin.epoch if numbered else None)
        entries.msg_seq_nums.append(origin.msg_seq_num if numbered else None)
        self._projector.observe_command(seq, at, command)
        self._answers.observe_command(seq, at, command)

    def add_event(self, seq: int, at: int, event: Event) -> None:
        """Add an event of the command added last."""
        entries = self._entries
        self._add(seq, at, "E", event, encode(event))
        order_id = getattr(event, "order_id", "")
        if order_id and self._command_row is not None:
            entries.order_ids[self._command_row] = order_id
            self._command_row = None
        entries.order_ids.append(order_id)
        entries.sessions.append(getattr(event, "session", ""))
        entries.epochs.append(None)
        entries.msg_seq_nums.append(None)
        self._projector.observe_event(seq, at, event)
        self._answers.observe_event(event)

    def _add(self, seq: int, at: int, kind: str, obj: Command | Event, payload: bytes) -> None:
        assert seq == self.last_seq + 1, f"seq {seq} does not follow {self.last_seq}"
        entries = self._entries
        name = type(obj).__name__
        digest = entry_hash(self.last_hash, seq, at, kind, name, payload)
        entries.ats.append(at)
        entries.kinds.append(kind)
        entries.types.append(name)
        entries.payloads.append(payload)
        entries.hashes.append(digest)
        entries.objs.append(obj)
        self.last_seq = seq
        self.last_hash = digest

    def seal(self) -> SealedBatch:
        """Build the rows from the state as it is now and pack everything; the batch is over."""
        assert len(self), "an empty batch has nothing to append"
        rows = self._projector.rows()
        answers = self._answers.rows()
        if answers:
            rows["answers"] = answers
        try:
            return self._packed(rows, arrays.SEPARATOR)
        except arrays.SeparatorTakenError:
            entries = self._entries
            other = statements.other_separator(rows, entries.order_ids, entries.sessions)
            return self._packed(rows, other)

    def _packed(self, rows: Mapping[str, Sequence[Row]], separator: str) -> SealedBatch:
        packed = statements.pack(rows, separator)
        return SealedBatch(
            first_seq=self._first_seq,
            last_seq=self.last_seq,
            leader_epoch=self._leader_epoch,
            previous_hash=self._previous_hash,
            last_hash=self.last_hash,
            sql=statements.append_statement(packed.forms),
            parameters=self._entries.parameters(self._first_seq, separator) + packed.parameters,
            formats=statements.append_formats(packed.forms),
            _entries=self._entries,
        )
