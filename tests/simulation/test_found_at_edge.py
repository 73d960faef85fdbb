"""What the simulator found at the FIX edge: each defect as the shortest case that shows it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from fix_sessions.edge import Edge
from fix_sessions.registry import Counterparty
from fix_sessions.session_control import SessionControl
from oms.app.fix_stores import first_number
from oms.app.reload_steps import used_meanwhile
from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    CoreStarted,
    MessagesSent,
    NewOrderSingle,
    Origin,
    SequenceReset,
)
from oms.domain.effects import ControlSession, SendExecutionReport, SessionAction
from oms.domain.fix import ExecType, OrdType, Side, TimeInForce
from oms.domain.profile import ClientProfile
from oms.domain.session_commands import LogoutCause
from oms.domain.state import State
from oms.outbound_client import wanted
from oms.store.codec import unpack
from tests.support.checked_world import connected
from tests.support.memory_core import MemoryCore, MemoryJournal, StepClock
from tests.support.world import DATE, REFERENCE


def test_numbers_of_a_leader_that_sent_no_message_are_not_used_again() -> None:
    """Found by seed 42. Machine one sent up to 25; machine two only logged on; then one again."""
    second = first_number(1, 25, 1, noted=25)
    third = first_number(26, 25, 2, noted=25)
    assert third - second >= 10_000
    assert second - 25 >= 10_000
    # A leader that is back before anybody else led goes on where its files are.
    assert first_number(99_999, 25, 1, noted=25) > 99_999


def test_numbers_that_another_machine_has_noted_are_not_used_again() -> None:
    """Found by seed 20036. Its files were far ahead from before a reset; it logged on and sent
    nothing, and ours came to the number after the one that it had noted.
    """
    used = first_number(40_008, 0, 17, noted=15)
    assert first_number(16, 0, 21, noted=used - 1) - used >= 10_000


class StoredNumbers:
    """An engine's numbers, as its store was left."""

    def __init__(self, inbound: int, outbound: int) -> None:
        self.inbound, self.outbound = inbound, outbound

    def expected_inbound(self, session: str) -> int:
        del session
        return self.inbound

    def next_outbound(self, session: str) -> int:
        del session
        return self.outbound

    def set_expected_inbound(self, session: str, number: int) -> None:
        del session
        self.inbound = number

    def set_next_outbound(self, session: str, number: int) -> None:
        del session
        self.outbound = number


def test_a_session_that_comes_back_by_a_reload_is_ahead_of_what_others_used() -> None:
    """Found by seed 108. It was out of the file when this machine began to lead, and another one
    had logged on there and sent nothing; its store here is of long ago.
    """
    state = State(reference=REFERENCE)
    state.leaders += [1, 9]
    fresh = state.session("BETA")
    assert used_meanwhile(state, fresh) == 0, "a new one begins at 1"
    known = state.session_kept("ALPHA")
    known.inbound, known.outbound, known.changed_at = 20, 7, 1
    parties = [Counterparty(session_id="ALPHA", name="ALPHA", role="client")]
    edge = Edge(parties, epochs={}, outbound_epochs={}, clock=StepClock(), unpack=unpack)
    engine = StoredNumbers(inbound=5, outbound=3)
    edge.engine = engine  # type: ignore[assignment]
    intake = edge.intake = Noted()
    edge.set_number("ALPHA", known.inbound, known.outbound, used_meanwhile(state, known))
    assert engine.inbound == 21, "no epoch begins: what the journal has is not asked for again"
    assert engine.outbound >= 30_000
    [note] = intake.taken
    assert isinstance(note, MessagesSent)
    assert note.numbered[0].msg_seq_num == engine.outbound - 1


def report(session: str, number: int) -> SendExecutionReport:
    world = connected()
    world.new("c1")
    [told] = [one for one in world.effects if isinstance(one, SendExecutionReport)]
    return replace(told, session=session, event_seq=number, exec_id=f"E{number}")


