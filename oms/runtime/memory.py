"""A core's memory: when Python looks for cyclic garbage in it, and room that a burst finds ready.

Python looks in quiet moments, and never through the state.

The order path makes no cycles; left alone, the collector would walk through every order of the day
again and again, a fifth of the work of an order and half of recovery's. What recovery built is set
aside for good, and so is what a busy time left: to look through it would take as long as a fault.
"""

import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from typing import Final

QUIET_S = 1.0
# A gap between two messages is no quiet moment: the next one would wait for the collection.
LASTING_S = 0.1
AT_LEAST_EVERY_S = 60.0
# So many objects take milliseconds to look through.
MANY_OBJECTS = 50_000

# 10,000 orders at work, 6 KB each with what they leave until they are put away.
BURST_BYTES: Final = 64 << 20
_SMALL_BYTES: Final = 440
# Python gives an arena of 1 MiB back when nothing in it is used: one small object stays in each.
_STAYS_EVERY: Final = 1_500


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


def room_for_burst() -> list[bytes]:
    """Memory for BURST_BYTES of small objects, asked of the system now; what to keep to keep it.

    A page that a process touches for the first time takes microseconds, on a virtual machine more
    than ten: in a burst that was a twelfth of an order's time. A process that may not have so much
    goes on without: it is faster with it, and no more.
    """
    try:
        touched = [bytes(_SMALL_BYTES) for _ in range(BURST_BYTES // _SMALL_BYTES)]
    except MemoryError:
        return []
    return touched[::_STAYS_EVERY]


class Collector:
    """Collects what is new in a moment that has been quiet for a while; sets aside what is much.

    room: see `room_for_burst`.
    """

    def __init__(self, room: Sequence[bytes] = ()) -> None:
        self._room = room
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
