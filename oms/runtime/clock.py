"""The sequencer's clock."""

import time


class SystemClock:
    """UTC in microseconds, never going back while the process lives."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """See oms.ports.Clock."""
        now = time.time_ns() // 1_000
        if now > self._last:  # noqa: PLR1730 - asked for each message: max() takes as long as the rest
            self._last = now
        return self._last
