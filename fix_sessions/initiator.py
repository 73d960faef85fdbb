"""The side that connects to a counterparty: one QuickFIX initiator for each session.

QuickFIX reconnects only when all the sockets of an initiator are silent, and with one interval for
all its sessions: on its own, no session waits for another.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fix_sessions import descriptors
from fix_sessions.settings import SessionSpec
from fix_sessions.transport import Transport, Watch


class Initiator(Transport):
    """One session's connection, made again whenever it is lost."""

    def __init__(
        self, spec: SessionSpec, watch: Watch, make: Callable[[Sequence[SessionSpec]], Any]
    ) -> None:
        before = descriptors.open_sockets()
        super().__init__(make([spec]), watch)
        self.spec = spec
        self._know_signals(before)

    @property
    def name(self) -> str:
        return self.spec.session_id

    def is_connected(self) -> bool:
        """Whether a connection stands, whoever has seen it."""
        sockets = descriptors.open_sockets()
        return any(self._is_ours(descriptor, inode) for descriptor, inode in sockets.items())

    def _is_ours(self, descriptor: int, inode: int) -> bool:
        return descriptors.peer_port(descriptor) == self.spec.port and not self._watch.is_anothers(
            descriptor, inode, self
        )
