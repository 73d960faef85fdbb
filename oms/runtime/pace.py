"""Pace: clients' messages beyond their rate wait, in order; what they answer for is not lost.

A message that waits is not journaled: after a crash it is asked for again by its MsgSeqNum. The
session itself goes on, heartbeats and all. Who sends so much more that too many wait is
disconnected until they have been taken: what it sent meanwhile comes by ResendRequest.
"""

from collections import deque
from collections.abc import Callable, Mapping

import structlog

from oms.domain.commands import Command, MessagesSent
from oms.ports import Clock, Intake

log = structlog.get_logger()

MAX_WAITING = 5_000
_SECOND_US = 1_000_000


class Pace:
    """An Intake before the real one.

    limits: messages per second by session, absent or 0 for no limit. disconnect: ends a session's
    connection if it has one.
    """

    def __init__(
        self,
        intake: Intake,
        limits: Mapping[str, int],
        clock: Clock,
        disconnect: Callable[[str], None],
    ) -> None:
        self._disconnect = disconnect
        self._submit = intake.submit
        self._clock = clock
        self._taken_at: dict[str, deque[int]] = {}
        self._waiting: dict[str, deque[tuple[Command, bytes]]] = {}
        self._told: set[str] = set()
        self.limit(limits)

    def limit(self, limits: Mapping[str, int]) -> None:
        """These are the limits from now on; what waits goes by them."""
        self._limits = {name: limit for name, limit in limits.items() if limit}
        for name in self._limits:
            self._taken_at.setdefault(name, deque())
            self._waiting.setdefault(name, deque())

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return sum(map(len, self._waiting.values()))

    def submit(self, command: Command, payload: bytes = b"") -> None:
        """See oms.ports.Intake."""
        session = _session_of(command)
        waiting = self._waiting.get(session)
        if waiting is None or (not waiting and self._room(session, command)):
            self._submit(command, payload)
        else:
            waiting.append((command, payload))

    def release(self) -> None:
        """Hand on what may go now, and end the connection of who has too much waiting."""
        for session, waiting in self._waiting.items():
            if len(waiting) >= MAX_WAITING:
                if session not in self._told:
                    log.warning("core.client_too_fast", session_id=session, waiting=len(waiting))
                self._told.add(session)
                self._disconnect(session)
            else:
                self._told.discard(session)
            while waiting and self._room(session, waiting[0][0]):
                self._submit(*waiting.popleft())

    def _room(self, session: str, command: Command) -> bool:
        """Whether it may go in this second; if so it is counted. What no message brought may."""
        limit = self._limits.get(session)
        if limit is None or not command.origin.msg_seq_num:
            return True
        now = self._clock.now()
        times = self._taken_at[session]
        while times and times[0] <= now - _SECOND_US:
            times.popleft()
        if len(times) >= limit:
            return False
        times.append(now)
        return True


def _session_of(command: Command) -> str:
    """Whose place in the order it has: a mark of a session's numbers follows its reset."""
    if isinstance(command, MessagesSent) and command.observed:
        return command.observed[0].session
    return command.origin.session
