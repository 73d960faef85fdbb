"""An order or a replace older than its client allows when it is decided never reaches a venue."""

from oms.domain.commands import Command, NewOrderSingle, OrderCancelReplaceRequest
from oms.domain.events import Event, OrderAccepted, ReplacePending
from oms.domain.session_events import SessionsReloaded
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher

_MILLISECOND_US = 1_000


class Checker(Watcher):
    """Measures each by what it says of itself, and looks at what was decided."""

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        reference = self.world.shadow.state.reference
        if any(isinstance(event, SessionsReloaded) for one in groups for _, event in one.events):
            return  # which profile held is not to be seen from here
        for group in groups:
            command = group.command
            if not isinstance(command, NewOrderSingle | OrderCancelReplaceRequest):
                continue
            limit = reference.client_profile(command.origin.counterparty).max_order_age_ms
            sent_at = command.transact_time or command.origin.received_at
            if not limit or not sent_at or group.at - sent_at < (limit + 1) * _MILLISECOND_US:
                continue
            for _, event in group.events:
                assert not _takes(event, command), (
                    f"{command.cl_ord_id} was sent {(group.at - sent_at) // _MILLISECOND_US} ms"
                    f" ago, {limit} are allowed, and it is taken"
                )


def _takes(event: Event, command: Command) -> bool:
    if isinstance(command, NewOrderSingle):
        return isinstance(event, OrderAccepted)
    assert isinstance(command, OrderCancelReplaceRequest), command
    return isinstance(event, ReplacePending) and event.cl_ord_id == command.cl_ord_id
