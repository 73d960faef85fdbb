"""The side that counterparties connect to: one QuickFIX acceptor for all acceptor sessions."""

import errno
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from fix_sessions import descriptors
from fix_sessions.settings import SessionSpec
from fix_sessions.transport import Transport, Watch

_BACKLOG = 512


class PortInUse(OSError):
    """The address to listen on is taken; the text names it."""


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
    """QuickFIX listens on every address of the machine and cannot be told otherwise.

    So it is given a port of no meaning, and its listening socket is replaced by one of ours, bound
    to the configured address, before anyone can connect to it.
    """

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
        self._listener = -1
        super().__init__(make(specs, self._stand_in_port), watch)

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
                self._listener = descriptor
        assert self._listener >= 0, "QuickFIX opened no listening socket"
        os.dup2(listener.fileno(), self._listener, inheritable=False)
        self._port = listener.getsockname()[1]
        listener.close()
        self._know_signals(before)
        inode = os.fstat(self._listener).st_ino
        self._know(self._listener, inode, connection=False)

    def is_listener(self, descriptor: int) -> bool:
        return descriptor == self._listener

    def _is_ours(self, descriptor: int, inode: int) -> bool:
        return descriptors.local_port(descriptor) == self._port
