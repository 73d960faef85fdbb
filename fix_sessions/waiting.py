"""Waiting on an epoll: awake for a moment first, then asleep.

To be woken costs a process up to 30 microseconds, and what it does next comes slowly from cold
caches: together a sixth of an order's time. So a process of the order path looks again and again
for a few milliseconds after it had something to do. Only on a machine with processors to spare:
where others want ours, being awake costs more than it gains, because we must wait for our turn.
"""

import resource
import select
import time
from typing import Final

# Whoever has more than so many messages at once has no time to stay awake for the next.
A_FEW: Final = 4

_LOOK_S: Final = 0.25
_PAUSE_S: Final = 1.0
# So many times in one look's time others wanted our processor.
_CROWDED: Final = 60

Events = list[tuple[int, int]]


class Waiting:
    """For one process; awake_s: for how long it may stay awake each time."""

    def __init__(self, epoll: select.epoll, awake_s: float) -> None:
        self._epoll = epoll
        self._awake_s = awake_s
        self._next_look_s = 0.0
        self._asleep_until_s = 0.0
        self._interrupted = 0

    def wait(self, timeout_s: float, *, busy: bool) -> Events:
        """What is ready within `timeout_s`; busy: more than a few messages came last."""
        if busy or not self._awake_s or timeout_s <= 0:
            return self._epoll.poll(max(timeout_s, 0.0))
        events = self._epoll.poll(0)
        if events:
            return events
        began_s = time.monotonic()
        if self._may_stay_awake(began_s):
            stay_until_s = began_s + min(self._awake_s, timeout_s)
            while not events and time.monotonic() < stay_until_s:
                events = self._epoll.poll(0)
        return events or self._epoll.poll(max(timeout_s - (time.monotonic() - began_s), 0.0))

    def _may_stay_awake(self, now_s: float) -> bool:
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + _LOOK_S
            before, self._interrupted = self._interrupted, _interruptions()
            if self._interrupted - before > _CROWDED:
                self._asleep_until_s = now_s + _PAUSE_S
        return now_s >= self._asleep_until_s


def _interruptions() -> int:
    """How often this process had to leave its processor to another one so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
