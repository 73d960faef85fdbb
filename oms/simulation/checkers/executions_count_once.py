"""Each execution is counted once: the trades in our book are those in the venues' books."""

from oms.simulation.desk import at_venue
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Compares sets of trades with their quantities and prices."""

    def at_quiet(self) -> None:
        """See Watcher."""
        state = self.world.shadow.state
        for name, venue in self.world.venues.items():
            ours = {
                at_venue(one.exec_id): (one.last_qty, one.last_px)
                for order in state.orders.values()
                if order.is_child and order.counterparty == name and not order.external
                for one in order.executions.values()
                if not one.busted
            }
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
