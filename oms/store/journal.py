"""The journal in PostgreSQL: append a batch in one statement, read entries in order."""

import itertools
from collections.abc import Iterator
from typing import Any, cast

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format

from oms.store.batch import GENESIS, Entry, SealedBatch
from oms.store.codec import decode
from oms.store.leader import Leadership

Connection = psycopg.Connection[tuple[Any, ...]]

_PAGE = 2_000
_PREPARED_MAX = 256

# Payloads and hashes, the seventh and eighth parameter, travel as bytes, the others as text.
_FORMATS = [Format.BINARY if number in (7, 8) else Format.TEXT for number in range(1, 1_000)]

_READ = """
    SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, kind, type, payload, hash
    FROM journal WHERE seq >= %s ORDER BY seq LIMIT %s
"""


_DELIVERED = "SELECT coalesce(max(seq), 0) FROM fix_messages WHERE direction = 'out'"


class PostgresJournal:
    """The leader's journal. Appends over the leadership's connection, one thread at a time."""

    def __init__(self, leadership: Leadership) -> None:
        self._leadership = leadership
        self._prepared: dict[bytes, bytes] = {}
        self._numbers = itertools.count(1)
        connection = leadership.connection
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
        leadership = self._leadership
        assert batch.leader_epoch == leadership.epoch, "a batch belongs to one leadership"
        whose = [leadership.shard.encode(), str(leadership.epoch).encode()]
        with leadership.guard():
            self._execute(batch.sql, [*whose, *batch.parameters])

    def _execute(self, sql: bytes, parameters: list[bytes | None]) -> None:
        """Straight to libpq, which waits without the GIL: a cursor costs a quarter of a commit."""
        connection = self._leadership.connection
        with connection.lock:
            name = self._prepared.get(sql) or self._prepare(sql)
            formats = _FORMATS[: len(parameters)]
            # None is a NULL, which the annotation of exec_prepared leaves out.
            told = cast("list[bytes]", parameters)
            result = connection.pgconn.exec_prepared(name, told, formats)
        if result.status != ExecStatus.TUPLES_OK:
            raise error_from_result(result)

    def _prepare(self, sql: bytes) -> bytes:
        pgconn = self._leadership.connection.pgconn
        if len(self._prepared) >= _PREPARED_MAX:
            oldest = self._prepared.pop(next(iter(self._prepared)))
            pgconn.exec_(b"DEALLOCATE " + oldest)
        name = b"append_%d" % next(self._numbers)
        result = pgconn.prepare(name, sql)
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
        self._prepared[sql] = name
        return name

    def tip(self) -> tuple[int, bytes]:
        """Number and hash of the last entry; (0, GENESIS) of an empty journal."""
        with self._leadership.guard():
            return tip(self._leadership.connection)

    def delivered(self) -> int:
        """The largest event number whose message is known to have been handed to a session."""
        with self._leadership.guard():
            row = self._leadership.connection.execute(_DELIVERED).fetchone()
        return int(row[0]) if row else 0

    def heartbeat(self) -> None:
        """Keep the right to write. Raises LeadershipLost."""
        self._leadership.heartbeat()

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        """Entries from a number on, in order, up to what is durable when the last page is read."""
        with self._leadership.guard():
            yield from read(self._leadership.connection, from_seq)


def tip(connection: Connection) -> tuple[int, bytes]:
    """Number and hash of the last entry; (0, GENESIS) of an empty journal."""
    row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def read(connection: Connection, from_seq: int = 1) -> Iterator[Entry]:
    """Entries from a number on, in order; reads a page at a time. Raises CodecError."""
    while True:
        page = connection.execute(_READ, [from_seq, _PAGE], binary=True).fetchall()
        for seq, at, kind, name, payload, digest in page:
            yield Entry(
                seq=seq,
                at=at,
                kind=kind,
                type=name,
                payload=payload,
                hash=digest,
                obj=decode(name, payload),
            )
        if len(page) < _PAGE:
            return
        from_seq = page[-1][0] + 1
