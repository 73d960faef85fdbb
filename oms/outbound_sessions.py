"""What facts about sessions have us do with them; see oms.outbound."""

from collections.abc import Iterator

from oms.domain import schedule
from oms.domain.effects import ControlSession, SessionAction
from oms.domain.events import EpochOpened, SessionClosed, SessionOpened
from oms.domain.session_events import (
    MessagesRepeated,
    ReportsDiscarded,
    SequenceResetOrdered,
    SessionHoursBegan,
    SessionHoursEnded,
    SessionStarted,
    SessionStopped,
)
from oms.domain.state import Session, State
from oms.domain.values import utc

ControlEvent = (
    SessionOpened
    | SessionClosed
    | EpochOpened
    | MessagesRepeated
    | SessionHoursBegan
    | SessionHoursEnded
    | SessionStarted
    | SessionStopped
    | SequenceResetOrdered
    | ReportsDiscarded
)


def session_actions(state: State, event: ControlEvent) -> Iterator[ControlSession]:
    """Close what is barred, open what is not, reset what is down and due."""
    session = state.session(event.session)
    if isinstance(event, ReportsDiscarded):
        discard = _action(state, session, SessionAction.DISCARD)
        discard.through = event.last_event
        yield discard
        return
    if isinstance(event, EpochOpened) and session.repeat_since:
        yield _action(state, session, SessionAction.REPEAT)
    resets = isinstance(event, SequenceResetOrdered | SessionClosed)
    if resets and session.reset_due and not session.logged_on:
        yield _action(state, session, SessionAction.RESET)
    elif isinstance(event, SessionClosed):
        return
    elif session.barred:
        yield _action(state, session, SessionAction.CLOSE)
    elif not isinstance(event, SessionOpened):
        yield _action(state, session, SessionAction.OPEN)


def actions_at_start(state: State) -> Iterator[ControlSession]:
    """What a core that starts has to do before its sessions open: they are open unless it says so,
    and what a crash may have kept from being repeated is repeated.
    """
    for session in state.sessions.values():
        if session.repeat_since:
            yield _action(state, session, SessionAction.REPEAT)
        if session.barred:
            yield _action(state, session, SessionAction.CLOSE)


def why_barred(state: State, session: Session) -> str:
    """What the counterparty is told by the Logout."""
    if session.stopped:
        return "the session is stopped by an operator"
    if session.out_of_hours:
        plan = state.reference.schedules.get(session.name)
        opens = schedule.next_change(plan, state.at) if plan is not None else None
        until = f": it opens at {utc(opens):%Y-%m-%d %H:%M:%S} UTC" if opens is not None else ""
        return f"the session's hours are over{until}"
    return "the session gets new sequence numbers"


def _action(state: State, session: Session, action: SessionAction) -> ControlSession:
    return ControlSession(
        session=session.name,
        event_seq=state.seq,
        at=state.at,
        action=action,
        text=why_barred(state, session),
        # Not while its numbers begin anew: an answer would take one of the new ones.
        answers=not (session.reset_due or session.repeat_since),
        epoch=session.epoch - 1,
        since=session.repeat_since,
    )
