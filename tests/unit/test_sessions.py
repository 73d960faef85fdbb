from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from oms.domain.commands import (
    SYSTEM,
    Channel,
    CoreStarted,
    MessagesSent,
    Origin,
    SentMessage,
    SequenceReset,
    SessionLoggedOn,
    SessionLoggedOut,
)
from oms.domain.effects import ControlSession, SessionAction
from oms.domain.events import CommandAnswered, EpochOpened, Event
from oms.domain.schedule import Schedule
from oms.domain.session_commands import (
    ApproveSessionReset,
    LogoutCause,
    RequestSessionReset,
    ResendAsked,
    StartSession,
    StopSession,
)
from oms.domain.session_events import (
    GapFound,
    MessagesRepeated,
    ResetScheduleNoted,
    SequenceResetOrdered,
    SequenceResetRequested,
    SessionHoursBegan,
    SessionHoursEnded,
    SessionStarted,
    SessionStopped,
)
from oms.domain.values import micros
from oms.outbound_sessions import actions_at_start
from tests.support.world import DATE, REFERENCE, World, of_type

DAILY = Schedule(
    time_zone=UTC,
    start=time(8),
    end=time(17),
    days=frozenset(range(7)),
    reset=time(7, 55),
    reset_days=frozenset(range(7)),
)
SENT = SentMessage(
    session="ALPHA", epoch=1, msg_seq_num=1, event_seq=1, msg_type="8", order_id="", text=""
)
OPEN, CLOSE, RESET, REPEAT, _DISCARD, _RELOAD = SessionAction


def operator(user: str = "anne") -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"cli:{user}", user=user)


def world_at(clock: str, *sessions: str) -> World:
    """A world whose sessions keep the daily schedule, at that time of its first day."""
    reference = replace(REFERENCE, schedules=dict.fromkeys(sessions or ("ALPHA",), DAILY))
    world = World(reference)
    tick_at(world, clock)
    return world


def tick_at(world: World, clock: str, day: int = 21) -> list[Event]:
    """Let it be that time of September 2026."""
    moment = micros(datetime.fromisoformat(f"2026-09-{day}T{clock}").replace(tzinfo=UTC))
    return world.tick(moment - world.at)


def log_on(world: World, session: str = "ALPHA") -> list[Event]:
    return world.send(SessionLoggedOn(origin=replace(world.origin(session), msg_seq_num=0)))


def log_out(
    world: World, session: str = "ALPHA", cause: LogoutCause = LogoutCause.OURS
) -> list[Event]:
    origin = replace(world.origin(session), msg_seq_num=0)
    return world.send(SessionLoggedOut(origin=origin, text="test", cause=cause))


def reset_done(world: World, session: str = "ALPHA") -> list[Event]:
    return world.send(SequenceReset(origin=replace(world.origin(session), msg_seq_num=0)))


def repeated(world: World, *messages: SentMessage) -> list[Event]:
    return world.send(MessagesSent(origin=SYSTEM, messages=messages, repeated="ALPHA"))


def actions(world: World) -> list[SessionAction]:
    return [one.action for one in world.effects if isinstance(one, ControlSession)]


def restart(world: World) -> list[Event]:
    return world.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=DATE))


def test_a_session_opens_and_closes_by_its_schedule() -> None:
    world = world_at("18:00:00")
    assert of_type(world, SessionHoursEnded) == [SessionHoursEnded(session="ALPHA")]
    assert actions(world) == [CLOSE]
    assert tick_at(world, "23:00:00") == []
    tick_at(world, "08:00:00", day=22)
    assert of_type(world, SessionHoursBegan)
    reset_done(world)
    repeated(world)
    assert not world.state.session("ALPHA").out_of_hours
    assert tick_at(world, "16:59:59", day=22) == []
    log_on(world)
    assert actions(world) == []
    tick_at(world, "17:00:00", day=22)
    assert actions(world) == [CLOSE]
    log_out(world)
    assert actions(world) == []
    assert world.replayed() == world.state


def test_a_session_that_comes_up_out_of_hours_is_logged_out() -> None:
    world = world_at("18:00:00")
    log_on(world)
    assert actions(world) == [CLOSE]


