"""When Python looks for cyclic garbage in a core: in quiet moments, and never through the state.

The order path makes no cycles; left alone, the collector would walk through every order of the day
again and again, a fifth of the work of an order and half of recovery's. What recovery built is set
aside for good, and so is what a busy time left: to look through it would take as long as a fault.
"""

import contextlib
import gc
import time
from collections.abc import Iterator

QUIET_S = 1.0
# A gap between two messages is no quiet moment: the next one would wait for the collection.
LASTING_S = 0.1
AT_LEAST_EVERY_S = 60.0
# So many objects take milliseconds to look through.
MANY_OBJECTS = 50_000


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No collection meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Collector:
    """Collects what is new in a moment that has been quiet for a while; sets aside what is much."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.disable()
        self._last = self._busy_at = time.monotonic()

    def look(self, *, quiet: bool) -> None:
        """Collect if it is time; quiet: nothing waits."""
        now = time.monotonic()
        if not quiet:
            self._busy_at = now
        lasting = now - self._busy_at >= LASTING_S
        if now - self._last < (QUIET_S if lasting else AT_LEAST_EVERY_S):
            return
        self._last = now
        if lasting and gc.get_count()[0] <= MANY_OBJECTS:
            gc.collect(1)
        else:
            gc.freeze()
