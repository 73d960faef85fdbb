"""The request to stop, as all that waits in this process sees it."""

import time
from collections.abc import Callable
from typing import Final

from oms.jobs.once import Interrupted

_LOOK_S: Final = 0.05


class Stopping:
    """Set once, from a signal handler; `check` turns it into Interrupted.

    A plain flag: a handler that interrupts whoever holds the lock of a threading.Event, be it
    another handler, would wait for that lock for ever.
    """

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """Safe in a signal handler."""
        self.asked = True

    def check(self) -> None:
        """Raises Interrupted once asked."""
        if self.asked:
            raise Interrupted

    def wait(self) -> None:
        """Until asked."""
        while not self.asked:
            time.sleep(_LOOK_S)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Until the condition holds, or for so long; whether it held. Raises Interrupted."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_S)
            self.check()
        return True
