"""Parent equals children, and every index of the book equals a scan of it."""

from oms.domain.packing import Family
from oms.simulation.invariants import check_state
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World

EVERY = 4


class Checker(Watcher):
    """See oms.simulation.invariants; it takes long, so not after every commit but every so many."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.every = EVERY
        self._commits = 0
        self._settled: dict[int, Family] = {}

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        del groups
        self._commits += 1
        if self._commits % self.every == 0:
            shadow = self.world.shadow
            check_state(shadow.state, shadow.stubborn, self._settled)

    def at_quiet(self) -> None:
        """See Watcher."""
        shadow = self.world.shadow
        check_state(shadow.state, shadow.stubborn)
