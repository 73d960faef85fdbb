"""What acceptor and initiator share: a QuickFIX engine polled by hand, and its sockets."""

import os
from abc import ABC, abstractmethod
from typing import Any, Protocol

from fix_sessions import descriptors


class Watch(Protocol):
    """Who waits on descriptors, and knows whose each one is."""

    def watch(self, descriptor: int, transport: "Transport", *, connection: bool) -> None: ...

    def unwatch(self, descriptor: int) -> None: ...

    def is_anothers(self, descriptor: int, inode: int, transport: "Transport") -> bool: ...


class Transport(ABC):
    """One QuickFIX acceptor or initiator, and its descriptors by inode.

    is_asked: whether its counterparties are answered all that they send, heartbeats apart.
    """

    is_asked = False

    def __init__(self, quickfix_engine: Any, watch: Watch) -> None:
        self._quickfix_engine = quickfix_engine
        self._watch = watch
        self._known: dict[int, int] = {}
        self._connections: set[int] = set()
        # Set where QuickFIX closed a socket in between: it tidies up in its next poll.
        self.unfinished = False
        # How often QuickFIX failed one time after the other.
        self.failures = 0

    def pump(self) -> None:
        """Let QuickFIX do what it can without waiting."""
        self.unfinished = False
        self._quickfix_engine.poll()

    @property
    def connections(self) -> list[int]:
        """The descriptors of the connections known of."""
        return list(self._connections)

    def holds(self, descriptor: int, inode: int) -> bool:
        return self._known.get(descriptor) == inode

    def find_connections(self, sockets: dict[int, int]) -> None:
        """Watch the connections of ours among the process's sockets that are not watched yet."""
        for descriptor, inode in list(self._known.items()):
            if sockets.get(descriptor) != inode:
                del self._known[descriptor]
                self._connections.discard(descriptor)
        for descriptor, inode in sockets.items():
            if descriptor not in self._known and self._is_ours(descriptor, inode):
                self._know(descriptor, inode, connection=True)

    def close(self) -> None:
        """End QuickFIX's part of it, and close the sockets that it leaves behind."""
        engine, self._quickfix_engine = self._quickfix_engine, None
        engine.stop(True)
        # Its destructor takes the sessions from a registry that all engines of a process share.
        engine.__swig_destroy__(engine)
        sockets = descriptors.open_sockets()
        for descriptor, inode in self._known.items():
            if sockets.get(descriptor) == inode:
                os.close(descriptor)
        self._known.clear()

    def _know(self, descriptor: int, inode: int, *, connection: bool) -> None:
        self._known[descriptor] = inode
        if connection:
            self._connections.add(descriptor)
        self._watch.watch(descriptor, self, connection=connection)

    def _know_signals(self, before: dict[int, int]) -> None:
        """Watch the socketpair by which QuickFIX tells its own poll that something was sent."""
        for descriptor, inode in descriptors.open_sockets().items():
            if before.get(descriptor) != inode and descriptors.is_nameless_unix(descriptor):
                self._know(descriptor, inode, connection=False)

    @property
    @abstractmethod
    def name(self) -> str:
        """What a log line calls it."""

    @abstractmethod
    def _is_ours(self, descriptor: int, inode: int) -> bool:
        """Whether a socket of this process, not known yet, is one of its connections."""