class LateEngine:
    """An engine a moment away: what it did, its edge learns when asked to."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._numbers: Counter[str] = Counter()
        self._untold: list[Callable[[], None]] = []
        self.sent: list[tuple[str, int, str]] = []

    def send_pieces(
        self, session: str, msg_type: str, pieces: Sequence[str], *, groups: bool
    ) -> None:
        del msg_type, groups
        self._numbers[session] += 1
        number = self._numbers[session]
        told = dict(one.partition("=")[::2] for one in pieces)
        self.sent.append((session, number, told["17"]))
        text = "\x01".join((*pieces, ""))
        self._untold.append(partial(self._edge.on_sent, session, number, text))

    def flush(self) -> None:
        """Nothing waits here."""

    def understand(self, counterparties: Sequence[Counterparty], epochs: object) -> None:
        """There is no process beside it."""

    def reset(self, session: str, reason: str) -> None:
        del reason
        self._numbers[session] = 0
        self._untold.append(partial(self._edge.on_sequence_reset, session, 1))

    def tell(self) -> None:
        untold, self._untold = self._untold, []
        for one in untold:
            one()


def test_what_comes_for_new_numbers_waits_for_what_is_repeated() -> None:
    """Found by seed 5081. A fill came while the numbers began anew, and was told as number 1; the
    older reports followed it, repeated, and the client's book went back.
    """
    parties = [Counterparty(session_id=one, name=one, role="client") for one in ("ALPHA", "BETA")]
    edge = Edge(parties, epochs={}, outbound_epochs={}, clock=StepClock(), unpack=unpack)
    engine = LateEngine(edge)
    edge.engine = engine  # type: ignore[assignment]
    edge.intake = Taken()

    edge.deliver(report("ALPHA", 1))
    engine.tell()
    lost = edge.release()
    edge.reset("ALPHA", "test")
    edge.deliver(report("ALPHA", 2))
    edge.deliver(report("BETA", 3))
    assert edge.held_from == 2
    engine.tell()
    edge.repeat("ALPHA", lost)
    assert edge.held_from == 2, "it is not told of yet"
    engine.tell()
    assert edge.held_from is None
    assert engine.sent == [
        ("ALPHA", 1, "E1"),
        ("BETA", 1, "E3"),
        ("ALPHA", 1, "E1"),
        ("ALPHA", 2, "E2"),
    ]
    edge.reset("ALPHA", "test")
    edge.deliver(report("ALPHA", 4))
    edge.set_aside(["ALPHA"])
    assert engine.sent[-1] == ("ALPHA", 1, "E4"), "kept for the counterparty"


def test_what_a_client_that_is_not_configured_would_be_told_waits_until_it_is() -> None:
    """Found by seed 107. A core that started without it told nobody."""
    parties = {one: Counterparty(session_id=one, name=one, role="client") for one in ("A", "B")}
    edge = Edge([parties["B"]], epochs={}, outbound_epochs={}, clock=StepClock(), unpack=unpack)
    engine = LateEngine(edge)
    edge.engine = engine  # type: ignore[assignment]
    edge.deliver(report("A", 1))
    edge.deliver(report("B", 2))
    # That it waits is noted no later than that something newer has left.
    assert [(one.session, one.msg_seq_num, one.event_seq) for one in edge.release()] == [
        ("A", 0, 1)
    ]
    engine.tell()
    assert [(one.session, one.msg_seq_num) for one in edge.release()] == [("B", 1)]
    for number in (3, 4):
        edge.deliver(report("A", number))
    edge.release()
    edge.take_in([parties["A"]], {})
    assert engine.sent == [("B", 1, "E2")], "its numbers are not set yet"
    edge.catch_up("A", lambda one: one != report("A", 3))
    edge.deliver(report("A", 5))
    assert engine.sent[1:] == [("A", 1, "E1"), ("A", 2, "E4"), ("A", 3, "E5")]
    edge.set_aside(["A"])
    edge.deliver(report("A", 6))
    assert engine.sent[-1] == ("A", 4, "E6"), "it is made anew and can ask for it"
    edge.set_aside(["A"], gone=True)
    edge.deliver(report("A", 7))
    assert engine.sent[-1] == ("A", 4, "E6")
    engine.tell()
    assert [one.msg_seq_num for one in edge.release()] == [0, 1, 2, 3, 4]


def test_a_reset_that_two_events_ask_for_at_once_is_done_once() -> None:
    """Found by seed 30726. A core that starts delivers the one before again, and decides anew."""
    parties = [Counterparty(session_id="ALPHA", name="ALPHA", role="client")]
    edge = Edge(parties, epochs={}, outbound_epochs={}, clock=StepClock(), unpack=unpack)
    engine = LateEngine(edge)
    edge.engine = engine  # type: ignore[assignment]
    edge.intake = intake = Noted()
    control = SessionControl(edge, edge, lambda *_: [])
    reset = ControlSession(session="ALPHA", event_seq=1, at=0, action=SessionAction.RESET)
    control.deliver(reset)
    control.deliver(reset)
    engine.tell()
    assert [type(one) for one in intake.taken] == [SequenceReset]
    # The session came up before a reset could be done; its end asks for that again.
    control.deliver(replace(reset, epoch=1))
    edge.on_logon("ALPHA")
    edge.on_logout("ALPHA", "test", LogoutCause.OURS)
    control.deliver(replace(reset, epoch=1))
    engine.tell()
    assert [type(one) for one in intake.taken].count(SequenceReset) == 3


def test_nothing_beyond_what_is_held_back_is_noted_as_sent() -> None:
    """A core that starts sends again what comes after the last that was noted."""
    core = MemoryCore(REFERENCE, MemoryJournal())
    started = CoreStarted(origin=SYSTEM, leader_epoch=1, version="1", trade_date=DATE)
    core.submit(started)
    core.drain()
    core.submit(new_order(1))
    core.commit()
    first = core.outlet.sent[-1].event_seq
    core.submit(new_order(2))
    core.commit()
    core.outlet.held_from = first + 1
    core.drain()
    assert core.journal.delivered([]) == first
    core.outlet.held_from = None
    core.drain()
    assert core.journal.delivered([]) == core.outlet.sent[-1].event_seq > first


class Noted:
    """An intake that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Command] = []

    def submit(self, command: Command) -> None:
        self.taken.append(command)


