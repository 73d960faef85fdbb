"""The line to the journal: one batch at a time is committed while the sequencer decides the next.

The sequencer's thread sends a batch and goes on; the journal's descriptor tells it when to look for
the answer. No thread is woken on the way, which would cost a lone order two hand-overs. A second
thread only keeps the lead while there is nothing to commit, or while the first one is away in a
long piece of work. A batch that cannot be committed ends the process: recovery by replay is the
only way back (crash-only).
"""

import select
import threading
import time
from dataclasses import dataclass

from oms.ports import Journal, Sealed

HEARTBEAT_S = 0.4
# Well below oms.store.leader.IDLE_TIMEOUT_S: who was away for that long may lead no more.
AWAY_S = 1.0
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A batch that is durable, and how long its transaction took."""

    batch: Sealed
    seconds: float


class JournalLine:
    """Hand a batch over with `commit`; when `fileno` is readable, `finished` may have it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        # Held by whoever uses the journal's connection.
        self._lock = threading.Lock()
        self._batch: Sealed | None = None
        self._begun = False
        self._done: Committed | None = None
        self._failure: BaseException | None = None
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lead", daemon=True)
        self.busy = False
        self._used_at = self._proved_at = self._present_at = time.monotonic()

    def start(self) -> None:
        """Begin to keep the lead."""
        self._keeper.start()

    def fileno(self) -> int:
        """For the sequencer's epoll; `heard` when it is readable."""
        return self._journal.fileno()

    def commit(self, batch: Sealed) -> None:
        """Begin to commit; only when not busy. Raises what makes the journal fail."""
        assert not self.busy, "one batch at a time"
        self.busy = True
        self._batch = batch
        self._try_advance()
        self._raise_failure()

    def finished(self) -> Committed | None:
        """The batch that became durable since the last call. Raises what made the journal fail."""
        if self.busy and self._done is None:
            self._try_advance()
        self._raise_failure()
        done = self._done
        if done is not None:
            self._done = self._batch = None
            self._begun = self.busy = False
        return done

    def heard(self) -> None:
        """The descriptor was readable. With nothing in flight that is the end of the session."""
        if not self.busy and self._lock.acquire(blocking=False):
            try:
                self._beat()
            finally:
                self._lock.release()
            self._raise_failure()

    def assure(self) -> None:
        """After a while in which this process did not run, wait for the proof that it still leads.

        Call it before anything is sent. Raises what made the journal fail.
        """
        now = time.monotonic()
        away, self._present_at = now - self._present_at, now
        if away < AWAY_S:
            return
        with self._lock:
            while self._failure is None and self.busy and self._done is None:
                select.select([self.fileno()], [], [], _LOOK_S)
                self._advance()
            if self._failure is None and self._proved_at < now:
                self._beat()
        self._raise_failure()
        self._present_at = time.monotonic()

    def stop(self, timeout_s: float) -> None:
        """End the second thread; a batch in flight is left to the database."""
        self._ended.set()
        self._keeper.join(timeout_s)

    def _try_advance(self) -> None:
        """Do what can be done now; while the other thread has the connection, it does it."""
        if self._lock.acquire(blocking=False):
            try:
                self._advance()
            finally:
                self._lock.release()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _advance(self) -> None:
        """Send the batch, or look for its answer. The lock is held."""
        batch = self._batch
        if batch is None or self._done is not None or self._failure is not None:
            return
        try:
            if not self._begun:
                self._begun = True
                self._used_at = time.monotonic()
                self._journal.begin(batch)
            elif self._journal.finished():
                self._proved_at, now = self._used_at, time.monotonic()
                self._done = Committed(batch=batch, seconds=now - self._used_at)
                self._used_at = now
        except BaseException as failure:  # noqa: BLE001 - raised to the sequencer, which stops
            self._failure = failure

    def _beat(self) -> None:
        """The lock is held, and nothing is in flight."""
        began = time.monotonic()
        try:
            self._journal.heartbeat()
        except BaseException as failure:  # noqa: BLE001 - raised to the sequencer, which stops
            self._failure = failure
        self._used_at = self._proved_at = began

    def _nobody_looks(self) -> bool:
        """A batch is in flight and the first thread away: to the server, one sent by halves is
        silence, which ends the session.
        """
        if self._batch is None or self._done is not None or self._failure is not None:
            return False
        return time.monotonic() - self._present_at >= HEARTBEAT_S

    def _keep(self) -> None:
        while self._failure is None and not self._ended.wait(_LOOK_S):
            if time.monotonic() - self._used_at < HEARTBEAT_S:
                continue
            with self._lock:
                self._advance()
                while self._nobody_looks() and select.select([self.fileno()], [], [], _LOOK_S)[0]:
                    self._advance()
                if self._batch is None or self._done is not None:
                    self._beat()
            if self.busy and not self._begun:
                # It came while this thread had the connection.
                self._try_advance()