def test_the_first_sight_of_a_schedule_resets_nothing() -> None:
    world = world_at("12:00:00")
    assert [type(one) for one in world.events] == [ResetScheduleNoted]
    assert tick_at(world, "12:00:01") == []


def test_a_scheduled_reset_of_a_session_that_is_down() -> None:
    world = world_at("12:00:00")
    tick_at(world, "18:00:00")
    tick_at(world, "07:54:59", day=22)
    tick_at(world, "07:55:00", day=22)
    [ordered] = of_type(world, SequenceResetOrdered)
    assert ordered.reason == "scheduled for 2026-09-22 07:55:00 UTC"
    assert actions(world) == [RESET]
    assert tick_at(world, "07:55:01", day=22) == []
    assert reset_done(world) == [EpochOpened(session="ALPHA", epoch=1)]
    assert actions(world) == [REPEAT, CLOSE]
    repeated(world)
    assert actions(world) == [CLOSE], "its hours have not begun"
    tick_at(world, "08:00:00", day=22)
    assert actions(world) == [OPEN]
    assert tick_at(world, "16:00:00", day=22) == []
    assert world.replayed() == world.state


def test_a_scheduled_reset_of_a_session_that_is_up_waits_for_its_logout() -> None:
    always = replace(DAILY, start=time(0), end=time(0))
    world = World(replace(REFERENCE, schedules={"ALPHA": always}))
    tick_at(world, "07:00:00")
    log_on(world)
    tick_at(world, "07:55:00")
    assert actions(world) == [CLOSE]
    log_out(world)
    assert actions(world) == [RESET]
    reset_done(world)
    assert actions(world) == [REPEAT, CLOSE]
    repeated(world)
    assert actions(world) == [OPEN]


def test_resets_that_were_missed_are_made_up_for_once() -> None:
    world = world_at("12:00:00")
    tick_at(world, "09:00:00", day=25)
    assert len(of_type(world, SequenceResetOrdered)) == 1
    reset_done(world)
    assert tick_at(world, "09:00:01", day=25) == []


def test_a_core_that_died_between_order_and_reset_carries_it_out() -> None:
    world = world_at("12:00:00")
    tick_at(world, "07:55:00", day=22)
    world.state = world.replayed()
    restart(world)
    assert actions(world) == [RESET]
    reset_done(world)
    assert not world.state.session("ALPHA").reset_due


def test_a_schedule_that_is_gone_from_the_configuration_bars_nothing() -> None:
    world = world_at("18:00:00")
    world.state.reference = REFERENCE
    restart(world)
    assert actions(world) == [OPEN]


@pytest.mark.parametrize(
    ("cause", "since_us"), [(LogoutCause.OURS, 10_000_000), (LogoutCause.LOST, 120_000_000)]
)
def test_what_was_sent_to_nobody_is_repeated_after_a_reset(
    cause: LogoutCause, since_us: int
) -> None:
    world = world_at("12:00:00")
    log_on(world)
    log_out(world, cause=cause)
    closed_at = world.at
    tick_at(world, "07:55:00", day=22)
    reset_done(world)
    [repeat] = [
        one
        for one in world.effects
        if isinstance(one, ControlSession) and one.action is SessionAction.REPEAT
    ]
    assert (repeat.epoch, repeat.since) == (0, closed_at - since_us)
    at_start = list(actions_at_start(world.replayed()))
    assert (at_start[0].action, at_start[0].since) == (REPEAT, repeat.since)
    # What is new is sent and noted meanwhile, and says nothing of the repeats.
    world.send(MessagesSent(origin=SYSTEM, messages=(SENT,)))
    assert REPEAT in [one.action for one in actions_at_start(world.state)]
    repeated(world, SENT)
    assert of_type(world, MessagesRepeated) == [MessagesRepeated(session="ALPHA", count=1)]
    assert REPEAT not in [one.action for one in actions_at_start(world.state)]


