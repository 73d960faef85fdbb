"""The inbox of commands, as the core sees it: new rows become commands, in order, each once.

A thread of its own listens and reads, so that the sequencer never waits. The row is answered in the
transaction that journals its command; until then it stays new, and a core that takes over reads it
again.
"""

import contextlib
import os
import selectors
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import structlog

from oms.domain.commands import Command
from oms.store.codec import CodecError, decode
from oms.store.inbox_rules import fault_of

log = structlog.get_logger(__name__)

CHANNEL = "command_inbox"

_PAGE = 1_000
# Should a notification ever be missed, the row waits no longer than this.
_LOOK_AGAIN_S = 2.0
_FIRST_RETRY_S = 0.05
_LONGEST_RETRY_S = 2.0

_NEW = """
    SELECT id, command_type, body FROM command_inbox
    WHERE state = 'new' AND NOT (id = ANY(%s)) ORDER BY id LIMIT %s
"""
_STILL_NEW = "SELECT id FROM command_inbox WHERE state = 'new' AND id = ANY(%s)"

# What no core of this version can read; a core that can has answered it already.
_REFUSE = """
    UPDATE command_inbox SET state = 'done', accepted = false, reason = 'UNSUPPORTED_VALUE',
        answer_text = %s, answered_at = clock_timestamp()
    WHERE id = %s AND state = 'new'
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class InboxReader:
    """`start` it, wait for `fileno` to be readable, `take` what came, `stop` it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._arrived: deque[Command] = deque()
        self._handed_out: set[int] = set()
        self._failure: Exception | None = None
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def start(self) -> None:
        """Begin to read; everything not answered yet comes first."""
        self._thread.start()

    def fileno(self) -> int:
        """Readable when there is something to take."""
        return self._wakeup

    def take(self) -> list[Command]:
        """What came since the last call, in the order of the inbox, with origin.inbox_id.

        Raises what ended the reader, if anything but a lost connection did.
        """
        if self._failure is not None:
            raise self._failure
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wakeup)
        taken = []
        while self._arrived:
            taken.append(self._arrived.popleft())
        return taken

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread; what was not taken stays new. A second call does nothing."""
        if self._stopping < 0:
            return
        os.eventfd_write(self._stopping, 1)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        os.close(self._stopping)
        os.close(self._wakeup)
        self._stopping = self._wakeup = -1

    def _run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._stopping, selectors.EVENT_READ)
                self._follow_connections(selector)
        except Exception as failure:
            log.exception("inbox.reader_failed")
            self._failure = failure
            os.eventfd_write(self._wakeup, 1)

    def _follow_connections(self, selector: selectors.BaseSelector) -> None:
        """Read until told to stop, over one connection after the other."""
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                with self._connection() as connection:
                    retry_s = _FIRST_RETRY_S
                    self._follow(connection, selector)
                return
            except psycopg.OperationalError as error:
                log.warning("inbox.connection_lost", retry_s=retry_s, error=_one_line(error))
            if selector.select(retry_s):
                return
            retry_s = min(2 * retry_s, _LONGEST_RETRY_S)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = psycopg.connect(
            self._url, autocommit=True, connect_timeout=5, application_name="plumbline inbox"
        )
        with connection:
            connection.execute(f"LISTEN {CHANNEL}")
            yield connection

    def _follow(self, connection: Connection, selector: selectors.BaseSelector) -> None:
        """Read until told to stop. Raises OperationalError when the connection is lost."""
        descriptor = connection.fileno()
        selector.register(descriptor, selectors.EVENT_READ)
        try:
            while True:
                # A notification may have come with a query's result: then nothing is readable.
                while self._read(connection) or list(connection.notifies(timeout=0)):
                    pass
                ready = selector.select(_LOOK_AGAIN_S)
                if any(key.fd == self._stopping for key, _ in ready):
                    return
        finally:
            selector.unregister(descriptor)

    def _read(self, connection: Connection) -> bool:
        """Hand out the next rows; whether there may be more.

        A number that is missing may still be committed later, so every row that is new and not
        handed out counts, not only those behind the last one.
        """
        if self._handed_out:
            rows = connection.execute(_STILL_NEW, [list(self._handed_out)]).fetchall()
            self._handed_out = {inbox_id for (inbox_id,) in rows}
        rows = connection.execute(_NEW, [list(self._handed_out), _PAGE], binary=True).fetchall()
        for inbox_id, name, body in rows:
            self._handed_out.add(inbox_id)
            self._hand_out(connection, inbox_id, name, body)
        if rows:
            os.eventfd_write(self._wakeup, 1)
        return len(rows) == _PAGE

    def _hand_out(self, connection: Connection, inbox_id: int, name: str, body: bytes) -> None:
        try:
            command = decode(name, body)
            if not isinstance(command, Command):
                raise CodecError(f"{name}: is no command")
            fault = fault_of(command)
            if fault:
                raise CodecError(fault)
        except CodecError as error:
            log.warning("inbox.row_refused", inbox_id=inbox_id, command=name, error=str(error))
            # PostgreSQL's text takes no NUL.
            text = str(error).replace("\0", "\ufffd")
            connection.execute(_REFUSE, [text, inbox_id])
            return
        origin = replace(command.origin, inbox_id=inbox_id)
        self._arrived.append(replace(command, origin=origin))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
