"""The throttle before the engine, when its limits change."""

from oms.domain.commands import SentMessage
from oms.domain.effects import FixMessage, SendOrderMassStatusRequest
from oms.runtime.throttle import Throttle
from tests.support.memory_core import StepClock


class Kept:
    """An outlet that keeps what it is given."""

    pending, held_from = False, None

    def __init__(self) -> None:
        self.effects: list[FixMessage] = []

    def deliver(self, effect: FixMessage) -> None:
        self.effects.append(effect)

    def release(self) -> list[SentMessage]:
        return []


def question(number: int) -> SendOrderMassStatusRequest:
    return SendOrderMassStatusRequest(
        session="XA", event_seq=number, at=0, mass_status_req_id=str(number)
    )


def test_a_venue_whose_rate_is_gone_is_sent_what_waited() -> None:
    kept = Kept()
    throttle = Throttle(kept, {"XA": 1}, StepClock())
    for number in range(4):
        throttle.deliver(question(number))
    assert len(kept.effects) == 1
    throttle.limit({"XB": 1})
    throttle.release()
    throttle.deliver(question(4))
    assert [one.event_seq for one in kept.effects] == [0, 1, 2, 3, 4]
    throttle.limit({"XA": 2})
    for number in range(5, 9):
        throttle.deliver(question(number))
    assert len(kept.effects) == 6
