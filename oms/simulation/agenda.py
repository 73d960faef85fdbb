"""Virtual time: what happens next, and when. Nothing here waits."""

import heapq
import random
from collections.abc import Callable

START_US = 1_790_000_000_000_000

Action = Callable[[], None]


def chance(seed: int, *names: str) -> random.Random:
    """The randomness of one part of the world: what it draws changes nobody else's."""
    return random.Random(f"{seed}/{'/'.join(names)}")


class Agenda:
    """Actions by their moments; those of one moment in the order in which they were planned.

    Microseconds since 1970, as the sequencer's stamps are.
    """

    def __init__(self) -> None:
        self.now_us = START_US
        self.done = 0
        self._planned: list[tuple[int, int, Action]] = []
        self._count = 0

    def now(self) -> int:
        """See oms.ports.Clock."""
        return self.now_us

    @property
    def elapsed_s(self) -> float:
        """Seconds since the world began."""
        return (self.now_us - START_US) / 1_000_000

    def forget(self) -> None:
        """Nothing is planned any more."""
        self._planned.clear()

    def at(self, moment_us: int, action: Action) -> None:
        """Have it happen then, or now where that is past."""
        self._count += 1
        heapq.heappush(self._planned, (max(moment_us, self.now_us), self._count, action))

    def after(self, delay_us: int, action: Action) -> None:
        """Have it happen so much later."""
        self.at(self.now_us + delay_us, action)

    def step(self) -> bool:
        """Do the next thing; False where nothing is planned."""
        if not self._planned:
            return False
        moment, _, action = heapq.heappop(self._planned)
        self.now_us = moment
        self.done += 1
        action()
        return True

    def run_until(self, moment_us: int) -> None:
        """Do all that is planned up to that moment."""
        while self._planned and self._planned[0][0] <= moment_us:
            self.step()
        self.now_us = max(self.now_us, moment_us)
