"""Our own MsgSeqNum where machines take turns in leading, each with FIX files of its own."""

from dataclasses import dataclass, field, replace

import pytest

from fix_sessions.edge import LOST_STORE_MARGIN, Edge
from fix_sessions.registry import Counterparty
from fix_sessions.session_control import SessionControl
from oms.domain.commands import SYSTEM, Command, MessagesSent, SentMessage
from oms.domain.effects import ControlSession, SessionAction
from oms.domain.events import EpochOpened, SessionClosed, SessionOpened
from oms.domain.session_commands import LogoutCause
from oms.domain.session_events import SequenceResetOrdered
from oms.domain.state import State
from oms.fold import fold_command, fold_event
from oms.store.codec import decode, encode, unpack
from tests.support.memory_core import StepClock
from tests.support.world import REFERENCE

COPY = Counterparty(session_id="XAC", name="XA", role="drop_copy")


@dataclass
class Files:
    """An engine with these numbers in its files."""

    outbound: int
    inbound: int = 1

    def expected_inbound(self, _: str) -> int:
        return self.inbound

    def set_expected_inbound(self, _: str, number: int) -> None:
        self.inbound = number

    def next_outbound(self, _: str) -> int:
        return self.outbound

    def set_next_outbound(self, _: str, number: int) -> None:
        assert number >= self.outbound
        self.outbound = number

    def new_epoch(self, _: str) -> None:
        self.outbound = 1

    def reset(self, _: str, reason: str) -> None:
        assert reason
        self.outbound = 1


@dataclass
class Journal:
    """An intake that folds at once."""

    state: State = field(default_factory=lambda: State(reference=REFERENCE))
    commands: list[Command] = field(default_factory=list)

    def submit(self, command: Command, payload: bytes = b"") -> None:
        assert not payload
        self.commands.append(command)
        again = decode(type(command).__name__, encode(command))
        if isinstance(again, MessagesSent):
            fold_command(self.state, self.state.seq + 1, 1, again)


def leads(journal: Journal, files: Files) -> None:
    """A core with these files starts, and its session sends nothing that is noted."""
    edge = Edge([COPY], epochs={}, outbound_epochs={}, clock=StepClock(), unpack=unpack)
    edge.engine = files  # type: ignore[assignment]
    edge.intake = journal
    known = journal.state.session("XAC")
    edge.set_numbers({"XAC": known.inbound}, {"XAC": known.outbound})


def test_what_a_leader_without_a_word_may_have_used_is_not_used_by_the_next() -> None:
    """Found by simulated seed 5038: a session that we only listen on, whose numbers are noted by no
    message. After a reset one machine's files were far behind the other's.
    """
    journal = Journal()
    second = Files(60_003)
    leads(journal, second)
    assert journal.state.session("XAC").outbound == 60_002
    first = Files(50_003)
    leads(journal, first)
    assert first.outbound == second.outbound + LOST_STORE_MARGIN
    leads(journal, first)
    assert len(journal.commands) == 2, "nothing new to note"


def test_a_reset_that_was_carried_out_is_not_carried_out_again() -> None:
    """Found by simulated seed 304. A core that started found that its session had new numbers; the
    reset ordered before, done once more, swallowed what had been sent in between.
    """
    journal, files = Journal(), Files(7)
    edge = Edge([COPY], epochs={}, outbound_epochs={}, clock=StepClock(), unpack=unpack)
    edge.engine = files  # type: ignore[assignment]
    edge.intake = journal
    control = SessionControl(edge, edge, lambda *_: [])
    ordered = ControlSession(
        session="XAC", event_seq=1, at=1, action=SessionAction.RESET, text="asked", epoch=-1
    )
    edge.on_sequence_reset("XAC", 1)
    control.deliver(ordered)
    assert files.outbound == 7
    control.deliver(replace(ordered, epoch=0))
    assert files.outbound == 1


SECOND = 1_000_000


@pytest.mark.parametrize(("up_s", "repeated"), [(3, True), (300, False)])
def test_what_was_sent_to_nobody_is_repeated_after_a_short_connection_too(
    up_s: int, repeated: bool
) -> None:
    """Found by simulated seed 469. A client came back, had not asked for what it lacked yet, and
    logged out in order for new numbers: an answer that it never had was not repeated.
    """
    state = State(reference=REFERENCE)
    sent_at = 1_000 * SECOND
    message = SentMessage(
        session="ALPHA",
        epoch=0,
        msg_seq_num=1,
        event_seq=1,
        msg_type="8",
        order_id="",
        text="",
        at=sent_at,
    )
    note = MessagesSent(origin=SYSTEM, messages=(message,))
    fold_command(state, 1, sent_at + SECOND, note)
    opened_at = sent_at + 400 * SECOND
    closed_at = opened_at + up_s * SECOND
    ours = LogoutCause.OURS
    for seq, at, event in (
        (2, opened_at, SessionOpened(session="ALPHA")),
        (3, closed_at, SequenceResetOrdered(session="ALPHA", moment=0, reason="x", user="ops")),
        (4, closed_at, SessionClosed(session="ALPHA", text="", cause=ours)),
        (5, closed_at, EpochOpened(session="ALPHA", epoch=1)),
    ):
        fold_event(state, seq, at, event)
    since = state.session("ALPHA").repeat_since
    assert since > 0
    assert (since <= sent_at) is repeated


def test_files_that_nothing_was_sent_with_need_no_note() -> None:
    journal = Journal()
    leads(journal, Files(1))
    assert not journal.commands
