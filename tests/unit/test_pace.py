"""A client's rate: what comes too fast waits, in order, and its session with it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    MessagesSent,
    NewOrderSingle,
    Origin,
    SequenceReset,
    SessionLoggedOut,
    StreamMark,
)
from oms.domain.fix import OrdType, Side
from oms.runtime import pace
from oms.runtime.pace import Pace
from tests.support.memory_core import StepClock

ALPHA = Origin(channel=Channel.CLIENT, counterparty="ALPHA", session="ALPHA")
BETA = Origin(channel=Channel.CLIENT, counterparty="BETA", session="BETA")
SECOND = 1_000_000


class Taken:
    """An intake that keeps what it is given."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.payloads: list[bytes] = []

    def submit(self, command: Command, payload: bytes = b"") -> None:
        self.commands.append(command)
        self.payloads.append(payload)

    @property
    def numbers(self) -> list[int]:
        return [one.origin.msg_seq_num for one in self.commands]


def order(n: int, origin: Origin = ALPHA) -> NewOrderSingle:
    return NewOrderSingle(
        origin=replace(origin, msg_seq_num=n),
        cl_ord_id=f"c{n}",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.MARKET,
    )


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def paced(taken: Taken, clock: StepClock, ended: list[str]) -> Pace:
    return Pace(taken, {"ALPHA": 2, "BETA": 0}, clock, ended.append)


def test_what_comes_too_fast_waits_in_order(paced: Pace, taken: Taken, clock: StepClock) -> None:
    for n in range(1, 6):
        paced.submit(order(n), b"%d" % n)
        paced.submit(order(n, BETA), b"%d" % n)
    assert [one.origin.session for one in taken.commands].count("BETA") == 5
    assert paced.waiting == 3
    paced.release()
    assert paced.waiting == 3
    clock.at += SECOND
    paced.release()
    paced.submit(order(6), b"6")
    clock.at += SECOND
    paced.release()
    clock.at += SECOND
    paced.release()
    assert [one for one in taken.numbers if taken.numbers.count(one) == 1] == [6]
    alphas = [one for one in taken.commands if one.origin.session == "ALPHA"]
    assert [one.origin.msg_seq_num for one in alphas] == [1, 2, 3, 4, 5, 6]
    assert [int(one) for one in taken.payloads] == taken.numbers


def test_what_the_session_itself_tells_keeps_its_place(
    paced: Pace, taken: Taken, clock: StepClock
) -> None:
    """The end of the session comes after its orders; a mark of its numbers after their reset."""
    mark = StreamMark(session="ALPHA", epoch=1, msg_seq_num=9)
    sent: list[Command] = [
        *(order(n) for n in range(1, 4)),
        SequenceReset(origin=ALPHA),
        MessagesSent(origin=SYSTEM, messages=(), observed=(mark,)),
        SessionLoggedOut(origin=ALPHA),
    ]
    for command in sent:
        paced.submit(command)
    assert taken.commands == sent[:2]
    clock.at += SECOND
    paced.release()
    assert taken.commands == sent
    assert paced.waiting == 0


def test_who_has_too_much_waiting_is_disconnected_and_loses_nothing(
    paced: Pace,
    taken: Taken,
    clock: StepClock,
    ended: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "MAX_WAITING", 3)
    for n in range(1, 7):
        paced.submit(order(n))
    paced.release()
    assert ended == ["ALPHA"]
    for _ in range(2):
        clock.at += SECOND
        paced.release()
    assert taken.numbers == [1, 2, 3, 4, 5, 6]
    clock.at += SECOND
    paced.release()
    assert ended == ["ALPHA"] * 2, "not once it is level again"
