"""No order is doubled at any venue: a ClOrdID that may have come before says so by PossResend."""

from fix_sessions.wire import fields_of
from oms.simulation.watching import Watcher
from oms.simulation.world import World

_NEW_ORDER = b"\x0135=D\x01"


class Checker(Watcher):
    """Reads each NewOrderSingle; and no client order has more at venues than it has open."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._sent: set[tuple[str, str]] = set()

    def on_wire(self, party: str, from_core: bool, raw: bytes) -> None:
        """See Watcher."""
        if not from_core or _NEW_ORDER not in raw:
            return
        told = dict(fields_of(raw.decode("latin-1")))
        if told.get(43) == "Y":
            return
        key = (party, told[11])
        assert key not in self._sent or told.get(97) == "Y", f"{party} is sent {told[11]} twice"
        self._sent.add(key)

    def at_quiet(self) -> None:
        """See Watcher."""
        orders, stubborn = self.world.shadow.state.orders.everything(), self.world.shadow.stubborn
        for order in orders.values():
            if order.is_child or order.external:
                continue
            working = [
                standing.leaves_qty
                for child in order.children
                # A venue that refuses a cancel goes on working.
                if child not in stubborn
                and (standing := self.world.standing(orders[child])) is not None
            ]
            assert sum(working) <= order.leaves_qty, (
                f"{order.order_id} has {order.leaves_qty} open and {sum(working)} at venues"
            )
