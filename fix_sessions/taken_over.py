"""Connections that the gate has handed over: nobody reads their bytes in front of us any more."""

import os
from collections.abc import Callable, Collection
from pathlib import Path

from fix_sessions.acceptor import Acceptor
from fix_sessions.application import SessionRecord
from fix_sessions.refused_resets import end_reset_session


class TakenOver:
    """Those of an engine's acceptors, by our own descriptor of each."""

    def __init__(self, store_dir: Path) -> None:
        self._store_dir = store_dir
        self._stores_changed_ns = 0
        # Called with the descriptor when a connection has ended.
        self.ended: Callable[[int], None] | None = None
        self._records: dict[int, SessionRecord] = {}
        self._acceptors: dict[int, Acceptor] = {}

    def __contains__(self, client: int) -> bool:
        return client in self._records

    def __bool__(self) -> bool:
        return bool(self._records)

    @property
    def session_ids(self) -> list[str]:
        return [record.session_id for record in self._records.values()]

    def add(self, client: int, record: SessionRecord, acceptor: Acceptor) -> None:
        self._records[client] = record
        self._acceptors[client] = acceptor

    def look_after(self, ready: Collection[int], *, all_of_them: bool) -> None:
        """End sessions that were reset unasked, forget connections that are closed.

        ready: those that had something to read; others were perhaps read from as well.
        """
        # A reset deletes files. Sessions are many, their directory is one.
        changed_ns = os.stat(self._store_dir).st_mtime_ns  # noqa: PTH116 - often called
        if changed_ns != self._stores_changed_ns or all_of_them:
            self._stores_changed_ns = changed_ns
            for client, record in self._records.items():
                if record.logged_on and end_reset_session(record):
                    self._acceptors[client].unfinished = True
        for client in list(self._records) if all_of_them else ready:
            if self._acceptors[client].has_ended(client):
                self._acceptors.pop(client).let_go(client)
                del self._records[client]
                if self.ended is not None:
                    self.ended(client)
