"""Sequencer, throttle, recovery: nothing uncommitted leaves, nothing committed is lost."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from oms.core import replay
from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    CoreStarted,
    MessagesSent,
    NewOrderSingle,
    Origin,
    Quote,
    QuoteObserved,
    SentMessage,
    SequenceReset,
)
from oms.domain.effects import Effect, SendExecutionReport, SendOrderMassStatusRequest
from oms.domain.events import OrderAccepted
from oms.domain.fix import OrdType, Side
from oms.domain.state import State
from oms.outbound import effects_of
from oms.runtime.sequencer import OBSERVED_MARK_EVERY
from oms.runtime.throttle import Throttle
from tests.support.invariants import check_same
from tests.support.memory_core import Collector, MemoryCore, MemoryJournal, StepClock
from tests.support.world import DATE, REFERENCE, World

CLIENT = Origin(channel=Channel.CLIENT, counterparty="ALPHA", session="ALPHA")
STARTED = CoreStarted(origin=SYSTEM, leader_epoch=1, version="1", trade_date=DATE)


def order(n: int, epoch: int = 0) -> NewOrderSingle:
    return NewOrderSingle(
        origin=replace(CLIENT, msg_seq_num=n, epoch=epoch),
        cl_ord_id=f"c{epoch}-{n}",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT,
        price=Decimal(100),
    )


@pytest.fixture
def core() -> MemoryCore:
    made = MemoryCore(REFERENCE, MemoryJournal())
    made.submit(STARTED)
    made.commit()
    return made


def test_nothing_leaves_before_its_commit(core: MemoryCore) -> None:
    core.submit(order(1))
    for _ in range(5):
        core.sequencer.pump()
    assert core.outlet.sent == []
    core.submit(order(2))
    core.commit()
    assert [one.event_seq for one in core.outlet.sent] == [_accepted(core, "c0-1")]
    core.commit()
    accepted = [_accepted(core, "c0-1"), _accepted(core, "c0-2")]
    assert [one.event_seq for one in core.outlet.sent] == accepted


def _accepted(core: MemoryCore, cl_ord_id: str) -> int:
    return next(
        entry.seq
        for entry in core.journal.entries
        if isinstance(entry.obj, OrderAccepted) and entry.obj.terms.cl_ord_id == cl_ord_id
    )


def test_what_was_sent_is_told_of_until_the_journal_has_it(core: MemoryCore) -> None:
    def look() -> None:
        noted = [
            message.event_seq
            for entry in core.journal.entries
            if isinstance(entry.obj, MessagesSent)
            for message in entry.obj.messages
        ]
        waiting = [message.event_seq for message in core.sequencer.unjournaled()]
        assert noted + waiting == [effect.event_seq for effect in core.outlet.sent]

    for n in range(1, 8):
        core.submit(order(n))
        look()
        if n % 2:
            core.commit()
            look()
    assert core.sequencer.unjournaled()
    core.drain()
    look()
    assert core.outlet.sent
    assert core.sequencer.unjournaled() == []


def test_a_failed_append_stops_everything(core: MemoryCore) -> None:
    core.submit(order(1))
    core.submit(order(2))
    core.journal.failure = ConnectionError("the database is gone")
    with pytest.raises(ConnectionError):
        core.commit()
    with pytest.raises(ConnectionError):
        core.sequencer.pump()
    assert core.outlet.sent == []


def test_duplicates_are_dropped_by_session_epoch_and_number(core: MemoryCore) -> None:
    core.submit(order(1), order(2), order(2), order(1))
    core.drain()
    assert len(core.state.orders) == 2
    core.submit(SequenceReset(origin=CLIENT), order(1, epoch=1), order(1, epoch=1))
    core.drain()
    assert len(core.state.orders) == 3
    session = core.state.session("ALPHA")
    assert (session.epoch, session.inbound) == (1, 1)


def test_observations_leave_a_mark_and_nothing_else(core: MemoryCore) -> None:
    venue = Origin(channel=Channel.VENUE, counterparty="XA", session="XA")
    before = len(core.journal.entries)
    for n in range(1, OBSERVED_MARK_EVERY + 1):
        quote = Quote(bid=Decimal(n), bid_size=Decimal(1))
        origin = replace(venue, msg_seq_num=n)
        core.submit(QuoteObserved(origin=origin, symbol="AAPL", quote=quote))
    core.drain()
    [note] = [entry.obj for entry in core.journal.entries[before:]]
    assert isinstance(note, MessagesSent)
    again = MemoryCore(REFERENCE, core.journal)
    assert again.state.session("XA").inbound == OBSERVED_MARK_EVERY
    check_same(core.state, again.state)


def _workload() -> list[Command]:
    """Client and venue traffic, recorded against the brain alone."""
    recorded: list[Command] = []
    world = World()
    send = world.send

    def record(command: Command, after_us: int = 1_000) -> object:
        recorded.append(command)
        return send(command, after_us)

    world.send = record  # type: ignore[method-assign, assignment]
    world.connect("XA", "XB")
    for n in range(1, 9):
        world.new(f"c{n}", "100")
        world.ack(world.child(f"c{n}"))
        world.fill(world.child(f"c{n}"), "40")
        if n % 2:
            world.cancel(f"x{n}", f"c{n}")
            world.canceled(world.child(f"c{n}"), world.child(f"c{n}").requests[-1].cl_ord_id)
        else:
            world.fill(world.child(f"c{n}"), "60")
    return recorded


def _reports(sent: list[Effect]) -> list[SendExecutionReport]:
    return [one for one in sent if isinstance(one, SendExecutionReport)]


@pytest.mark.parametrize("seed", range(40))
def test_after_a_crash_what_may_not_have_left_is_sent_again_and_nothing_else(seed: int) -> None:
    dice = random.Random(seed)
    workload = _workload()
    journal = MemoryJournal()
    core = MemoryCore(REFERENCE, journal, limits={"XA": dice.choice([0, 2, 20])})
    core.submit(STARTED)
    for command in workload[: dice.randrange(1, len(workload))]:
        core.submit(command)
        core.clock.at += dice.choice([1_000, 60_000])
        while core.line.busy and dice.random() < 0.7:
            core.commit()
    sent = _reports(core.outlet.sent)
    noted = journal.delivered(["XA", "XB"])

    again = MemoryCore(REFERENCE, journal)
    resent = _reports(again.outlet.sent)
    durable = _durable_reports(journal)
    assert {one.event_seq for one in sent} <= durable
    assert {one for one in durable if one <= noted} <= {one.event_seq for one in sent}
    assert {one.event_seq for one in resent} == {one for one in durable if one > noted}
    assert all(one.poss_resend for one in resent)
    assert not any(one.poss_resend for one in sent)
    known = {one.event_seq: one for one in sent}
    for one in resent:
        if one.event_seq in known:
            assert replace(one, poss_resend=False) == known[one.event_seq]
    again.drain()
    third = MemoryCore(REFERENCE, journal)
    assert third.outlet.sent == []


def _durable_reports(journal: MemoryJournal) -> set[int]:
    """Numbers of the events that tell a client something."""
    state = State(reference=REFERENCE)
    found: set[int] = set()
    for entry in journal.entries:
        replay(state, entry.seq, entry.at, entry.obj)
        if not isinstance(entry.obj, Command):
            told = _reports(list(effects_of(state, entry.seq, entry.obj)))
            found.update(one.event_seq for one in told)
    return found


def test_the_throttle_keeps_the_rate_and_the_order() -> None:
    clock, outlet = StepClock(), Collector()
    throttle = Throttle(outlet, {"XA": 3, "ALPHA": 0}, clock)
    messages = [message(n) for n in range(5)]
    for one in messages:
        throttle.deliver(one)
    assert [one.event_seq for one in throttle.release()] == [0, 1, 2]
    assert throttle.release() == []
    clock.at += 1_000_000
    released: list[SentMessage] = throttle.release()
    assert [one.event_seq for one in released] == [3, 4]
    assert [one.event_seq for one in outlet.sent] == [0, 1, 2, 3, 4]


def message(n: int) -> Effect:
    return SendOrderMassStatusRequest(session="XA", event_seq=n, at=1, mass_status_req_id=f"m{n}")
