"""Reloads of the sessions that the core has done, and how a process beside it follows them.

The journal names what was reloaded and holds no configuration: who follows reads its own file anew.
A core that begins to lead has read its file too, which may be another one than that of the core
before it: the epoch of the lead, which each of them raises, tells of that.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, func, select

from oms.domain.session_commands import ReloadSessions
from oms.settings.load import ConfigError
from oms.settings.model import Settings
from oms.store.codec import decode
from oms.store.tables import command_inbox, leadership

# A row may be seen later than one with a higher number.
_LATE: Final = 1_000
log = structlog.get_logger(__name__)

Reread = Callable[[Settings], Settings]
"""The settings that run, with what a reload takes over from the file. Raises ConfigError."""


class Reloads:
    """Tells once of each reload and each new leader, by any thread. reread is called after it, and
    at the first look: the file may have been reloaded since it was read.
    """

    def __init__(self, engine: Engine, settings: Settings, reread: Reread) -> None:
        self._engine = engine
        self._settings = settings
        self._reread = reread
        self._looked_at = 0
        self._known: frozenset[int] | None = None
        self._epoch = 0
        self._lock = threading.Lock()

    def look(self) -> Settings | None:
        """What holds from now on, where that is something new. Raises the database's errors."""
        with self._lock:
            with self._engine.connect() as connection:
                found, looked_at = _reloads(connection, self._looked_at - _LATE)
                epoch = _epoch(connection, self._settings.core.shard)
            news = self._known is None or bool(found - self._known) or epoch != self._epoch
            taken = self._taken_over() if news else None
            self._known, self._looked_at, self._epoch = found, looked_at, epoch
            return taken

    def _taken_over(self) -> Settings | None:
        try:
            settings = self._reread(self._settings)
        except ConfigError as error:
            log.warning("side.file_refused", fault="; ".join(str(error).splitlines()))
            return None
        if settings == self._settings:
            return None
        self._settings = settings
        log.info("side.sessions_reloaded")
        return settings


def _reloads(connection: Connection, since: int) -> tuple[frozenset[int], int]:
    """The numbers of those done behind that row of the inbox, and up to which row all are done."""
    column = command_inbox.c
    rows = connection.execute(
        select(column.id, column.body).where(
            column.id > since,
            column.command_type == ReloadSessions.__name__,
            column.accepted,
        )
    )
    found = frozenset(number for number, body in rows if not _is_dry(bytes(body)))
    open_from = select(func.min(column.id) - 1).where(column.state == "new").scalar_subquery()
    last = select(func.coalesce(open_from, func.max(column.id), 0))
    return found, connection.execute(last).scalar_one()


def _epoch(connection: Connection, shard: str) -> int:
    """Of the core that leads, or led last; 0 before the first."""
    query = select(leadership.c.epoch).where(leadership.c.shard == shard)
    return connection.execute(query).scalar_one_or_none() or 0


def _is_dry(body: bytes) -> bool:
    command = decode(ReloadSessions.__name__, body)
    assert isinstance(command, ReloadSessions), command
    return command.dry_run
