"""The fold: how each event changes the state. Recovery folds; it never decides again.

`fold_command` takes what a command itself says about its stream (who, which MsgSeqNum);
`fold_event` takes the facts. Both run live and in replay, in journal order.
"""

from collections import deque
from typing import assert_never

from oms.domain.commands import (
    Command,
    ExecutionReport,
    MessagesSent,
    NewOrderSingle,
    OrderCancelReplaceRequest,
)
from oms.domain.events import (
    CommandAnswered,
    DiscrepancyFound,
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    EpochOpened,
    Event,
    KillSwitchEngaged,
    KillSwitchReleased,
    LeaderStarted,
    MessageRefused,
    OrderStatusReported,
    OrphanReported,
    PeerRefusedMessage,
    RequestRefused,
    ResyncCompleted,
    ResyncStarted,
    RiskLimitSet,
    SessionClosed,
    SessionOpened,
    TradingDateOpened,
    TradingDayClosed,
    UnknownOrderStatusReported,
)
from oms.domain.fix import ExecType
from oms.domain.state import State
from oms.fold_orders import OrderEvent, fold_order_event

RATE_MEMORY = 100_000

SessionEvent = SessionOpened | SessionClosed | EpochOpened | ResyncStarted | ResyncCompleted
ControlEvent = (
    OrphanReported
    | LeaderStarted
    | RiskLimitSet
    | KillSwitchEngaged
    | KillSwitchReleased
    | TradingDateOpened
)
Told = (
    DuplicateOrderRefused
    | OrderStatusReported
    | UnknownOrderStatusReported
    | DiscrepancyFound
    | RequestRefused
    | MessageRefused
    | PeerRefusedMessage
    | DuplicateExecutionDropped
    | CommandAnswered
    | TradingDayClosed
)


def fold_command(state: State, seq: int, at: int, command: Command) -> None:
    """What a journaled command says by itself: stream position, send marks, message rate."""
    state.seq = seq
    state.at = at
    origin = command.origin
    if origin.msg_seq_num:
        session = state.session(origin.session)
        session.inbound = max(session.inbound, origin.msg_seq_num)
    if isinstance(command, (NewOrderSingle, OrderCancelReplaceRequest)):
        times = state.message_times.get(origin.counterparty)
        if times is None:
            times = state.message_times[origin.counterparty] = deque(maxlen=RATE_MEMORY)
        times.append(at)
        while times and times[0] <= at - 1_000_000:
            times.popleft()
    elif isinstance(command, ExecutionReport):
        if command.mass_status_req_id:
            child = state.child_of(origin.counterparty, command.cl_ord_id)
            told = child.order_id if child else command.cl_ord_id
            state.session(origin.session).resync_reported.add(told)
    elif isinstance(command, MessagesSent):
        for message in command.messages:
            session = state.session(message.session)
            session.outbound = max(session.outbound, message.msg_seq_num)
            state.delivered = max(state.delivered, message.event_seq)
        for mark in command.observed:
            session = state.session(mark.session)
            if mark.epoch == session.epoch:
                session.inbound = max(session.inbound, mark.msg_seq_num)


def fold_event(state: State, seq: int, at: int, event: Event) -> None:
    """Change the state by one event."""
    state.seq = seq
    state.at = at
    if isinstance(event, OrderEvent):
        fold_order_event(state, seq, at, event)
    elif isinstance(event, SessionEvent):
        _fold_session_event(state, at, event)
    else:
        _fold_control_event(state, event)


def _fold_session_event(state: State, at: int, event: SessionEvent) -> None:
    session = state.session(event.session)
    match event:
        case SessionOpened() | SessionClosed():
            session.logged_on = isinstance(event, SessionOpened)
            session.ready = False
        case EpochOpened():
            session.epoch = event.epoch
            session.inbound = session.outbound = 0
        case ResyncStarted():
            session.resync_id = event.mass_status_req_id
            session.resync_at = at
            session.resync_reported.clear()
        case ResyncCompleted():
            session.ready = True
            session.resync_reported.clear()
        case _:
            assert_never(event)


def _fold_control_event(state: State, event: ControlEvent | Told) -> None:
    match event:
        case OrphanReported():
            if event.exec_type is ExecType.TRADE:
                state.exec_ids.setdefault((event.venue, event.exec_id), "")
        case LeaderStarted():
            state.leader_epoch = event.leader_epoch
        case RiskLimitSet():
            key = (event.rule, event.level, event.subject)
            if event.value is None:
                state.limits.pop(key, None)
            else:
                state.limits[key] = event.value
        case KillSwitchEngaged():
            state.kill_switches.add((event.level, event.subject))
        case KillSwitchReleased():
            state.kill_switches.discard((event.level, event.subject))
        case TradingDateOpened():
            _forget_closed_orders(state)
            state.trade_date = event.trade_date
        case _:
            told: Told = event  # an answer or a note: it changes no state
            assert told


def _forget_closed_orders(state: State) -> None:
    """Orders closed before the date that ends now: their ClOrdIDs are free, the tables keep them.

    The date that ends stays known, for the busts and corrections of the morning after.
    """
    gone = {
        order.order_id
        for order in state.orders.values()
        if order.trade_date < state.trade_date and order.order_id not in state.open_orders
    }
    gone -= {one for order_id in state.open_orders for one in state.orders[order_id].children}
    for order_id in gone:
        del state.orders[order_id]
    for index in (state.cl_ord_ids, state.child_cl_ord_ids, state.exec_ids):
        for key in [key for key, order_id in index.items() if order_id in gone]:
            del index[key]
