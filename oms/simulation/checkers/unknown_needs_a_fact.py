"""Unknown is resolved only by a fact: a venue's word or a human's decision, never by time."""

from oms.domain.commands import (
    ExecutionReport,
    MessageRejectedByPeer,
    OrderCancelReject,
    ResolveOrder,
)
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher

_FACTS = (ExecutionReport, OrderCancelReject, MessageRejectedByPeer, ResolveOrder)


class Checker(Watcher):
    """Looks at the command by which an order is in doubt no longer."""

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for order_id in sorted(group.doubts_before - group.doubts_after):
                assert isinstance(group.command, _FACTS), (
                    f"{order_id} is in doubt no longer, by {type(group.command).__name__}"
                )
