"""One writer per shard: the session that holds the advisory lock commits the journal.

Losing the connection is losing the lock and with it the right to commit, so a standby that gets the
lock can take over at once. What outlives a session (a pooled connection, a promoted replica) is
stopped by the epoch: each leader raises it when it takes the lock, and whoever writes the journal
calls `require_leadership` of the schema in the same transaction.

After LeadershipLost: stop sending, acquire again, read the journal's tip (which settles a commit
whose outcome was unknown) and replay.
"""

import contextlib
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import psycopg

# A leader that is silent this long has lost the lead. Beat at least four times as often.
IDLE_TIMEOUT_S = 2.0

_RETRY_S = 0.05

# Our side of the same promise, for each connection that the order path waits for: a server that
# went away is noticed in seconds. Without meaning on a unix socket.
NOTICED_SOON: Final[dict[str, Any]] = {
    "keepalives": 1,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 3000,
}

# The error of `require_leadership` in the schema.
_EPOCH_IS_OVER = "PL001"

_RAISE_EPOCH = """
    INSERT INTO leadership AS held (shard, epoch, holder, since)
    VALUES (%(shard)s, 1, %(holder)s, clock_timestamp())
    ON CONFLICT (shard) DO UPDATE
        SET epoch = held.epoch + 1, holder = excluded.holder, since = excluded.since
    RETURNING epoch
"""


class LeadershipUnavailable(Exception):
    """Another process leads the shard, and went on leading it for as long as we were to wait."""


class LeadershipLost(Exception):
    """We lead no longer: nothing more may be committed or sent by what we decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """The lead of one shard, as long as `connection` lives (autocommit; one thread at a time)."""

    connection: psycopg.Connection[tuple[Any, ...]] = field(repr=False)
    shard: str
    epoch: int
    holder: str

    def heartbeat(self) -> None:
        """Keep an idle session alive, and make sure that we still lead. Raises LeadershipLost."""
        with self.guard():
            self.connection.execute("SELECT require_leadership(%s, %s)", [self.shard, self.epoch])

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Around work on the connection: turns the end of session or epoch into LeadershipLost."""
        try:
            yield
        except psycopg.Error as error:
            if error.diag.sqlstate == _EPOCH_IS_OVER:
                self.connection.close()
            if not self.connection.closed:
                raise
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise LeadershipLost(
                f"shard {self.shard!r}: the lead with epoch {self.epoch} is lost: {reason}"
            ) from error

    def release(self) -> None:
        """Give the lead up by ending the session."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def acquire_leadership(
    conninfo: str,
    *,
    shard: str,
    wait: bool,
    timeout_s: float | None,
    idle_timeout_s: float = IDLE_TIMEOUT_S,
) -> Leadership:
    """Take the lead of `shard` and raise its epoch, in a session of its own.

    With `wait` a standby waits for `timeout_s` seconds (None: for ever) until the leader is gone.
    The server ends the session of a leader that is silent for `idle_timeout_s`, a frozen or
    unreachable one.

    Raises LeadershipUnavailable if another leads on; psycopg.OperationalError if the server cannot
    be reached.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}"
    patience_s = (float("inf") if timeout_s is None else timeout_s) if wait else 0.0
    deadline = time.monotonic() + patience_s
    connection = _connect(conninfo, shard)
    try:
        _set_session(connection, idle_timeout_s)
        epoch = _take(connection, shard, holder, deadline)
    except BaseException:
        connection.close()
        raise
    return Leadership(connection=connection, shard=shard, epoch=epoch, holder=holder)


def lock_key(shard: str) -> int:
    """The advisory lock's key: 64 bits of the shard's name, signed as PostgreSQL's bigint is."""
    digest = hashlib.sha256(f"plumbline leadership {shard}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _connect(conninfo: str, shard: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        conninfo,
        autocommit=True,
        connect_timeout=5,
        application_name=f"plumbline leader {shard}"[:63],
        **NOTICED_SOON,
    )


def _set_session(connection: psycopg.Connection[tuple[Any, ...]], idle_timeout_s: float) -> None:
    idle = f"{int(idle_timeout_s * 1000)}ms"
    settings = {
        "idle_session_timeout": idle,
        "idle_in_transaction_session_timeout": idle,
        # A leader that dies while a statement of its waits.
        "client_connection_check_interval": "100ms",
        # A leader whose machine or network is gone; without meaning on a unix socket.
        "tcp_keepalives_idle": "1",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "3000",
    }
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])


def _take(
    connection: psycopg.Connection[tuple[Any, ...]], shard: str, holder: str, deadline: float
) -> int:
    # Asked again and again, because a statement that waits for the lock keeps its snapshot: a
    # standby that waits for days would keep vacuum from removing any row for days.
    while not _value(connection.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(shard)])):
        if time.monotonic() >= deadline:
            query = "SELECT holder, epoch FROM leadership WHERE shard = %s"
            row = connection.execute(query, [shard]).fetchone()
            leader = f"{row[0]} with epoch {row[1]}" if row else "another process"
            msg = f"shard {shard!r} is led by {leader}"
            raise LeadershipUnavailable(msg)
        time.sleep(_RETRY_S)
    raised = connection.execute(_RAISE_EPOCH, {"shard": shard, "holder": holder})
    return int(_value(raised))


def _value(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Any:
    row = cursor.fetchone()
    assert row is not None, "the statement returns one row"
    return row[0]
