"""No effect before its commit: what leaves the core is of an event that is durable."""

from oms.domain.effects import FixMessage
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Looks at each message when it is handed to its session."""

    def leaving(self, effect: FixMessage) -> None:
        """See Watcher."""
        durable, _ = self.world.disk.tip()
        assert effect.event_seq <= durable, (
            f"{type(effect).__name__} of event {effect.event_seq} leaves,"
            f" and the journal ends at {durable}"
        )
