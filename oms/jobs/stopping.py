"""The request to stop, as all that waits in this process sees it."""

import threading
import time
from collections.abc import Callable
from typing import Final

from oms.jobs.once import Interrupted

_LOOK_S: Final = 0.05


class Stopping:
    """Set once, from a signal handler; `check` turns it into Interrupted."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Interrupted once asked."""
        if self.asked:
            raise Interrupted

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until asked, or for so long; whether asked."""
        return self._event.wait(timeout_s)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Until the condition holds, or for so long; whether it held. Raises Interrupted."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() >= deadline:
                return False
            self._event.wait(_LOOK_S)
            self.check()
        return True
