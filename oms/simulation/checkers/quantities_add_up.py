"""CumQty + LeavesQty is OrderQty while an order works, and CumQty what its trades come to."""

from oms.simulation.core import SimCore
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Clients note what they are told that cannot be."""

    def turned(self, core: SimCore) -> None:
        """See Watcher."""
        del core
        self.at_quiet()

    def at_quiet(self) -> None:
        """See Watcher."""
        for name, client in self.world.clients.items():
            assert not client.ledger.faults, f"{name}: {client.ledger.faults[0]}"
