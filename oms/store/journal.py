"""The journal in PostgreSQL: append a batch in one statement, read entries in order."""

import itertools
import select
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any, NoReturn, cast

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from oms.domain.commands import Command
from oms.domain.events import Event
from oms.store.batch import GENESIS, Entry, SealedBatch
from oms.store.codec import decode
from oms.store.fold_codec import decode_for_fold
from oms.store.leader import Leadership

Connection = psycopg.Connection[tuple[Any, ...]]

_PAGE = 2_000
_PREPARED_MAX = 256
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

_READ = """
    SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, kind, type, payload, hash
    FROM journal WHERE seq >= %s ORDER BY seq LIMIT %s
"""


_DELIVERED = """
    SELECT coalesce(max(last_event_seq), 0) FROM sent_notes WHERE NOT (session = ANY(%s))
"""


_KEPT = "SELECT name, undelivered_from FROM sessions WHERE undelivered > 0"


class PostgresJournal:
    """The leader's journal. Appends over the leadership's connection, one thread at a time.

    One batch at a time: `begin` and then `finished` until it is, or `append`, which waits.
    """

    def __init__(self, leadership: Leadership) -> None:
        self._leadership = leadership
        self._prepared: dict[bytes, bytes] = {}
        self._numbers = itertools.count(1)
        self._steps: deque[Callable[[PGconn], None]] = deque()
        self._unsent = False
        self._refusal: psycopg.Error | None = None
        connection = leadership.connection
        self._events = select.epoll()
        self._events.register(connection.fileno(), select.EPOLLIN)
        # One plan for every size of batch and table, and that by index: it is made while the tables
        # are small, and planning anew would cost more than it could gain.
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET jit = off")

    def append(self, batch: SealedBatch) -> None:
        """Make the batch durable: entries, read tables and answers, all or nothing.

        Raises LeadershipLost if another leads or the session ended: then the batch may or may not
        have become durable, which the tip tells. Any other error wrote nothing.
        """
        self.begin(batch)
        while not self.finished():
            select.select([self.fileno()], [], [])

    def begin(self, batch: SealedBatch) -> None:
        """Send the batch, as far as that goes without waiting. Raises as `append` does."""
        leadership = self._leadership
        assert batch.leader_epoch == leadership.epoch, "a batch belongs to one leadership"
        assert not self._steps, "one batch at a time"
        whose = [leadership.shard.encode(), str(leadership.epoch).encode()]
        parameters = [*whose, *batch.parameters]
        name = self._prepared.get(batch.sql) or self._prepare(batch.sql)
        formats = batch.formats
        # None is a NULL, which the annotation leaves out.
        told = cast("list[bytes]", parameters)
        self._steps.append(lambda pgconn: pgconn.send_query_prepared(name, told, formats))
        with leadership.guard():
            self._send_step()

    def _prepare(self, sql: bytes) -> bytes:
        """Its name, and the steps before its first use: even these may have to wait for a lock."""
        if len(self._prepared) >= _PREPARED_MAX:
            oldest = self._prepared.pop(next(iter(self._prepared)))
            self._steps.append(lambda pgconn: pgconn.send_query(b"DEALLOCATE " + oldest))
        name = b"append_%d" % next(self._numbers)
        self._steps.append(lambda pgconn: pgconn.send_prepare(name, sql))
        self._prepared[sql] = name
        return name

    def _send_step(self) -> None:
        self._steps.popleft()(self._leadership.connection.pgconn)
        self._flush()

    def finished(self) -> bool:
        """Whether what was begun is durable now; looks without waiting. Raises as `append` does."""
        pgconn = self._leadership.connection.pgconn
        with self._leadership.guard():
            if self._unsent:
                self._flush()
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is not None:
                    if result.status not in _GOOD:
                        self._refusal = error_from_result(result)
                elif self._refusal is not None:
                    self._give_up(self._refusal)
                elif self._steps:
                    self._send_step()
                else:
                    return True
        return False

    def _give_up(self, refusal: psycopg.Error) -> NoReturn:
        """The connection is free again; what had to be prepared for the batch may not be."""
        self._steps.clear()
        self._prepared.clear()
        self._refusal = None
        raise refusal

    def fileno(self) -> int:
        """Readable when `finished` may have come further."""
        return self._events.fileno()

    def _flush(self) -> None:
        unsent = bool(self._leadership.connection.pgconn.flush())
        if unsent != self._unsent:
            self._unsent = unsent
            wanted = select.EPOLLIN | (select.EPOLLOUT if unsent else 0)
            self._events.modify(self._leadership.connection.fileno(), wanted)

    def tip(self) -> tuple[int, bytes]:
        """Number and hash of the last entry; (0, GENESIS) of an empty journal."""
        with self._leadership.guard():
            return tip(self._leadership.connection)

    def hash_of(self, seq: int) -> bytes | None:
        """The chain hash of the entry of that number; None where there is none."""
        with self._leadership.guard():
            query = "SELECT hash FROM journal WHERE seq = %s"
            row = self._leadership.connection.execute(query, [seq]).fetchone()
        return row[0] if row else None

    def delivered(self, venues: Collection[str]) -> int:
        """See oms.ports.JournalReader."""
        with self._leadership.guard():
            row = self._leadership.connection.execute(_DELIVERED, [list(venues)]).fetchone()
        return int(row[0]) if row else 0

    def kept(self) -> dict[str, int]:
        """See oms.ports.JournalReader."""
        with self._leadership.guard():
            return dict(self._leadership.connection.execute(_KEPT).fetchall())

    def heartbeat(self) -> None:
        """Keep the right to write. Raises LeadershipLost."""
        self._leadership.heartbeat()

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        """See oms.ports.JournalReader; up to what is durable when the last page is read."""
        with self._leadership.guard():
            yield from read(self._leadership.connection, from_seq, decode_for_fold)


def tip(connection: Connection) -> tuple[int, bytes]:
    """Number and hash of the last entry; (0, GENESIS) of an empty journal."""
    row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def read(
    connection: Connection,
    from_seq: int = 1,
    decoded: Callable[[str, bytes], Command | Event] = decode,
) -> Iterator[Entry]:
    """Entries from a number on, in order; reads a page at a time. Raises CodecError."""
    while True:
        page = connection.execute(_READ, [from_seq, _PAGE], binary=True).fetchall()
        for seq, at, kind, name, payload, digest in page:
            yield Entry(seq, at, kind, name, payload, digest, decoded(name, payload))
        if len(page) < _PAGE:
            return
        from_seq = page[-1][0] + 1
