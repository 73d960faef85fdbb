"""The fold of what happens to FIX sessions; see oms.fold."""

from typing import assert_never

from oms.domain.commands import SentMessage
from oms.domain.events import (
    EpochOpened,
    ResyncCompleted,
    ResyncStarted,
    SessionClosed,
    SessionOpened,
)
from oms.domain.session_commands import LogoutCause
from oms.domain.session_events import (
    CancelOnDisconnectArmed,
    CancelOnDisconnectDisarmed,
    CancelOnDisconnectFired,
    GapFound,
    MessagesRepeated,
    ReportsDiscarded,
    ReportsDiscardRequested,
    ResetScheduleNoted,
    SequenceResetOrdered,
    SequenceResetRequested,
    SessionFact,
    SessionHoursBegan,
    SessionHoursEnded,
    SessionStarted,
    SessionStopped,
)
from oms.domain.state import Session, State

# How long before the end of a session a message may have been lost: behind our Logout, which is
# answered or given up within seconds, or in the silence before anybody notices.
AFTER_LOGOUT_US = 10_000_000
UNCERTAIN_US = 120_000_000

SessionEvent = (
    SessionOpened | SessionClosed | EpochOpened | ResyncStarted | ResyncCompleted | SessionFact
)


def fold_session_event(state: State, seq: int, at: int, event: SessionEvent) -> None:
    """Change the session that the event is about."""
    session = state.session_kept(event.session)
    match event:
        case SessionOpened():
            session.logged_on, session.ready = True, False
            session.changed_at = at
            session.waiting = session.waiting_since = 0
            _forget_quotes(state, event.session)
        case SessionClosed():
            if session.logged_on and at - session.changed_at > UNCERTAIN_US:
                # It was up for long: what it lacked, it had time to ask for.
                session.owed_since = 0
            session.logged_on = session.ready = False
            session.changed_at = at
            session.closed_text, session.closed_cause = event.text, event.cause
            state.day_watchers.pop(event.session, None)
            _forget_quotes(state, event.session)
        case EpochOpened():
            _open_epoch(session, event)
        case ResyncStarted():
            session.resync_id = event.mass_status_req_id
            session.resync_at = at
            session.resync_reported.clear()
        case ResyncCompleted():
            session.ready = True
            session.resync_reported.clear()
        case _:
            _fold_fact(session, seq, at, event)


def fold_kept(session: Session, at: int, message: SentMessage) -> None:
    """A message waits for its client to be configured; each core that starts tells so anew."""
    if message.event_seq > max(session.undelivered_to, session.discarded_to):
        session.undelivered += 1
        session.undelivered_from = session.undelivered_from or message.event_seq
        session.undelivered_to = message.event_seq
        session.undelivered_since = session.undelivered_since or at


def fold_caught_up(session: Session, message: SentMessage) -> None:
    """A message left while others wait, which leave first and in order; or it is a repetition."""
    if message.event_seq >= session.undelivered_from:
        # The client is back: a wish to let go of them was about other circumstances.
        session.discard_request = 0
    if message.event_seq >= session.undelivered_to:
        _nothing_waits(session)
    elif message.event_seq >= session.undelivered_from:
        session.undelivered = max(session.undelivered - 1, 1)
        session.undelivered_from = message.event_seq + 1


def _nothing_waits(session: Session) -> None:
    session.undelivered = session.undelivered_from = 0
    session.undelivered_to = session.undelivered_since = 0


def _fold_fact(session: Session, seq: int, at: int, event: SessionFact) -> None:
    match event:
        case SessionHoursBegan():
            session.out_of_hours = False
        case SessionHoursEnded():
            session.out_of_hours = True
        case SessionStopped():
            session.stopped = True
            session.stopped_by, session.stop_reason = event.user, event.reason
        case SessionStarted():
            session.stopped = False
            session.stopped_by = session.stop_reason = ""
        case ResetScheduleNoted():
            session.reset_noted = event.moment
        case SequenceResetRequested():
            session.reset_request, session.reset_requested_at = seq, at
            session.reset_requested_by, session.reset_reason = event.user, event.reason
        case SequenceResetOrdered():
            session.reset_due = True
            session.reset_noted = max(session.reset_noted, event.moment)
            if event.user:
                _forget_request(session)
        case ReportsDiscardRequested():
            session.discard_request, session.discard_requested_at = seq, at
            session.discard_requested_by, session.discard_reason = event.user, event.reason
        case ReportsDiscarded():
            session.discard_request, session.discarded_by = 0, event.request
            session.discarded_to = event.last_event
            _nothing_waits(session)
        case MessagesRepeated():
            session.repeat_since = 0
        case GapFound():
            session.gap, session.gap_at = event.text, at
        case CancelOnDisconnectArmed():
            session.cancel_due_at = event.due_at
        case CancelOnDisconnectDisarmed() | CancelOnDisconnectFired():
            session.cancel_due_at = 0
        case _:
            assert_never(event)


def _forget_quotes(state: State, session: str) -> None:
    """What a venue quoted before it went away says nothing; it is asked again when it is back."""
    venue = state.reference.venue_of_session(session) if state.market else None
    if venue is not None:
        for quotes in state.market.values():
            quotes.pop(venue.name, None)


def _open_epoch(session: Session, event: EpochOpened) -> None:
    session.repeat_since = session.waiting = session.waiting_since = 0
    if session.reset_due:
        clean = not session.logged_on and session.closed_cause is LogoutCause.OURS
        doubtful = AFTER_LOGOUT_US if clean else UNCERTAIN_US
        session.repeat_since = max(session.changed_at - doubtful, 1)
        if session.owed_since:
            session.repeat_since = min(session.repeat_since, session.owed_since)
    session.owed_since = 0
    session.epoch = event.epoch
    session.inbound = 0
    if not event.inbound_only:
        session.outbound_epoch = event.epoch
        session.outbound = 0
    session.ready = session.reset_due = False


def _forget_request(session: Session) -> None:
    session.reset_request = session.reset_requested_at = 0
    session.reset_requested_by = session.reset_reason = ""
