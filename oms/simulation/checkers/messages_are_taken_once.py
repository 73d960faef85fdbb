"""Each message of a counterparty is journaled once, by session, epoch and MsgSeqNum."""

from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World


class Checker(Watcher):
    """Keeps every number that the journal has taken."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._taken: set[tuple[str, int, int]] = set()

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            origin = group.command.origin
            if origin.msg_seq_num:
                key = (origin.session, origin.epoch, origin.msg_seq_num)
                assert key not in self._taken, f"message {key} was taken twice"
                self._taken.add(key)
