"""Every client's view of an order, ours and its venue's agree once everything is quiet."""

from oms.domain.order import Order
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Compares the books order by order."""

    def at_quiet(self) -> None:
        """See Watcher."""
        state = self.world.shadow.state
        for order in state.orders.values():
            if order.is_child and order.external:
                continue  # see strangers_are_accounted_for
            if order.is_child:
                self._venue(order)
            elif order.session:
                self._client(order)
        for name, venue in self.world.venues.items():
            for standing in venue.orders:
                child = state.child_of(name, standing.cl_ord_id)
                # What was forgotten with its day comes to light as an orphan.
                told = (name, standing.cl_ord_id) in self.world.shadow.orphans
                assert child is not None or told or not standing.leaves_qty, (
                    f"{name} works {standing.cl_ord_id}, of which we know nothing"
                )

    def _venue(self, child: Order) -> None:
        standing = self.world.standing(child)
        if standing is None:
            assert not child.is_open, f"{child.order_id} is open and {child.counterparty} has none"
            assert not child.cum_qty, f"{child.order_id} traded where nobody has it"
            return
        ours = (child.cum_qty, child.leaves_qty)
        theirs = (standing.cum_qty, standing.leaves_qty)
        assert ours == theirs, (
            f"{child.order_id}: traded and open are {ours[0]} and {ours[1]} with us,"
            f" {theirs[0]} and {theirs[1]} at {child.counterparty}"
        )

    def _client(self, order: Order) -> None:
        client = self.world.clients[order.session]
        if client.ledger.lost:
            return  # what a client throws away itself nobody tells it again
        seen = client.ledger.orders.get(order.order_id)
        if seen is None and order.order_id in self.world.shadow.state.held:
            return  # by its profile it hears nothing before a venue has the order
        assert seen is not None, f"{order.session} was never told of {order.order_id}"
        ours = (order.cum_qty, order.leaves_qty, order.ord_status.value)
        theirs = (seen.cum_qty, seen.leaves_qty, seen.status)
        assert ours == theirs, (
            f"{order.order_id}: traded, open and status are {' '.join(map(str, ours))} with us,"
            f" {' '.join(map(str, theirs))} in the book of {order.session}"
        )
