"""Verification: the chain recomputed, the journal folded again, every derived row compared.

Everything is read in one snapshot, so a server may run meanwhile. Derived rows are made again by
the code that made them, in temporary tables, and PostgreSQL compares the two.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import IsolationLevel

from oms.audit.compare import COMPARED, Difference, compare, prepare
from oms.core import replay
from oms.domain.commands import Command, CoreStarted
from oms.domain.events import Event
from oms.domain.instrument import Reference
from oms.domain.state import State
from oms.store import statements
from oms.store.arrays import clean
from oms.store.batch import GENESIS, entry_hash
from oms.store.codec import CodecError, decode
from oms.store.projector import Projector

# Rows go to the temporary tables whenever this many entries have been folded.
_STRETCH = 2_000
_FAULTS_SHOWN = 100

_JOURNAL = """
    SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, kind, type, order_id, session, epoch,
           msg_seq_num, leader_epoch, payload, hash
    FROM journal ORDER BY seq
"""

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with the journal's entry of that number."""

    seq: int
    text: str


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What was verified and what was found. faults are the journal's, in order, at most a hundred;
    differences are the read tables', at most a hundred for each. fault_count counts all.

    restored: numbers that were left out where a restored database was declared, by whom and why.
    rows: by table, how many rows the journal says it has; of none if it could not be folded.
    """

    entries: int = 0
    last_seq: int = 0
    last_hash: bytes = GENESIS
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the journal is whole and every derived row is what it must be."""
        return not self.faults and not self.differences and self.rows.keys() == COMPARED.keys()

    def blame(self, seq: int, text: str) -> None:
        """Note a fault of the journal."""
        self.fault_count += 1
        if len(self.faults) < _FAULTS_SHOWN:
            self.faults.append(Fault(seq=seq, text=text))


def verify(url: str) -> VerifyReport:
    """Verify the database at url, whose role must be able to read all and to make temporary tables.

    Raises psycopg.Error when the database cannot be read; whatever is wrong inside is reported.
    """
    began = time.perf_counter()
    report = VerifyReport()
    with _snapshot(url) as connection:
        schema = prepare(connection)
        if _fold(connection, report):
            for table in COMPARED:
                compare(connection, schema, table, report.rows, report.differences)
    report.seconds = time.perf_counter() - began
    return report


@contextmanager
def _snapshot(url: str) -> Iterator[Connection]:
    """A connection whose one transaction sees one state of the database, and leaves no trace."""
    # A role that only reads may still write to temporary tables of its own.
    writable = "-c default_transaction_read_only=off -c idle_in_transaction_session_timeout=0"
    with psycopg.connect(url, options=writable) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            yield connection
        finally:
            connection.rollback()


def _fold(connection: Connection, report: VerifyReport) -> bool:
    """Check the chain, fold the journal and write its rows; whether all could be folded."""
    state = State(reference=Reference())
    check = _EntryCheck(report)
    projector = Projector(state)
    waiting = 0
    with connection.cursor(name="verified", binary=True) as cursor:
        cursor.itersize = _STRETCH
        for row in cursor.execute(_JOURNAL):
            obj = check.entry(row)
            if obj is None:
                return False
            if waiting >= _STRETCH and isinstance(obj, Command):
                _write(connection, projector)
                projector, waiting = Projector(state), 0
            waiting += 1
            try:
                _fold_entry(state, projector, row[0], row[1], obj)
            except Exception as error:  # noqa: BLE001 -- whatever a forged entry may cause
                report.blame(row[0], f"cannot be folded: {type(error).__name__}: {error}")
                return False
    check.end()
    _write(connection, projector)
    return True


def _fold_entry(
    state: State, projector: Projector, seq: int, at: int, obj: Command | Event
) -> None:
    """As the sequencer does it: commands are noted before they are folded, events after."""
    if isinstance(obj, Command):
        projector.observe_command(seq, at, obj)
        replay(state, seq, at, obj)
    else:
        replay(state, seq, at, obj)
        projector.observe_event(seq, at, obj)


def _write(connection: Connection, projector: Projector) -> None:
    rows = projector.rows()
    if rows:
        statements.project(connection, rows)


def _content(name: str, payload: bytes) -> tuple[Command | Event | None, str]:
    """What an entry says; or None, and why it cannot be read."""
    try:
        return decode(name, payload), ""
    except CodecError as error:
        return None, f"cannot be read: {error}"


class _EntryCheck:
    """Checks entries as they come: numbers, chain, content, and the columns that repeat content."""

    def __init__(self, report: VerifyReport) -> None:
        self._report = report
        self._leader_epoch = 0
        self._command: tuple[int, str] | None = None

    def entry(self, row: tuple[Any, ...]) -> Command | Event | None:
        """Check an entry; its content, or None if there is none to go on with."""
        seq, at, kind, name, order_id, *_, payload, digest = row
        report = self._report
        obj, unreadable = _content(name, payload)
        if isinstance(obj, CoreStarted) and obj.restored:
            numbers = f"{report.last_seq + 1} to {seq - 1}"
            report.restored.append(f"{numbers} were left out by {obj.origin.user}: {obj.restored}")
        elif seq != report.last_seq + 1:
            report.blame(seq, f"follows {report.last_seq}: entries in between are missing")
        if entry_hash(report.last_hash, seq, at, kind, name, payload) != digest:
            report.blame(seq, "the hash does not fit the entry and the one before it")
        report.entries += 1
        report.last_seq, report.last_hash = seq, digest
        if obj is None:
            report.blame(seq, unreadable)
            return None
        if isinstance(obj, Command) is not (kind == "C"):
            report.blame(seq, f"kind {kind}: must be {'C' if kind == 'E' else 'E'}")
        self._check_order(seq, order_id, obj)
        self._check_columns(seq, row[5:9], obj)
        return obj

    def _check_order(self, seq: int, order_id: str | None, obj: Command | Event) -> None:
        """order_id of an event is its own; of a command the first that its events name."""
        if isinstance(obj, Command):
            self.end()
            self._command = (seq, order_id or "")
            return
        wanted = clean(getattr(obj, "order_id", ""))
        if wanted and self._command is not None:
            command_seq, found = self._command
            self._compare(command_seq, "order_id", found, wanted)
            self._command = None
        self._compare(seq, "order_id", order_id or "", wanted)

    def end(self) -> None:
        """The command's events are over."""
        if self._command is not None:
            self._compare(self._command[0], "order_id", self._command[1], "")
        self._command = None

    def _check_columns(self, seq: int, found: tuple[Any, ...], obj: Command | Event) -> None:
        if isinstance(obj, Command):
            if isinstance(obj, CoreStarted):
                self._leader_epoch = obj.leader_epoch
            origin = obj.origin
            numbers = (origin.epoch, origin.msg_seq_num) if origin.msg_seq_num else (None, None)
            session = origin.session
        else:
            session = getattr(obj, "session", "")
            numbers = (None, None)
        wanted = (clean(session) or None, *numbers, self._leader_epoch)
        names = ("session", "epoch", "msg_seq_num", "leader_epoch")
        for name, one, other in zip(names, found, wanted, strict=True):
            self._compare(seq, name, one, other)

    def _compare(self, seq: int, column: str, found: object, wanted: object) -> None:
        if found != wanted:
            self._report.blame(seq, f"column {column} is {found!r}: its payload says {wanted!r}")
