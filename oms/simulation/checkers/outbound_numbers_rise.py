"""Outbound sequence numbers never go back: no MsgSeqNum is used for two messages."""

from fix_sessions.wire import fields_of
from oms.simulation.watching import Watcher
from oms.simulation.world import World


class Checker(Watcher):
    """Reads MsgSeqNum (34) of all that goes out, resends aside."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._last: dict[str, tuple[int, int]] = {}

    def on_wire(self, party: str, from_core: bool, raw: bytes) -> None:
        """See Watcher."""
        if not from_core:
            return
        told = dict(fields_of(raw.decode("latin-1")))
        if told.get(43) == "Y":
            return
        number = int(told[34])
        resets = self.world.resets.get(party, 0)
        last, seen_resets = self._last.get(party, (0, 0))
        if resets != seen_resets:
            last = 0
        assert number > last, f"{party} is sent number {number} after {last}"
        self._last[party] = (number, resets)
