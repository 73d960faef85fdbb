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
# Well below oms.store.leader.IDLE_TIMEOUT_S: who was away for that long may lead no more.
AWAY_S = 1.0
_LOOK_S = 0.005


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
        self._proved_at = self._present_at = time.monotonic()

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

    def assure(self) -> None:
        """After a while in which this process did not run, wait for the proof that it still leads.

        Call it before anything is sent. Raises what made the journal fail.
        """
        now = time.monotonic()
        away, self._present_at = now - self._present_at, now
        if away < AWAY_S:
            return
        while self._proved_at < now and self._failure is None:
            time.sleep(_LOOK_S)
        if self._failure is not None:
            raise self._failure
        self._present_at = time.monotonic()

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
                    began = time.monotonic()
                    self._journal.heartbeat()
                    self._proved_at = began
                    continue
                if batch is None:
                    return
                began = time.monotonic()
                self._journal.append(batch)
                self._proved_at = began
                seconds = time.monotonic() - began
                self._done.append(Committed(batch=batch, seconds=seconds))
                os.eventfd_write(self._wakeup, 1)
        except BaseException as failure:  # noqa: BLE001 - handed to the sequencer, which stops
            self._failure = failure
            os.eventfd_write(self._wakeup, 1)
