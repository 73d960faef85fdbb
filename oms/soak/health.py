"""How the server stands by its database, looked at by a thread that may hang with that."""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from oms.store.leader import lock_key

LOOK_EVERY_S = 0.2
_LOCK = lock_key("main")
_SESSIONS: LiteralString = "SELECT name, logged_on, ready FROM sessions"
_LEADER: LiteralString = "SELECT epoch, holder FROM leadership"
_TIP: LiteralString = "SELECT coalesce(max(seq), 0) AS seq FROM journal"
_BACKEND: LiteralString = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND (classid::bigint << 32 | objid::bigint) = %s
"""
_MOVING: LiteralString = """
SELECT order_id, status FROM orders WHERE in_doubt OR status LIKE 'PENDING%'
UNION ALL
SELECT order_id, status FROM child_orders WHERE in_doubt OR status LIKE 'PENDING%'
"""
_OPEN: LiteralString = (
    "SELECT (SELECT count(*) FROM orders WHERE is_open)"
    " + (SELECT count(*) FROM child_orders WHERE is_open) AS open"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look. at: monotonic seconds when it was over. down: sessions that are not up.

    moving: orders in doubt or pending. leader: its process id; backend: its own in PostgreSQL.
    """

    at: float = 0.0
    epoch: int = 0
    leader: int = 0
    backend: int = 0
    seq: int = 0
    down: tuple[str, ...] = ("all",)
    moving: tuple[str, ...] = field(default=())
    open_orders: int = 0


class Watch:
    """Looks again and again until stopped; `last` is the newest look."""

    def __init__(self, url: str, venues: tuple[str, ...], sessions: int) -> None:
        self.last = Health()
        self._url = url
        self._venues = venues
        self._sessions = sessions
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End it, if it does not hang."""
        self._stopped.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(psycopg.Error):
                self._look_for_long()
            self._stopped.wait(LOOK_EVERY_S)

    def _look_for_long(self) -> None:
        """By one connection, as long as it holds."""
        with psycopg.connect(
            self._url, row_factory=dict_row, autocommit=True, connect_timeout=5
        ) as connection:
            while not self._stopped.is_set():
                self.last = self._look(connection)
                self._stopped.wait(LOOK_EVERY_S)

    def _look(self, connection: psycopg.Connection[dict[str, Any]]) -> Health:
        def rows(query: LiteralString) -> list[dict[str, Any]]:
            return connection.execute(query).fetchall()

        sessions = rows(_SESSIONS)
        down = [
            str(one["name"])
            for one in sessions
            if not one["logged_on"] or (one["name"] in self._venues and not one["ready"])
        ]
        if len(sessions) < self._sessions:
            down.append("some")
        leader = rows(_LEADER)
        backend = connection.execute(_BACKEND, [_LOCK]).fetchone()
        epoch, holder = (leader[0]["epoch"], leader[0]["holder"]) if leader else (0, ":0")
        return Health(
            epoch=int(epoch),
            leader=int(str(holder).rpartition(":")[2]),
            backend=int(backend["pid"]) if backend else 0,
            seq=int(rows(_TIP)[0]["seq"]),
            down=tuple(down),
            moving=tuple(str(one["order_id"]) for one in rows(_MOVING)),
            open_orders=int(rows(_OPEN)[0]["open"]),
            at=time.monotonic(),
        )
