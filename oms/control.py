"""Decisions that concern no client request: sessions, limits, kill switches, the trading day, doubt
resolved by a human, messages that could not be read.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import assert_never

from ems import resync
from oms.domain.commands import (
    CloseTradingDay,
    CoreStarted,
    EngageKillSwitch,
    MessageRejectedByPeer,
    MessagesSent,
    OpenTradingDate,
    ReleaseKillSwitch,
    ResolveOrder,
    SequenceReset,
    SessionLoggedOn,
    SessionLoggedOut,
    SetRiskLimit,
    UnreadableMessage,
)
from oms.domain.events import (
    CommandAnswered,
    EpochOpened,
    Event,
    ExpiryPending,
    KillSwitchEngaged,
    KillSwitchReleased,
    LeaderStarted,
    MessageRefused,
    OrderCanceled,
    OrderConfirmed,
    OrderRejected,
    PeerRefusedMessage,
    RiskLimitSet,
    SessionClosed,
    SessionOpened,
    TradingDateOpened,
    TradingDayClosed,
)
from oms.domain.fix import MsgType, OrdStatus
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.session_events import MessagesRepeated
from oms.domain.state import State
from oms.domain.values import utc_date
from oms.orders.baskets import lapsed
from oms.orders.good_till import ends_with
from oms.orders.requests import can_force_cancel, forced_cancel
from oms.orders.settle import rejected
from oms.risk.limits import Level, refusal_of_kill, refusal_of_limit, unconfigured
from oms.sessions import hours, lost_clients

# Exchanges close for less than two weeks; the jobs make up for days of a year back.
DATE_AHEAD = timedelta(days=31)
DATE_BEHIND = timedelta(days=400)

ControlCommand = (
    MessageRejectedByPeer
    | UnreadableMessage
    | SessionLoggedOn
    | SessionLoggedOut
    | SequenceReset
    | MessagesSent
    | CoreStarted
    | SetRiskLimit
    | EngageKillSwitch
    | ReleaseKillSwitch
    | ResolveOrder
    | OpenTradingDate
    | CloseTradingDay
)


def decide_control(state: State, command: ControlCommand) -> Iterator[Event]:
    """What such a command comes to."""
    match command:
        case MessagesSent():
            yield from _noted(command)
        case SessionLoggedOn():
            yield from _opened(state, command.origin.session)
        case SessionLoggedOut():
            yield from _closed(state, command)
        case SequenceReset():
            session = state.session(command.origin.session)
            yield EpochOpened(
                session=session.name,
                epoch=session.epoch + 1,
                inbound_only=command.inbound_only,
            )
            yield from _lost(state, session.name, f"sequence numbers of {session.name} were reset")
        case UnreadableMessage():
            yield MessageRefused(
                session=command.origin.session,
                ref_seq_num=command.origin.msg_seq_num,
                ref_msg_type=command.ref_msg_type,
                ref_id="",
                business=command.business,
                reason_code=command.reason_code,
                ref_tag=command.ref_tag,
                text=command.text,
            )
        case MessageRejectedByPeer():
            yield from _peer_refused(state, command)
        case CoreStarted():
            yield from _started(state, command)
        case SetRiskLimit():
            yield from _set_limit(state, command)
        case EngageKillSwitch():
            yield from _engage(state, command)
        case ReleaseKillSwitch():
            yield from _release(state, command)
        case ResolveOrder():
            yield _resolve(state, command)
        case OpenTradingDate():
            yield from _begin_date(state, command.trade_date)
        case CloseTradingDay():
            yield from _close_day(state, command.trade_date)
        case _:
            assert_never(command)


def _begin_date(state: State, trade_date: str) -> Iterator[Event]:
    fault = _far_away(state, trade_date)
    if fault:
        yield _answer(fault, Reason.UNSUPPORTED_VALUE)
    elif trade_date < state.trade_date:
        yield _answer(f"trade_date = {trade_date}: {state.trade_date} is open, and stays")
    else:
        yield from _open_date(state, trade_date)


def _close_day(state: State, trade_date: str) -> Iterator[Event]:
    fault = _far_away(state, trade_date)
    if fault:
        yield _answer(fault, Reason.UNSUPPORTED_VALUE)
        return
    yield TradingDayClosed(trade_date=trade_date)
    yield from lapsed(state, trade_date)
    for order in _open_client_orders(state):
        if ends_with(order, trade_date) and not order.expiring:
            yield ExpiryPending(order_id=order.order_id)


def _far_away(state: State, trade_date: str) -> str:
    """Why that cannot be meant: a date that is opened can never be taken back."""
    today = utc_date(state.at)
    earliest, latest = today - DATE_BEHIND, today + DATE_AHEAD
    if earliest.isoformat() <= trade_date <= latest.isoformat():
        return ""
    return f"trade_date = {trade_date}: must be from {earliest} to {latest}, as today is {today}"


def _open_client_orders(state: State) -> list[Order]:
    found = [state.orders[one] for one in state.open_orders]
    clients = [order for order in found if not order.is_child]
    return sorted(clients, key=lambda order: (order.created_at, order.order_id))


def _noted(command: MessagesSent) -> Iterator[Event]:
    if command.repeated:
        yield MessagesRepeated(session=command.repeated, count=len(command.messages))


def _opened(state: State, session: str) -> Iterator[Event]:
    yield SessionOpened(session=session)
    yield from lost_clients.after_logon(state, session)


def _closed(state: State, command: SessionLoggedOut) -> Iterator[Event]:
    session, text = command.origin.session, command.text
    yield SessionClosed(session=session, text=text, cause=command.cause)
    yield from _lost(state, session, f"session {session} is down: {text}")
    yield from lost_clients.after_logout(state, command)


def _lost(state: State, session: str, text: str) -> Iterator[Event]:
    """What is open at a venue whose session ended is in doubt."""
    venue = state.reference.venue_of_session(session)
    if venue is not None:
        yield from resync.lose_sight(state, venue.name, text)


def _peer_refused(state: State, command: MessageRejectedByPeer) -> Iterator[Event]:
    session = state.session(command.origin.session)
    yield PeerRefusedMessage(
        session=session.name,
        ref_seq_num=command.ref_seq_num,
        ref_msg_type=command.ref_msg_type,
        ref_id=command.ref_id,
        text=command.text,
    )
    venue = state.reference.venue_of_session(session.name)
    if venue is None:
        return
    if command.ref_msg_type == MsgType.ORDER_MASS_STATUS_REQUEST and not session.ready:
        yield from resync.complete(state, venue, session)
    child = state.child_of(venue.name, command.ref_id)
    if child is None:
        return
    request = child.request(command.ref_id)
    refused_new = command.ref_msg_type == MsgType.NEW_ORDER_SINGLE
    if request is not None:
        text = f"{venue.name}: {command.text}"
        yield rejected(child, request, Reason.VENUE_REFUSED, text)
    elif refused_new and child.is_open and not child.accepted:
        yield OrderRejected(
            order_id=child.order_id,
            reason=Reason.VENUE_REFUSED,
            text=f"{venue.name}: {command.text}",
        )


def _started(state: State, command: CoreStarted) -> Iterator[Event]:
    yield from _open_date(state, command.trade_date)
    yield LeaderStarted(
        leader_epoch=command.leader_epoch, version=command.version, restored=command.restored
    )
    for session in sorted(state.sessions.values(), key=lambda one: one.name):
        if session.logged_on:
            yield SessionClosed(session=session.name, text="the core restarted")
    for venue in state.reference.venues.values():
        yield from resync.lose_sight(state, venue.name, "the core restarted")
    for name in resync.venues_gone(state):
        yield from resync.lose_sight(state, name, f"{name} is not configured any more")
    yield from lost_clients.after_start(state)
    yield from hours.unconfigured(state)
    yield from hours.unfinished(state)


def _open_date(state: State, trade_date: str) -> Iterator[Event]:
    if trade_date > state.trade_date:
        yield from lapsed(state, state.trade_date)
        yield TradingDateOpened(trade_date=trade_date)


def _answer(text: str, reason: Reason = Reason.NONE) -> CommandAnswered:
    return CommandAnswered(accepted=reason is Reason.NONE, reason=reason, text=text)


def _unknown_subject(state: State, level: str, subject: str) -> str:
    rule = unconfigured(state.reference, level, subject)
    return f"subject = {subject}: {rule}" if rule else ""


def _set_limit(state: State, command: SetRiskLimit) -> Iterator[Event]:
    fault = refusal_of_limit(command.rule, command.level, command.subject, command.value)
    if command.value is not None:
        fault = fault or _unknown_subject(state, command.level, command.subject)
    if fault:
        yield _answer(fault, Reason.UNSUPPORTED_VALUE)
        return
    yield RiskLimitSet(
        rule=command.rule,
        level=command.level,
        subject=command.subject,
        value=command.value,
        user=command.origin.user,
        reason=command.reason,
    )


def _engage(state: State, command: EngageKillSwitch) -> Iterator[Event]:
    fault = refusal_of_kill(command.level, command.subject)
    fault = fault or _unknown_subject(state, command.level, command.subject)
    if fault:
        yield _answer(fault, Reason.UNSUPPORTED_VALUE)
        return
    yield KillSwitchEngaged(
        level=command.level,
        subject=command.subject,
        user=command.origin.user,
        reason=command.reason,
    )
    if not command.cancel_open_orders:
        return
    for order in _open_client_orders(state):
        if can_force_cancel(order) and _in_scope(order, command.level, command.subject):
            yield forced_cancel(order, Reason.KILL_SWITCH)


def _in_scope(order: Order, level: str, subject: str) -> bool:
    if level == Level.FIRM:
        return True
    return subject == (order.counterparty if level == Level.SESSION else order.account)


def _release(state: State, command: ReleaseKillSwitch) -> Iterator[Event]:
    if (command.level, command.subject) not in state.kill_switches:
        text = f"no kill switch is engaged at {command.level} {command.subject}"
        yield _answer(text, Reason.UNSUPPORTED_VALUE)
        return
    yield KillSwitchReleased(
        level=command.level,
        subject=command.subject,
        user=command.origin.user,
        reason=command.reason,
    )


def _resolve(state: State, command: ResolveOrder) -> Event:
    order = state.orders.get(command.order_id)
    if order is None or not order.is_child:
        text = f"order_id = {command.order_id}: must be a child order"
        return _answer(text, Reason.UNKNOWN_ORDER)
    if not order.in_doubt:
        text = f"order_id = {command.order_id}: is {order.ord_status.name}, not in doubt"
        return _answer(text, Reason.TOO_LATE)
    signed = f"resolved by {command.origin.user}: {command.reason}"
    match command.outcome:
        case OrdStatus.CANCELED:
            return OrderCanceled(
                order_id=order.order_id, cl_ord_id="", reason=Reason.OPERATOR, text=signed
            )
        case OrdStatus.REJECTED:
            return OrderRejected(order_id=order.order_id, reason=Reason.OPERATOR, text=signed)
        case OrdStatus.NEW:
            return OrderConfirmed(order_id=order.order_id, user=command.origin.user, text=signed)
        case _:
            text = f"outcome = {command.outcome.name}: must be CANCELED, REJECTED or NEW"
            return _answer(text, Reason.UNSUPPORTED_VALUE)
