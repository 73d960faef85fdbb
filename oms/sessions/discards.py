"""What waits for a client that never comes back is let go: two people must want it.

The facts stay in the journal and the tables; only the messages are not sent, should the name ever
be configured again. What the client would be told later waits anew.
"""

from collections.abc import Iterator
from typing import assert_never

from oms.domain.events import CommandAnswered, Event
from oms.domain.reasons import Reason
from oms.domain.session_commands import (
    ApproveReportsDiscard,
    DiscardCommand,
    RequestReportsDiscard,
)
from oms.domain.session_events import ReportsDiscarded, ReportsDiscardRequested
from oms.domain.state import Session, State
from oms.sessions.operators import REQUEST_LIFE_US, at_risk, configured, unreasoned


def decide(state: State, seq: int, command: DiscardCommand) -> Iterator[Event]:
    """What such a command comes to; seq names a request made by it."""
    session = state.session(command.session)
    match command:
        case RequestReportsDiscard():
            yield from _request(state, seq, session, command)
        case ApproveReportsDiscard():
            yield from _approve(state, session, command)
        case _:
            assert_never(command)


def _request(
    state: State, seq: int, session: Session, command: RequestReportsDiscard
) -> Iterator[Event]:
    user = command.origin.user
    fault = unreasoned(command.reason) or _configured(state, session)
    if not fault and not user:
        fault = "origin.user: must name who asks for it"
    if fault:
        yield _answer(fault, Reason.UNSUPPORTED_VALUE)
    elif not session.undelivered:
        yield _answer(f"session = {session.name}: nothing waits for it", Reason.TOO_LATE)
    else:
        yield ReportsDiscardRequested(session=session.name, user=user, reason=command.reason)
        # The request bears the number of its event, the one after its command.
        yield _answer(
            f"request {seq + 1}: somebody else than {user} has to approve it within"
            f" {REQUEST_LIFE_US // 60_000_000} minutes; {session.undelivered} messages wait for"
            f" {session.name}, which has {len(at_risk(state, session.name))} open orders"
        )


def _approve(state: State, session: Session, command: ApproveReportsDiscard) -> Iterator[Event]:
    if command.request and command.request == session.discarded_by:
        yield _answer(f"request {command.request}: was carried out before")
        return
    fault = unreasoned(command.reason) or _configured(state, session)
    fault = fault or _not_to_be_approved(state, session, command)
    if fault:
        yield _answer(fault, Reason.UNSUPPORTED_VALUE)
        return
    yield ReportsDiscarded(
        session=session.name,
        request=command.request,
        count=session.undelivered,
        first_event=session.undelivered_from,
        last_event=session.undelivered_to,
        user=session.discard_requested_by,
        reason=session.discard_reason,
        approved_by=command.origin.user,
        approval=command.reason,
    )
    yield _answer(f"{session.undelivered} messages that waited for {session.name} are discarded")


def _configured(state: State, session: Session) -> str:
    if session.name in configured(state):
        return f"session = {session.name}: is configured, and is told what waited for it"
    return ""


def _not_to_be_approved(state: State, session: Session, command: ApproveReportsDiscard) -> str:
    user, asked = command.origin.user, session.discard_request
    if not asked or asked != command.request:
        fault = f"request = {command.request}: must be the one that waits"
        return fault + (f" ({asked})" if asked else "; none does")
    if state.at > session.discard_requested_at + REQUEST_LIFE_US:
        return f"request = {command.request}: is too old; ask again"
    if not user or user == session.discard_requested_by:
        return f"user = {user}: must be somebody else than who asked for it"
    return ""


def _answer(text: str, reason: Reason = Reason.NONE) -> CommandAnswered:
    return CommandAnswered(accepted=reason is Reason.NONE, reason=reason, text=text)
