"""A kill switch means that no new order reaches a venue, from its fact on until it is released."""

from oms.domain.effects import FixMessage, SendNewOrderSingle
from oms.domain.events import KillSwitchEngaged, KillSwitchReleased
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World


class Checker(Watcher):
    """Keeps the switches by their journal numbers, and looks at each NewOrderSingle that leaves."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._engaged: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for seq, event in group.events:
                if isinstance(event, KillSwitchEngaged):
                    spans = self._engaged.setdefault((event.level, event.subject), [])
                    if not spans or spans[-1][1]:
                        spans.append((seq, 0))
                elif isinstance(event, KillSwitchReleased):
                    spans = self._engaged[event.level, event.subject]
                    spans[-1] = (spans[-1][0], seq)

    def leaving(self, effect: FixMessage) -> None:
        """See Watcher."""
        if not isinstance(effect, SendNewOrderSingle):
            return
        state = self.world.shadow.state
        child = state.orders.get(effect.order_id)
        if child is None:
            return  # of an earlier date, ended and forgotten
        client = state.orders[child.parent_id].counterparty
        for key in (("FIRM", "*"), ("SESSION", client), ("ACCOUNT", child.account)):
            for begun, ended in self._engaged.get(key, ()):
                inside = begun < effect.event_seq and (not ended or effect.event_seq < ended)
                assert not inside, (
                    f"{effect.order_id} goes to {effect.session} while {key[0]} {key[1]} is killed"
                )
