"""The journal folds to the same state: after each recovery, and beside the core that lives."""

from oms.simulation.core import SimCore
from oms.simulation.invariants import check_same
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Compares a core's state with the fold of the journal's bytes."""

    def recovered(self, core: SimCore) -> None:
        """See Watcher."""
        check_same(core.state, self.world.shadow.state)

    def at_quiet(self) -> None:
        """See Watcher."""
        core = self.world.core
        assert core is not None
        check_same(core.state, self.world.shadow.state)
