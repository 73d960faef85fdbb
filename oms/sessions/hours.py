"""What the clock asks of sessions: to open and close by their schedules, and to be reset.

Everything is asked of the state and the moment, not of boundaries passed: what was missed while no
core led is made up for at its first tick.
"""

from collections.abc import Iterator

from oms.domain import schedule
from oms.domain.events import Event
from oms.domain.schedule import Schedule
from oms.domain.session_events import (
    ResetScheduleNoted,
    SequenceResetOrdered,
    SessionHoursBegan,
    SessionHoursEnded,
)
from oms.domain.state import Session, State
from oms.domain.values import utc


def due(state: State, at: int) -> Iterator[Event]:
    """What a schedule wants of its session now and it is not yet."""
    for name, plan in state.reference.schedules.items():
        session = state.session(name)
        yield from _reset(session, plan, at)
        wanted = schedule.is_open(plan, at)
        if wanted and session.out_of_hours:
            yield SessionHoursBegan(session=name)
        elif not wanted and not session.out_of_hours:
            yield SessionHoursEnded(session=name)


def _reset(session: Session, plan: Schedule, at: int) -> Iterator[Event]:
    moment = schedule.last_reset(plan, at)
    if moment is None or moment <= session.reset_noted:
        return
    if not session.reset_noted:
        # The schedule is new: the numbers that both sides have stay until its next reset.
        yield ResetScheduleNoted(session=session.name, moment=moment)
    elif not session.reset_due:
        reason = f"scheduled for {utc(moment):%Y-%m-%d %H:%M:%S} UTC"
        yield SequenceResetOrdered(session=session.name, moment=moment, reason=reason)


def unconfigured(state: State) -> Iterator[Event]:
    """At a start: a session whose schedule is gone from the configuration is open again."""
    for session in sorted(state.sessions.values(), key=lambda one: one.name):
        if session.out_of_hours and session.name not in state.reference.schedules:
            yield SessionHoursBegan(session=session.name)


def unfinished(state: State) -> Iterator[Event]:
    """At a start: resets that were ordered and, as far as the journal knows, not carried out."""
    for session in sorted(state.sessions.values(), key=lambda one: one.name):
        if session.reset_due:
            yield SequenceResetOrdered(
                session=session.name,
                moment=session.reset_noted,
                reason="ordered before the core restarted",
            )
