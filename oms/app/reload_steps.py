"""The steps of a reload of the sessions, whoever reads the configuration and makes the sessions.

One reload after the other; one that a crash cuts off was either not journaled, and its command is
taken again, or the core that starts has read the file anyway.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from fix_sessions.edge import LOST_STORE_MARGIN, Edge
from fix_sessions.registry import Counterparty
from oms.domain.instrument import Reference
from oms.domain.session_commands import ReloadSessions
from oms.domain.state import Session, State
from oms.outbound_client import wanted
from oms.outbound_sessions import actions_at_start
from oms.runtime.sequencer import Sequencer
from oms.sessions.differences import SessionDifferences

REMADE = "the session's configuration has changed: log on again"
_MAX_FAULT = 2_000

# By session: expected and next MsgSeqNum.
Numbers = dict[str, tuple[int, int]]


C = TypeVar("C", bound=SessionDifferences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[C]):
    """What the configuration has come to: a fault, or what is to be."""

    fault: str = ""
    changes: C | None = None
    reference: Reference | None = None


class ReloadSteps(ABC, Generic[C]):
    """For the core's one thread. `take` commands, `settle` after a pump, `carry_out` by effect."""

    def __init__(self, *, state: State, sequencer: Sequencer, edge: Edge) -> None:
        self._state = state
        self._sequencer = sequencer
        self._edge = edge
        self._waiting: deque[ReloadSessions] = deque()
        self._busy = False
        self._reading: ReloadSessions | None = None
        self._submitted: tuple[ReloadSessions, Found[C]] | None = None
        self._decided: C | None = None
        self._numbers: Numbers | None = None

    @property
    def busy(self) -> bool:
        """Whether a reload is under way."""
        return self._busy

    def take(self, command: ReloadSessions) -> None:
        """Do it as soon as none is under way."""
        self._waiting.append(command)
        self._begin()

    def settle(self) -> None:
        """Go on where the sequencer has decided, or the FIX process is done."""
        self._note_verdict()
        if self._numbers is not None and self._decided is not None:
            numbers, self._numbers = self._numbers, None
            changes, self._decided = self._decided, None
            self._open(changes, numbers)
            self._finish()

    def carry_out(self) -> None:
        """What was decided is durable. Does nothing where no reload was decided here."""
        self._note_verdict()
        changes = self._decided
        if changes is None:
            return
        self._adopt(changes)
        self._sequencer.clients_changed()
        self._edge.set_aside(changes.remade)
        self._edge.set_aside(changes.removed, gone=True)
        self._edge.take_in(self._parties(set(changes.changed) - changes.new), {})
        self._change(changes)

    # For those who read and make

    @abstractmethod
    def _read(self) -> None:
        """Begin to read; `_has_read` is told the outcome."""

    @abstractmethod
    def _refused(self, fault: str) -> None:
        """It was not taken over."""

    @abstractmethod
    def _adopt(self, changes: C) -> None:
        """From here on this configuration is the one that runs."""

    @abstractmethod
    def _parties(self, names: Collection[str]) -> list[Counterparty]:
        """Those of these sessions, as they are configured now."""

    @abstractmethod
    def _change(self, changes: C) -> None:
        """Have sessions closed and made; `_has_changed` is told the numbers of those made anew."""

    @abstractmethod
    def _number(self, name: str, session: Session, numbers: Numbers) -> None:
        """Give one that was made anew the journal's numbers, where it needs them."""

    def _opened(self) -> None:
        """All that was made anew is open."""

    # Steps

    def _begin(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        self._reading = self._waiting.popleft()
        self._read()

    def _has_read(self, found: Found[C]) -> None:
        asked, self._reading = self._reading, None
        assert asked is not None, "nothing is being read"
        command = _completed(asked, found)
        if not command.dry_run:
            self._state.next_reference = found.reference
        self._submitted = (command, found)
        self._sequencer.submit(command)

    def _note_verdict(self) -> None:
        """The sequencer has decided all that it was given."""
        if self._submitted is None:
            return
        (command, found), self._submitted = self._submitted, None
        self._state.next_reference = None
        if found.reference is not None and self._state.reference is found.reference:
            self._decided = found.changes
            return
        differs = command.added or command.changed or command.removed
        if found.fault or (differs and not command.dry_run):
            self._refused(found.fault or "sessions with open orders")
        self._finish()

    def _has_changed(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def _open(self, changes: C, numbers: Numbers) -> None:
        """What was made anew or came back is taken in, and opened unless something bars it."""
        parties = self._parties(changes.new)
        sessions = {one.session_id: self._state.session(one.session_id) for one in parties}
        self._edge.take_in(parties, {name: one.epoch for name, one in sessions.items()})
        for name, session in sessions.items():
            self._number(name, session, numbers)
            if session.reset_due:
                self._edge.reset(name, REMADE)
            elif session.repeat_since and name in changes.added:
                # A core without it could not repeat what its reset would have swallowed.
                due = [one for one in actions_at_start(self._state) if one.session == name]
                self._sequencer.deliver_again(list(due))
            # Behind the numbers that were used, and before anything that is newer.
            profile = self._state.reference.client_profile(name)
            self._edge.catch_up(name, partial(wanted, profile))
            if not session.barred:
                self._edge.engine.logon(name)
        self._opened()

    def _finish(self) -> None:
        self._busy = False
        self._begin()


def used_meanwhile(state: State, session: Session) -> int:
    """How many numbers other cores may have used of a session that this one has not had, without a
    word of them: heartbeats, say. None of one that is new.
    """
    return LOST_STORE_MARGIN * (len(state.leaders) + 1) if session.changed_at else 0


def parties_of(parties: Iterable[Counterparty], names: Collection[str]) -> list[Counterparty]:
    """Those of these sessions."""
    return [one for one in parties if one.session_id in names]


def _completed(asked: ReloadSessions, found: Found[C]) -> ReloadSessions:
    """With what was found, whatever the inbox said of that."""
    changes, none = found.changes, ()
    return replace(
        asked,
        fault=found.fault[:_MAX_FAULT],
        added=changes.added if changes else none,
        changed=changes.changed if changes else none,
        remade=changes.remade if changes else none,
        removed=changes.removed if changes else none,
        kept=changes.kept if changes else none,
    )
