"""The side that counterparties connect to: one QuickFIX acceptor for all acceptor sessions."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from fix_sessions import descriptors
from fix_sessions.faults import PortInUse
from fix_sessions.settings import SessionSpec
from fix_sessions.transport import Transport, Watch

_log = structlog.get_logger(__name__)
_BACKLOG = 512


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"FIX acceptor: {host}:{port} is in use") from None
        raise OSError(error.errno, f"FIX acceptor: {host}:{port}: {error.strerror}") from None
    return listener


class Acceptor(Transport):
    """The listening socket is ours, and lent to QuickFIX only while it is to accept.

    On its own QuickFIX listens on every address of the machine. And where it closes one connection
    and accepts another in the same poll, the new one gets the old one's descriptor and is closed in
    its stead. So it starts with a port of no meaning, a pipe that is always silent stands in the
    place of its listening socket, and ours replaces that when someone waits and all is tidy.
    """

    is_asked = True

    def __init__(
        self,
        specs: Sequence[SessionSpec],
        watch: Watch,
        make: Callable[[Sequence[SessionSpec], int], Any],
    ) -> None:
        self._host, self._port = specs[0].host, specs[0].port
        # Bound and not listening, it keeps the port for QuickFIX's own SO_REUSEADDR bind.
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind(("0.0.0.0", 0))  # noqa: S104 - never listens
        self._stand_in_port: int = self._reservation.getsockname()[1]
        self._listener: socket.socket | None = None
        self._slot = -1  # the descriptor that QuickFIX takes for its listening socket
        self._silent, self._silent_end = os.pipe()
        # Connections taken over: our descriptor of each, and the one that QuickFIX uses.
        self._taken: dict[int, int] = {}
        # Set by the engine when a connection waits to be accepted.
        self.has_callers = False
        super().__init__(make(specs, self._stand_in_port), watch)

    @property
    def name(self) -> str:
        return f"acceptor {self._host}:{self._port}"

    @property
    def port(self) -> int:
        """The port listened on, which the kernel chose where 0 was configured."""
        return self._port

    def start(self) -> None:
        """Listen. Raises PortInUse."""
        listener = _listen(self._host, self._port)
        before = descriptors.open_sockets()
        self._quickfix_engine.poll()
        self._reservation.close()
        for descriptor, inode in descriptors.open_sockets().items():
            if before.get(descriptor) == inode:
                continue
            if descriptors.local_port(descriptor) == self._stand_in_port:
                self._slot = descriptor
        assert self._slot >= 0, "QuickFIX opened no listening socket"
        os.dup2(self._silent, self._slot, inheritable=False)
        self._listener, self._port = listener, listener.getsockname()[1]
        self._know_signals(before)
        inode = os.fstat(listener.fileno()).st_ino
        self._know(listener.fileno(), inode, connection=False)

    def pump(self) -> None:
        super().pump()
        if self.has_callers and self._listener is not None:
            self.has_callers = False
            super().pump()
            os.dup2(self._listener.fileno(), self._slot, inheritable=False)
            try:
                super().pump()
            finally:
                os.dup2(self._silent, self._slot, inheritable=False)

    def take_over(self, peer_port: int, client: int, *, bytes_in: int, bytes_out: int) -> bool:
        """Put the connection `client` in the place of the one that comes from `peer_port`.

        QuickFIX goes on with it, in the middle of a session, and does not notice. Only where that
        is exact: `bytes_in` were sent to us from there and QuickFIX has read them, `bytes_out` were
        read there and QuickFIX has written no more. What it still holds back then goes to `client`,
        which is ours from now on; False leaves it the caller's.
        """
        used = self._connection_from(peer_port)
        if used is None:
            return False
        read, written = descriptors.bytes_read(used), descriptors.bytes_written(used)
        if (read, written) != (bytes_in, bytes_out):
            return False
        os.set_blocking(client, False)
        self._watch.unwatch(used)
        self._connections.discard(used)
        os.dup2(client, used, inheritable=False)
        # Watched is our own descriptor: QuickFIX closes its one whenever it likes.
        self._known[used] = os.fstat(client).st_ino
        self._taken[client] = used
        self._know(client, self._known[used], connection=True)
        return True

    def has_ended(self, client: int) -> bool:
        """Whether QuickFIX has closed a connection that was taken over."""
        try:
            return os.fstat(self._taken[client]).st_ino != self._known[client]
        except OSError:
            return True

    def let_go(self, client: int) -> None:
        """Close our descriptor of a connection that was taken over."""
        descriptors.shut_down(client)
        self._watch.unwatch(client)
        self._connections.discard(client)
        del self._known[client]
        del self._taken[client]
        os.close(client)

    def _connection_from(self, peer_port: int) -> int | None:
        """One of QuickFIX's own; what is known of may be closed, and its number be another's."""
        for descriptor in self._connections:
            with contextlib.suppress(OSError):
                if (
                    descriptor not in self._taken
                    and os.fstat(descriptor).st_ino == self._known[descriptor]
                    and descriptors.peer_port(descriptor) == peer_port
                ):
                    return descriptor
        return None

    def close(self) -> None:
        for client in list(self._taken):
            self.let_go(client)
        super().close()
        self._reservation.close()
        if self._listener is not None:
            self._listener.detach()  # closed with all that is known
        os.close(self._silent)
        os.close(self._silent_end)

    def is_listener(self, descriptor: int) -> bool:
        return self._listener is not None and descriptor == self._listener.fileno()

    def _is_ours(self, descriptor: int, inode: int) -> bool:
        return descriptors.local_port(descriptor) == self._port

    def find_connections(self, sockets: dict[int, int]) -> None:
        """See Transport. On a loopback port who connects is our gate; no other account need be
        borne, as QuickFIX lets those stay that never say anything.
        """
        before = set(self._connections)
        super().find_connections(sockets)
        for descriptor in self._connections - before:
            uid = descriptors.uid_behind(descriptor)
            if uid not in {None, os.getuid()}:
                _log.warning("fix.stranger", transport=self.name, account=uid)
                descriptors.shut_down(descriptor)
