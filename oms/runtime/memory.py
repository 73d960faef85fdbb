"""When Python looks for cyclic garbage in a core: in quiet moments, and never through the state.

The order path makes no cycles; left alone, the collector would walk through every order of the day
again and again, a fifth of the work of an order and half of recovery's. What recovery built is set
aside for good.
"""

import contextlib
import gc
import time
from collections.abc import Iterator

QUIET_S = 1.0
AT_LEAST_EVERY_S = 60.0


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
    """Collects the young when asked in a quiet moment, and after a minute without one."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.disable()
        self._last = time.monotonic()

    def look(self, *, quiet: bool) -> None:
        """Collect if it is time; quiet: nothing waits."""
        now = time.monotonic()
        due = QUIET_S if quiet else AT_LEAST_EVERY_S
        if now - self._last >= due:
            self._last = now
            gc.collect(1)
