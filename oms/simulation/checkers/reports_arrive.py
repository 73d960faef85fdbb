"""Every report that a fact gives rise to reaches its client, or two people let go of it."""

from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Compares ExecIDs: those that the journal makes with those that clients have."""

    def at_quiet(self) -> None:
        """See Watcher."""
        for name, client in self.world.clients.items():
            ledger = client.ledger
            if ledger.did_reset or client.bundling:
                continue
            made = self.world.shadow.exec_ids.get(name, set()) - ledger.discarded
            missing = made - ledger.reports.keys()
            assert not missing, f"{name} was never told {min(missing)}"
