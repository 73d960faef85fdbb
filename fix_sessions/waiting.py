"""Waiting on an epoll: awake for a moment first, then asleep.

To be woken costs a process up to 30 microseconds, and what it does next comes slowly from cold
caches: together a sixth of an order's time. So a process of the order path that may stay awake
looks again and again for a few milliseconds after it had something to do.
"""

import select
import time
from typing import Final

# Whoever has more than so many messages at once has no time to stay awake for the next.
A_FEW: Final = 4

Events = list[tuple[int, int]]


def wait(epoll: select.epoll, timeout_s: float, awake_s: float) -> Events:
    """What is ready within `timeout_s`; awake for at most `awake_s` of it."""
    events = epoll.poll(0)
    if events or timeout_s <= 0:
        return events
    began_s = time.monotonic()
    stay_until_s = began_s + min(awake_s, timeout_s)
    while not events and time.monotonic() < stay_until_s:
        events = epoll.poll(0)
    if events:
        return events
    return epoll.poll(max(timeout_s - (time.monotonic() - began_s), 0.0))
