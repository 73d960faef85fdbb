"""An order whose venue is out of sight shows unknown, but where a human has decided otherwise."""

from oms.domain.commands import ResolveOrder
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World


class Checker(Watcher):
    """Looks at the venues that are logged out."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._decided: set[str] = set()

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            if isinstance(group.command, ResolveOrder):
                self._decided.add(group.command.order_id)
        state = self.world.shadow.state
        down = {one for one in self.world.venues if not state.session(one).logged_on}
        for order_id in state.open_orders if down else ():
            order = state.orders[order_id]
            if order.is_child and order.session in down and order_id not in self._decided:
                assert order.in_doubt, (
                    f"{order_id} shows {order.ord_status.name} while {order.session} is down"
                )
