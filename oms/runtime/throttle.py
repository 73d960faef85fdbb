"""Throttle: keeps to the venues' message rates; what comes too soon waits in order."""

from collections import deque
from collections.abc import Mapping

from oms.domain.commands import SentMessage
from oms.domain.effects import FixMessage
from oms.ports import Clock, Outlet


class Throttle:
    """An Outlet before the real one.

    limits: messages per second by session, absent or 0 for no limit.
    """

    def __init__(
        self,
        outlet: Outlet,
        limits: Mapping[str, int],
        clock: Clock,
    ) -> None:
        self._outlet = outlet
        self._send = outlet.deliver
        self._clock = clock
        self._sent_at: dict[str, deque[int]] = {}
        self._waiting: dict[str, deque[FixMessage]] = {}
        self.limit(limits)

    def limit(self, limits: Mapping[str, int]) -> None:
        """These are the limits from now on; what waits goes by them."""
        self._limits = {name: limit for name, limit in limits.items() if limit}
        for name in self._limits:
            self._sent_at.setdefault(name, deque())
            self._waiting.setdefault(name, deque())

    def deliver(self, effect: FixMessage) -> None:
        """See oms.ports.Outlet."""
        waiting = self._waiting.get(effect.session)
        if waiting is not None and (waiting or not self._room(effect.session)):
            waiting.append(effect)
        else:
            self._send(effect)

    def release(self) -> list[SentMessage]:
        """See oms.ports.Outlet."""
        for session, waiting in self._waiting.items():
            while waiting and self._room(session):
                self._send(waiting.popleft())
        return self._outlet.release()

    @property
    def pending(self) -> bool:
        """See oms.ports.Outlet; what waits for its turn was not begun."""
        return self._outlet.pending

    @property
    def held_from(self) -> int | None:
        """See oms.ports.Outlet; venues are asked what they have, whatever was noted."""
        return self._outlet.held_from

    def _room(self, session: str) -> bool:
        """Whether one more may go in this second; if so it is counted."""
        limit = self._limits.get(session)
        if limit is None:
            return True
        now = self._clock.now()
        times = self._sent_at[session]
        while times and times[0] <= now - 1_000_000:
            times.popleft()
        if len(times) >= limit:
            return False
        times.append(now)
        return True
