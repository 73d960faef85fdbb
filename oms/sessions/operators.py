"""What operators ask of sessions: start, stop, and a reset that two people must want."""

from collections.abc import Iterator
from typing import assert_never

from oms.domain.events import CommandAnswered, Event
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.session_commands import (
    ApproveSessionReset,
    RequestSessionReset,
    StartSession,
    StopSession,
)
from oms.domain.session_events import (
    SequenceResetOrdered,
    SequenceResetRequested,
    SessionStarted,
    SessionStopped,
)
from oms.domain.state import Session, State

REQUEST_LIFE_US = 3_600_000_000

SessionCommand = StartSession | StopSession | RequestSessionReset | ApproveSessionReset


def decide(state: State, seq: int, command: SessionCommand) -> Iterator[Event]:
    """What such a command comes to; seq names a request made by it."""
    fault = _unknown(state, command.session) or unreasoned(command.reason)
    if fault:
        yield _refused(fault, Reason.UNSUPPORTED_VALUE)
        return
    session = state.session(command.session)
    user, reason = command.origin.user, command.reason
    match command:
        case StopSession():
            if session.stopped:
                yield _refused(f"session {session.name} is stopped already", Reason.TOO_LATE)
            else:
                yield SessionStopped(session=command.session, user=user, reason=reason)
        case StartSession():
            if not session.stopped:
                yield _refused(f"session {session.name} is not stopped", Reason.TOO_LATE)
            else:
                yield SessionStarted(session=command.session, user=user, reason=reason)
        case RequestSessionReset():
            yield from _request(state, seq, session, command)
        case ApproveSessionReset():
            yield from _approve(state, session, command)
        case _:
            assert_never(command)


def at_risk(state: State, session: str) -> list[Order]:
    """Open orders whose messages go by the session, oldest first."""
    found = [state.orders[one] for one in state.open_orders]
    mine = [one for one in found if one.session == session]
    return sorted(mine, key=lambda one: (one.created_at, one.order_id))


def configured(state: State) -> list[str]:
    """The sessions that are configured now, by name."""
    reference = state.reference
    known = [one.session for one in reference.clients.values()]
    known += [one.session for one in reference.venues.values()]
    known += list(reference.drop_copies)
    return [one for one in known if one not in reference.retired]


def _unknown(state: State, session: str) -> str:
    known = configured(state)
    if session in known:
        return ""
    return f"session = {session}: must be one of {', '.join(known) or 'none that is configured'}"


def unreasoned(reason: str) -> str:
    """Why the command cannot be signed by that."""
    return "" if reason.strip() else "reason: must not be empty; it stands in the audit trail"


def _request(
    state: State, seq: int, session: Session, command: RequestSessionReset
) -> Iterator[Event]:
    if session.reset_due:
        yield _refused(f"a reset of {session.name} is under way", Reason.ALREADY_PENDING)
        return
    if not command.origin.user:
        yield _refused("origin.user: must name who asks for the reset", Reason.UNSUPPORTED_VALUE)
        return
    orders = at_risk(state, session.name)
    yield SequenceResetRequested(
        session=session.name, user=command.origin.user, reason=command.reason
    )
    # The request bears the number of its event, the one after its command.
    text = (
        f"request {seq + 1}: somebody else than {command.origin.user} has to approve it within"
        f" {REQUEST_LIFE_US // 60_000_000} minutes; {len(orders)} open orders are at risk"
    )
    yield CommandAnswered(accepted=True, reason=Reason.NONE, text=text)


def _approve(state: State, session: Session, command: ApproveSessionReset) -> Iterator[Event]:
    user = command.origin.user
    asked = session.reset_request
    fault = ""
    if not asked or asked != command.request:
        fault = f"request = {command.request}: must be the one that waits"
        fault += f" ({asked})" if asked else "; none does"
    elif state.at > session.reset_requested_at + REQUEST_LIFE_US:
        fault = f"request = {command.request}: is too old; ask again"
    elif not user or user == session.reset_requested_by:
        fault = f"user = {user}: must be somebody else than who asked for the reset"
    elif session.reset_due:
        fault = f"a reset of {session.name} is under way"
    if fault:
        yield _refused(fault, Reason.UNSUPPORTED_VALUE)
        return
    yield SequenceResetOrdered(
        session=session.name,
        moment=0,
        reason=session.reset_reason,
        user=session.reset_requested_by,
        approved_by=user,
    )


def _refused(text: str, reason: Reason) -> CommandAnswered:
    return CommandAnswered(accepted=False, reason=reason, text=text)
