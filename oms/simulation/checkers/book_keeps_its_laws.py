"""Parent equals children, and every index of the book equals a scan of it, after every commit."""

from oms.simulation.invariants import check_state
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher


class Checker(Watcher):
    """See oms.simulation.invariants."""

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        del groups
        shadow = self.world.shadow
        check_state(shadow.state, shadow.stubborn)
