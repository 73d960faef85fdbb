"""Counterparties that read slower than we send: their backlog is sent on, or the connection ends.
And clients whose bytes never become messages: the connection ends.

QuickFIX keeps what a full connection does not take in memory, without limit, and sends it on one
message for each poll. Nothing says so, but the kernel tells when a full connection has room again
(edge-triggered, so it costs nothing for all the others), and how much was written to it. Nor does
it limit what it keeps of bytes without a message's end, and of messages behind a gap.
"""

import contextlib
import os
import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from fix_sessions import descriptors
from fix_sessions.transport import Transport

_log = structlog.get_logger(__name__)
_PUMPS_AT_ONCE = 64
# So much of a client is read and nothing of it answered. More than can be on its way when a gap is
# noticed; each further byte costs a search through all of them.
_MAX_UNANSWERED_BYTES = 1 << 24


@dataclass(slots=True)
class _Connection:
    inode: int
    transport: Transport
    full_since_s: float | None = None
    # How much was written to it at the last look, and read from it when more had been written.
    written: int = -1
    read_then: int = 0

    def unanswered(self, descriptor: int) -> int:
        """How many bytes came since something was last written."""
        read, written = descriptors.bytes_read(descriptor), descriptors.bytes_written(descriptor)
        if written != self.written:
            self.written, self.read_then = written, read
        return read - self.read_then


class Backlog:
    """Watches connections for room to write.

    pump: gives a transport its turn; these descriptors of it may have something to read as well.
    """

    def __init__(self, limit_s: float, pump: Callable[[Transport, Sequence[int]], None]) -> None:
        self._limit_s = limit_s
        self._pump = pump
        self._room = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._sending: set[int] = set()

    def fileno(self) -> int:
        """Readable when a connection has room again."""
        return self._room.fileno()

    def add(self, descriptor: int, transport: Transport) -> None:
        self._connections[descriptor] = _Connection(os.fstat(descriptor).st_ino, transport)
        try:
            self._room.register(descriptor, select.EPOLLOUT | select.EPOLLET)
        except FileExistsError:
            self._room.modify(descriptor, select.EPOLLOUT | select.EPOLLET)

    def remove(self, descriptor: int) -> None:
        """Undo `add`; call it before the descriptor is closed."""
        self._connections.pop(descriptor, None)
        self._sending.discard(descriptor)
        with contextlib.suppress(OSError):
            self._room.unregister(descriptor)

    def note_room(self) -> None:
        """Take note of the connections that have room again."""
        self._sending.update(descriptor for descriptor, _ in self._room.poll(0))

    @property
    def pending(self) -> bool:
        """Whether `send_on` has something to do without waiting."""
        return bool(self._sending)

    def send_on(self) -> None:
        """Send on some of the backlog of the connections that have room."""
        for descriptor in list(self._sending):
            if not self._send_some(descriptor):
                self._sending.discard(descriptor)

    def _send_some(self, descriptor: int) -> bool:
        """Whether more may be there: as long as each poll writes something."""
        connection = self._connections.get(descriptor)
        if connection is None or _inode(descriptor) != connection.inode:
            return False
        try:
            for _ in range(_PUMPS_AT_ONCE):
                before = descriptors.bytes_written(descriptor)
                self._pump(connection.transport, [descriptor])
                if descriptors.bytes_written(descriptor) == before:
                    return False
        except OSError:  # closed in between
            return False
        return True

    def check(self, now_s: float) -> None:
        """End the connections that have been full for longer than the limit, or are endless."""
        for descriptor, connection in list(self._connections.items()):
            if not connection.transport.holds(descriptor, connection.inode) or (
                _inode(descriptor) != connection.inode
            ):
                del self._connections[descriptor]  # closed, and its number perhaps another's now
        writable = select.poll()
        for descriptor in self._connections:
            writable.register(descriptor, select.POLLOUT)
        ready = dict(writable.poll(0))
        for descriptor, connection in self._connections.items():
            if descriptor in ready:
                connection.full_since_s = None
            elif connection.full_since_s is None:
                connection.full_since_s = now_s
            elif now_s - connection.full_since_s > self._limit_s:
                _log.warning(
                    "fix.slow_consumer",
                    transport=connection.transport.name,
                    unread_s=round(now_s - connection.full_since_s),
                )
                descriptors.shut_down(descriptor)
            self._end_if_endless(descriptor, connection)

    def _end_if_endless(self, descriptor: int, connection: _Connection) -> None:
        if not connection.transport.is_asked:
            return
        unanswered = connection.unanswered(descriptor)
        if unanswered > _MAX_UNANSWERED_BYTES:
            name = connection.transport.name
            _log.warning("fix.endless_input", transport=name, unanswered_bytes=unanswered)
            descriptors.shut_down(descriptor)

    def close(self) -> None:
        self._room.close()


def _inode(descriptor: int) -> int | None:
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return None
