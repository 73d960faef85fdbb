"""Every report that a fact gives rise to reaches its client, crash or not."""

from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Compares ExecIDs: those that the journal makes with those that clients have."""

    def at_quiet(self) -> None:
        """See Watcher."""
        for name, client in self.world.clients.items():
            if client.ledger.lost or client.bundling:
                continue
            missing = self.world.shadow.exec_ids.get(name, set()) - client.ledger.reports.keys()
            assert not missing, f"{name} was never told {min(missing)}"
