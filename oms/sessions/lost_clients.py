"""Cancel on disconnect: what becomes of a client's open orders when its session is lost.

Lost: the connection ended or the client logged out, or the core died under it. Not lost: we logged
it out, by schedule, by an operator or in an orderly stop. The client's profile asks for it, or an
order's ExecInst (18) Q. The grace counts from the loss and, where the core died, from its start:
before that nobody could come back. What came by REST stays.
"""

from collections.abc import Iterator

from oms.domain.commands import SessionLoggedOut
from oms.domain.events import Event
from oms.domain.fix import ExecInst
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.session_commands import LogoutCause
from oms.domain.session_events import (
    CancelOnDisconnectArmed,
    CancelOnDisconnectDisarmed,
    CancelOnDisconnectFired,
)
from oms.domain.state import Session, State
from oms.orders.requests import can_force_cancel, forced_cancel
from oms.sessions.operators import at_risk

_LOST = frozenset({LogoutCause.LOST, LogoutCause.PEER})


def after_logout(state: State, command: SessionLoggedOut) -> Iterator[Event]:
    """The session of that client is down."""
    if command.cause in _LOST:
        yield from _arm(state, state.session(command.origin.session))


def after_start(state: State) -> Iterator[Event]:
    """At a core's start, with the sessions as the core before it left them."""
    for session in sorted(state.sessions.values(), key=lambda one: one.name):
        if session.logged_on or session.cancel_due_at:
            yield from _arm(state, session)


def after_logon(state: State, session: str) -> Iterator[Event]:
    """The client is back."""
    if state.session(session).cancel_due_at:
        yield CancelOnDisconnectDisarmed(session=session)


def due(state: State, at: int) -> Iterator[Event]:
    """The clients whose grace is over."""
    for session in list(state.sessions.values()):
        if session.cancel_due_at and at >= session.cancel_due_at:
            yield from _fire(state, session)


def _arm(state: State, session: Session) -> Iterator[Event]:
    """Begin the grace, where there is something to cancel; without one cancel at once.

    The stamp of the command is in the state already.
    """
    profile = state.reference.client_profile(session.name)
    if not _endangered(state, session.name):
        return
    due_at = state.at + profile.cancel_grace_ms * 1_000
    yield CancelOnDisconnectArmed(session=session.name, due_at=due_at)
    if not profile.cancel_grace_ms:
        yield from _fire(state, session)


def _endangered(state: State, session: str) -> list[Order]:
    """The open orders that the loss ends: all of them by profile, else those that ask for it."""
    orders = at_risk(state, session)
    if state.reference.client_profile(session).cancel_on_disconnect:
        return orders
    asks = ExecInst.CANCEL_ON_SYSTEM_FAILURE
    return [one for one in orders if one.conditions and asks in one.conditions.exec_inst]


def _fire(state: State, session: Session) -> Iterator[Event]:
    orders = _endangered(state, session.name)
    asked = [order for order in orders if can_force_cancel(order)]
    yield CancelOnDisconnectFired(
        session=session.name,
        lost_at=session.changed_at,
        asked=_ids(asked),
        pending=_ids([order for order in orders if order not in asked]),
    )
    for order in asked:
        yield forced_cancel(order, Reason.CLIENT_DISCONNECTED)


def _ids(orders: list[Order]) -> tuple[str, ...]:
    return tuple(order.order_id for order in orders)