def test_a_session_is_stopped_and_started() -> None:
    world = World()
    log_on(world)
    world.send(StopSession(origin=operator(), session="ALPHA", reason="their wish"))
    assert of_type(world, SessionStopped) == [
        SessionStopped(session="ALPHA", user="anne", reason="their wish")
    ]
    assert actions(world) == [CLOSE]
    world.send(StopSession(origin=operator(), session="ALPHA", reason="again"))
    assert [one.accepted for one in of_type(world, CommandAnswered)] == [False]
    assert [one.action for one in actions_at_start(world.replayed())] == [CLOSE]
    world.send(StartSession(origin=operator(), session="ALPHA", reason="done"))
    assert of_type(world, SessionStarted)
    assert actions(world) == [OPEN]


def test_what_is_stopped_stays_so_when_its_hours_begin() -> None:
    world = world_at("18:00:00")
    world.send(StopSession(origin=operator(), session="ALPHA", reason="test"))
    tick_at(world, "08:00:00", day=22)
    assert actions(world) == [RESET, CLOSE]
    reset_done(world)
    repeated(world)
    assert actions(world) == [CLOSE]
    world.send(StartSession(origin=operator(), session="ALPHA", reason="test"))
    assert actions(world) == [OPEN]


def test_a_reset_takes_two_people() -> None:
    world = World()
    world.connect("XA")
    world.new("c1")
    world.send(RequestSessionReset(origin=operator(), session="ALPHA", reason="out of step"))
    [asked] = of_type(world, SequenceResetRequested)
    number = world.state.session("ALPHA").reset_request
    assert world.journal[-2][0] == number
    assert world.journal[-2][2] is asked
    [answer] = of_type(world, CommandAnswered)
    assert answer.accepted
    assert answer.text.startswith(f"request {number}: somebody else than anne has to approve it")
    assert answer.text.endswith("1 open orders are at risk")

    def approve(user: str, request: int = number) -> bool:
        command = ApproveSessionReset(
            origin=operator(user), session="ALPHA", request=request, reason="agreed"
        )
        world.send(command)
        return bool(of_type(world, SequenceResetOrdered))

    assert not approve("anne")
    assert not approve("")
    assert not approve("bert", number + 1)
    assert approve("bert")
    [ordered] = of_type(world, SequenceResetOrdered)
    assert (ordered.user, ordered.approved_by, ordered.reason) == ("anne", "bert", "out of step")
    assert not approve("carl")
    assert world.replayed() == world.state


def test_a_request_for_a_reset_gets_old() -> None:
    world = World()
    world.send(RequestSessionReset(origin=operator(), session="ALPHA", reason="test"))
    number = world.state.session("ALPHA").reset_request
    world.send(
        ApproveSessionReset(
            origin=operator("bert"), session="ALPHA", request=number, reason="late"
        ),
        after_us=3_600_000_001,
    )
    [answer] = of_type(world, CommandAnswered)
    assert answer.text == f"request = {number}: is too old; ask again"


def test_commands_name_a_session_and_a_reason() -> None:
    world = World()
    world.send(StopSession(origin=operator(), session="NONE", reason="test"))
    [answer] = of_type(world, CommandAnswered)
    assert answer.text == "session = NONE: must be one of ALPHA, BETA, XA, XB"
    world.send(StopSession(origin=operator(), session="ALPHA", reason=" "))
    [answer] = of_type(world, CommandAnswered)
    assert answer.text == "reason: must not be empty; it stands in the audit trail"


@pytest.mark.parametrize(
    ("by_us", "first", "last", "highest", "text"),
    [
        (True, 7, 9, 0, "we lacked messages 7 to 9 of ALPHA, and asked for them again"),
        (True, 7, 0, 0, "we lacked all messages from 7 on of ALPHA, and asked for them again"),
        (False, 7, 0, 9, "ALPHA lacked messages 7 to 9 of ours, and asked for them again"),
        (False, 9, 0, 9, "ALPHA lacked message 9 of ours, and asked for them again"),
    ],
)
def test_a_gap_in_plain_words(by_us: bool, first: int, last: int, highest: int, text: str) -> None:
    world = World()
    origin = replace(world.origin("ALPHA"), msg_seq_num=0)
    world.send(
        ResendAsked(
            origin=origin, by_us=by_us, begin_seq_no=first, end_seq_no=last, highest=highest
        )
    )
    assert of_type(world, GapFound)[0].text == text
    assert world.state.session("ALPHA").gap == text
