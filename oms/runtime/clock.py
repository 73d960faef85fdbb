"""The sequencer's clock."""

import time


class SystemClock:
    """UTC in microseconds, never going back while the process lives."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """See oms.ports.Clock."""
        self._last = max(self._last, time.time_ns() // 1_000)
        return self._last
