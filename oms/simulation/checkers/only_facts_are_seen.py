"""Nothing that an uncommitted event caused is ever seen: each message follows from a fact."""

from fix_sessions.wire import fields_of
from oms.simulation.shadow import body_of
from oms.simulation.watching import Watcher

_SESSION_LEVEL = frozenset("012345A")
_HEADER = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 122})


class Checker(Watcher):
    """Compares each frame on the wire with what the durable journal gives rise to."""

    def on_wire(self, party: str, from_core: bool, raw: bytes) -> None:
        """See Watcher."""
        if not from_core:
            return
        fields = fields_of(raw.decode("latin-1"))
        told = dict(fields)
        if told[35] in _SESSION_LEVEL:
            return
        pieces = [f"{tag}={value}" for tag, value in fields if tag not in _HEADER]
        known = self.world.shadow.messages.get(party, set())
        assert body_of(told[35], pieces) in known, (
            f"{party} was sent what no fact says: MsgType {told[35]}, {' '.join(pieces)[:200]}"
        )
