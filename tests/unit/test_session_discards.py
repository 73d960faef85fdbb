"""What waits for a client that is gone for good is let go, by two people."""

from dataclasses import replace

from oms.domain.commands import SYSTEM, Command, MessagesSent, SentMessage
from oms.domain.effects import ControlSession, SessionAction
from oms.domain.events import CommandAnswered
from oms.domain.origin import Channel, Origin
from oms.domain.reasons import Reason
from oms.domain.session_commands import ApproveReportsDiscard, RequestReportsDiscard
from oms.domain.session_events import ReportsDiscarded
from oms.domain.state import Session
from oms.sessions.operators import REQUEST_LIFE_US
from tests.support.world import REFERENCE, World, of_type


def operator(user: str) -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"cli:{user}", user=user)


ASK = RequestReportsDiscard(origin=operator("anne"), session="GONE", reason="ticket 1")
AGREE = ApproveReportsDiscard(
    origin=operator("bert"), session="GONE", request=0, reason="their desk was told"
)
NO_REQUEST = "must be the one that waits"


def sent(event_seq: int, number: int = 0) -> SentMessage:
    return SentMessage(
        session="GONE",
        epoch=0,
        msg_seq_num=number,
        event_seq=event_seq,
        msg_type="8" if number else "",
        order_id="",
        text="",
    )


def keep(world: World, *events: int) -> None:
    kept = tuple(sent(one) for one in events)
    world.send(MessagesSent(origin=SYSTEM, messages=(), kept=kept))


def waiting() -> World:
    """Three messages wait for GONE, which is configured nowhere."""
    world = World()
    keep(world, 2, 5, 9)
    return world


def session(world: World) -> Session:
    return world.state.session("GONE")


def told(world: World, command: Command) -> tuple[bool, Reason, str]:
    world.send(command)
    [answer] = of_type(world, CommandAnswered)
    return answer.accepted, answer.reason, answer.text


def asked(world: World) -> ApproveReportsDiscard:
    """Anne has asked; what somebody else would agree by."""
    accepted, _, text = told(world, ASK)
    assert accepted, text
    return replace(AGREE, request=session(world).discard_request)


def refused(world: World, command: Command) -> str:
    accepted, reason, text = told(world, command)
    assert not accepted
    assert reason is Reason.UNSUPPORTED_VALUE
    assert not of_type(world, ReportsDiscarded)
    return text


def test_two_people_let_go_of_what_waits() -> None:
    world = waiting()
    accepted, _, text = told(world, ASK)
    assert accepted
    number = session(world).discard_request
    assert number
    assert text == (
        f"request {number}: somebody else than anne has to approve it within 60 minutes;"
        " 3 messages wait for GONE, which has 0 open orders"
    )
    assert session(world).undelivered == 3
    accepted, _, text = told(world, replace(AGREE, request=number))
    assert (accepted, text) == (True, "3 messages that waited for GONE are discarded")
    assert of_type(world, ReportsDiscarded) == [
        ReportsDiscarded(
            session="GONE",
            request=number,
            count=3,
            first_event=2,
            last_event=9,
            user="anne",
            reason="ticket 1",
            approved_by="bert",
            approval="their desk was told",
        )
    ]
    [effect] = world.effects
    assert isinstance(effect, ControlSession)
    assert (effect.action, effect.session, effect.through) == (SessionAction.DISCARD, "GONE", 9)
    left = session(world)
    assert (left.undelivered, left.undelivered_from, left.undelivered_since) == (0, 0, 0)
    assert world.replayed() == world.state


def test_an_approval_that_comes_twice_is_answered_and_does_nothing() -> None:
    world = waiting()
    approval = asked(world)
    world.send(approval)
    keep(world, 12)
    accepted, _, text = told(world, approval)
    assert accepted
    assert text == f"request {approval.request}: was carried out before"
    assert not of_type(world, ReportsDiscarded)
    assert session(world).undelivered == 1


def test_what_was_discarded_is_not_counted_again_and_what_comes_later_is() -> None:
    world = waiting()
    world.send(asked(world))
    keep(world, 5, 9)
    assert session(world).undelivered == 0
    keep(world, 9, 12)
    left = session(world)
    assert (left.undelivered, left.undelivered_from, left.undelivered_to) == (1, 12, 12)
    assert asked(world).request


def test_who_asks_does_not_approve() -> None:
    world = waiting()
    approval = asked(world)
    text = "must be somebody else than who asked for it"
    assert text in refused(world, replace(approval, origin=operator("anne")))
    assert text in refused(world, replace(approval, origin=operator("")))
    assert session(world).undelivered == 3


def test_a_request_is_approved_by_its_number_and_within_the_hour() -> None:
    world = waiting()
    assert NO_REQUEST in refused(world, AGREE)
    approval = asked(world)
    assert NO_REQUEST in refused(world, replace(approval, request=approval.request + 1))
    world.at += REQUEST_LIFE_US
    assert "is too old" in refused(world, approval)


def test_nothing_is_discarded_of_a_client_that_is_configured() -> None:
    world = waiting()
    approval = asked(world)
    gone = replace(REFERENCE.clients["BETA"], name="GONE", session="GONE")
    back = replace(REFERENCE, clients={**REFERENCE.clients, "GONE": gone})
    world.state.reference = back
    assert "is configured" in refused(world, approval)
    assert "is configured" in refused(world, ASK)
    world.state.reference = replace(back, clients=REFERENCE.clients, retired=frozenset({"GONE"}))
    assert told(world, approval)[0]


def test_a_request_is_void_once_the_client_was_told_some() -> None:
    world = waiting()
    approval = asked(world)
    world.send(MessagesSent(origin=SYSTEM, messages=(sent(2, number=1),)))
    assert session(world).undelivered == 2
    assert NO_REQUEST in refused(world, approval)


def test_a_request_is_signed_and_about_something() -> None:
    world = waiting()
    assert "reason" in refused(world, replace(ASK, reason=" "))
    assert "origin.user" in refused(world, replace(ASK, origin=operator("")))
    assert "reason" in refused(world, replace(asked(world), reason=""))
    accepted, reason, text = told(world, replace(ASK, session="NOBODY"))
    assert (accepted, reason) == (False, Reason.TOO_LATE)
    assert text == "session = NOBODY: nothing waits for it"