class Taken:
    """An intake that nobody reads."""

    def submit(self, command: Command) -> None:
        del command


def new_order(n: int) -> NewOrderSingle:
    client = Origin(channel=Channel.CLIENT, counterparty="ALPHA", session="ALPHA", msg_seq_num=n)
    return NewOrderSingle(
        origin=client,
        cl_ord_id=f"c{n}",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT,
        price=Decimal(100),
    )


@pytest.mark.parametrize(
    ("exec_type", "time_in_force", "told"),
    [
        (ExecType.PENDING_CANCEL, TimeInForce.DAY, False),
        (ExecType.PENDING_REPLACE, TimeInForce.DAY, False),
        (ExecType.PENDING_NEW, TimeInForce.DAY, False),
        (ExecType.NEW, TimeInForce.IOC, False),
        (ExecType.NEW, TimeInForce.DAY, True),
        (ExecType.NEW, None, True),
        (ExecType.TRADE, TimeInForce.IOC, True),
    ],
)
def test_a_client_that_is_configured_again_is_told_what_its_profile_asks_for(
    exec_type: ExecType, time_in_force: TimeInForce | None, told: bool
) -> None:
    """Found by seed 235. While it is not configured, nobody knows what it wants."""
    one = replace(report("A", 1), exec_type=exec_type, time_in_force=time_in_force)
    assert wanted(ClientProfile(), one)
    assert wanted(ClientProfile(pending_acks=False, new_for_immediate=False), one) is told


def test_who_hears_of_an_order_by_its_outcome_is_told_of_no_pending_one_either() -> None:
    """Whether its report is made now or was kept: one rule."""
    one = replace(report("A", 1), exec_type=ExecType.PENDING_NEW, time_in_force=TimeInForce.FOK)
    assert not wanted(ClientProfile(new_for_immediate=False), one)
    assert wanted(ClientProfile(new_for_immediate=False), replace(one, exec_type=ExecType.TRADE))
    new = replace(one, exec_type=ExecType.NEW)
    assert wanted(ClientProfile(pending_acks=False), new)
    assert not wanted(ClientProfile(pending_acks=False), one)
