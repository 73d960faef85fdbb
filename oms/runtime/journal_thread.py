"""The second thread: it commits one batch at a time and mostly waits in the database.

Whatever the sequencer decided while a commit was in flight is the next batch. A batch that cannot
be committed ends the process: recovery by replay is the only way back (crash-only).
"""

import os
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass

from oms.ports import Journal, Sealed

HEARTBEAT_S = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A batch that is durable, and how long its transaction took."""

    batch: Sealed
    seconds: float


class JournalThread:
    """Hand a batch over with `commit`; `fileno` is readable when it is durable or has failed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: queue.SimpleQueue[Sealed | None] = queue.SimpleQueue()
        self._done: deque[Committed] = deque()
        self._failure: BaseException | None = None
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.busy = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def fileno(self) -> int:
        """For the sequencer's epoll."""
        return self._wakeup

    def commit(self, batch: Sealed) -> None:
        """Begin to commit; only when not busy."""
        assert not self.busy, "one batch at a time"
        self.busy = True
        self._waiting.put(batch)

    def finished(self) -> Committed | None:
        """The batch that became durable since the last call. Raises what made the journal fail."""
        if self._failure is not None:
            raise self._failure
        if not self._done:
            return None
        self.busy = False
        return self._done.popleft()

    def clear_wakeup(self) -> None:
        """Empty the descriptor after it was readable."""
        try:
            os.eventfd_read(self._wakeup)
        except BlockingIOError:
            return

    def stop(self, timeout_s: float) -> None:
        """End the thread after the batch in flight."""
        self._waiting.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while True:
                try:
                    batch = self._waiting.get(timeout=HEARTBEAT_S)
                except queue.Empty:
                    self._journal.heartbeat()
                    continue
                if batch is None:
                    return
                began = time.perf_counter()
                self._journal.append(batch)
                seconds = time.perf_counter() - began
                self._done.append(Committed(batch=batch, seconds=seconds))
                os.eventfd_write(self._wakeup, 1)
        except BaseException as failure:  # noqa: BLE001 - handed to the sequencer, which stops
            self._failure = failure
            os.eventfd_write(self._wakeup, 1)
