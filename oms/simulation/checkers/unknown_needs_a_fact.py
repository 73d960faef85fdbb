"""Unknown is resolved only by a fact: a venue's word or a human's decision, never by time."""

from oms.domain.commands import (
    ExecutionReport,
    MessageRejectedByPeer,
    OrderCancelReject,
    ResolveOrder,
)
from oms.domain.orphans import DecideOrphan
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher

# A trade that a human says is ours settles only the order that it fills or ends.
_FACTS = (ExecutionReport, OrderCancelReject, MessageRejectedByPeer, ResolveOrder)


class Checker(Watcher):
    """Looks at the command by which an order is in doubt no longer."""

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for order_id in sorted(group.doubts_before - group.doubts_after):
                order = self.world.shadow.state.orders.get(order_id)
                over = order is None or not order.is_open
                adopted = isinstance(group.command, DecideOrphan) and over
                assert adopted or isinstance(group.command, _FACTS), (
                    f"{order_id} is in doubt no longer, by {type(group.command).__name__}"
                )
