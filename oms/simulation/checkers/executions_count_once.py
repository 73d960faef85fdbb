"""Each execution is counted once: the trades in our book are those in the venues' books."""

from decimal import Decimal

from oms.simulation.desk import at_venue
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Compares sets of trades with their quantities and prices."""

    def at_quiet(self) -> None:
        """See Watcher."""
        state = self.world.shadow.state
        for name, venue in self.world.venues.items():
            ours: dict[str, tuple[Decimal, Decimal]] = {}
            for order in state.orders.values():
                if not order.is_child or order.counterparty != name or order.external:
                    continue
                for one in order.executions.values():
                    known_as = at_venue(one.exec_id)
                    assert known_as not in ours, f"trade {known_as} of {name} is counted twice"
                    if not one.busted:
                        ours[known_as] = (one.last_qty, one.last_px)
            theirs = {
                exec_id: trade
                for standing in venue.orders
                if state.child_of(name, standing.cl_ord_id) is not None
                for exec_id, trade in standing.trades.items()
            }
            for exec_id in ours.keys() | theirs.keys():
                assert ours.get(exec_id) == theirs.get(exec_id), (
                    f"trade {exec_id} is {ours.get(exec_id)} with us, {theirs.get(exec_id)} there"
                )
