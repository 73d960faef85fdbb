"""The fold: how each event changes the state. Recovery folds; it never decides again.

`fold_command` takes what a command itself says about its stream (who, which MsgSeqNum);
`fold_event` takes the facts. Both run live and in replay, in journal order.
"""

from typing import Final

from ems import room
from oms.domain.answers import AnswerFact
from oms.domain.baskets import BasketFact
from oms.domain.commands import (
    Command,
    ExecutionReport,
    MessagesSent,
    NewOrderSingle,
    OrderCancelReplaceRequest,
)
from oms.domain.events import (
    CancelPending,
    CommandAnswered,
    DiscrepancyFound,
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    Event,
    KillSwitchEngaged,
    KillSwitchReleased,
    LeaderStarted,
    MessageRefused,
    OrderRouted,
    OrderStatusReported,
    OrphanReported,
    PeerRefusedMessage,
    ReplacePending,
    RequestRefused,
    RiskLimitSet,
    TradingDateOpened,
    TradingDayClosed,
    UnknownOrderStatusReported,
)
from oms.domain.orphan_events import OrphanFact
from oms.domain.session_events import SessionsReloaded
from oms.domain.splits import SplitFact
from oms.domain.state import State
from oms.fold_answers import fold_answer
from oms.fold_baskets import count_message, fold_basket, forget_lists
from oms.fold_orders import OrderEvent, fold_order_event
from oms.fold_sessions import SessionEvent, fold_caught_up, fold_kept, fold_session_event
from oms.fold_trades import fold_orphan, fold_report
from oms.positions.splits import fold_split

ControlEvent = (
    OrphanReported
    | LeaderStarted
    | RiskLimitSet
    | KillSwitchEngaged
    | KillSwitchReleased
    | TradingDateOpened
    | TradingDayClosed
    | SessionsReloaded
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
)


_TO_VENUES: Final = (OrderRouted, CancelPending, ReplacePending)


def fold_command(state: State, seq: int, at: int, command: Command) -> None:
    """What a journaled command says by itself: stream position, send marks, message rate.

    A recovery's commands have no more than what is looked at here: `oms.store.fold_codec`.
    """
    state.seq = seq
    state.at = at
    if state.orders.due(at):
        state.put_away(at - state.orders.put_away_after_us)
    origin = command.origin
    if origin.msg_seq_num:
        session = state.session_kept(origin.session)
        if origin.epoch == session.epoch and origin.msg_seq_num > session.inbound:
            session.inbound = origin.msg_seq_num
    if isinstance(command, (NewOrderSingle, OrderCancelReplaceRequest)):
        count_message(state, origin.counterparty, at)
    elif isinstance(command, ExecutionReport):
        if command.mass_status_req_id:
            session = state.session_kept(origin.session)
            # What answers a question of before the connection was lost does not answer this one.
            if command.mass_status_req_id == session.resync_id:
                child = state.child_of(origin.counterparty, command.cl_ord_id)
                told = child.order_id if child else command.cl_ord_id or command.order_id
                session.resync_reported.add(told)
    elif isinstance(command, MessagesSent):
        for message in command.messages:
            session = state.session_kept(message.session)
            if session.undelivered:
                fold_caught_up(session, message)
            if message.epoch == session.epoch:
                if not session.logged_on:
                    session.waiting += 1
                    session.waiting_since = session.waiting_since or at
                    session.owed_since = session.owed_since or message.at or at
                session.outbound = max(session.outbound, message.msg_seq_num)
            state.delivered = max(state.delivered, message.event_seq)
        for message in command.kept:
            fold_kept(state.session_kept(message.session), at, message)
        for mark in command.numbered:
            session = state.session_kept(mark.session)
            if mark.epoch == session.epoch:
                session.outbound = max(session.outbound, mark.msg_seq_num)
        for mark in command.observed:
            session = state.session_kept(mark.session)
            if mark.epoch == session.epoch:
                session.inbound = max(session.inbound, mark.msg_seq_num)


def fold_event(state: State, seq: int, at: int, event: Event) -> None:
    """Change the state by one event."""
    state.seq = seq
    state.at = at
    if isinstance(event, OrderEvent):
        fold_order_event(state, seq, at, event)
        if isinstance(event, _TO_VENUES):
            room.count(state, at, event)
    elif isinstance(event, SessionEvent):
        fold_session_event(state, seq, at, event)
    elif isinstance(event, AnswerFact):
        fold_answer(state, seq, at, event)
    elif isinstance(event, SplitFact):
        fold_split(state, seq, at, event)
    elif isinstance(event, OrphanFact):
        fold_orphan(state, at, event)
    elif isinstance(event, BasketFact):
        fold_basket(state, seq, at, event)
    else:
        _fold_control_event(state, seq, at, event)


def _fold_control_event(state: State, seq: int, at: int, event: ControlEvent | Told) -> None:
    match event:
        case OrphanReported():
            fold_report(state, seq, at, event)
        case LeaderStarted():
            state.leader_epoch = event.leader_epoch
            state.leaders.append(state.seq)
            if event.restored:
                state.restores += 1
                state.restored_at = at
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
            state.mass_cancels.clear()
            state.trade_date = event.trade_date
            state.trade_date_at = at
            for symbol in [one for one, ex in state.ex_dates.items() if ex <= event.trade_date]:
                del state.ex_dates[symbol]
        case SessionsReloaded():
            # A core that starts has read the file already.
            state.reference = state.next_reference or state.reference
            state.next_reference = None
        case TradingDayClosed():
            state.closed_date = max(state.closed_date, event.trade_date)
        case _:
            _changes_nothing(event)


def _changes_nothing(event: Told) -> None:
    """An answer or a note; named, so that a new kind of event is not passed over."""


def _forget_closed_orders(state: State) -> None:
    """Orders done before the date that ends now: their ClOrdIDs are free, the tables keep them.

    The date that ends stays known, for the busts and corrections of the morning after. A client
    order and its children stay or go together.
    """
    gone: set[str] = set()
    for order in state.orders.here():
        family = (order.order_id, *order.children)
        if order.is_child or not state.open_orders.isdisjoint(family):
            continue
        # What ended at the very stamp of the date's begin belongs to the date before.
        if all(state.orders[one].updated_at <= state.trade_date_at for one in family):
            gone.update(family)
    state.orders.forget(gone)
    forget_lists(state)
