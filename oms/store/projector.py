"""Projector: which rows of the read tables a stretch of the journal changes.

It notes what each command and event touches and builds every touched row once, at the end, from the
state as it then is. `oms audit verify` uses the same projector over the whole journal.
"""

from typing import assert_never

from oms.domain.answers import AnswerFact, DisputeFact, MassCancelAnswered
from oms.domain.baskets import BasketFact, ListRefused
from oms.domain.commands import Command, MessagesSent
from oms.domain.events import (
    CancelPending,
    CancelRejected,
    CommandAnswered,
    DiscrepancyFound,
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    EpochOpened,
    Event,
    ExpiryPending,
    KillSwitchEngaged,
    KillSwitchReleased,
    LeaderStarted,
    MessageRefused,
    OrderAccepted,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderHeld,
    OrderInDoubt,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderResent,
    OrderRestated,
    OrderRouted,
    OrderStatusQueried,
    OrderStatusReported,
    OrderTriggered,
    OrphanReported,
    PeerRefusedMessage,
    ReplacePending,
    ReplaceRejected,
    RequestRefused,
    ResyncCompleted,
    ResyncStarted,
    RiskLimitSet,
    SessionClosed,
    SessionOpened,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    TradingDateOpened,
    TradingDayClosed,
    UnknownOrderStatusReported,
)
from oms.domain.order import Order
from oms.domain.orphan_events import ExternalOrderAdopted, OrphanFact, OrphanSettled, TradeMatched
from oms.domain.reasons import Reason
from oms.domain.session_events import CancelOnDisconnectFired, SessionFact, SessionsReloaded
from oms.domain.splits import OrderRebased, PositionRebased, SplitFact
from oms.domain.standing_events import OrderMarked, PriceRestated, QuantityRestated
from oms.domain.state import Position, State
from oms.store import rows
from oms.store.list_rows import ListRows
from oms.store.rows import Row
from oms.store.trade_rows import TradeRows

TradeChange = TradeBusted | TradeCorrected
OtherEvent = (
    SessionOpened
    | SessionClosed
    | EpochOpened
    | ResyncStarted
    | ResyncCompleted
    | OrphanReported
    | DiscrepancyFound
    | RiskLimitSet
    | KillSwitchEngaged
    | KillSwitchReleased
    | OrderStatusReported
    | UnknownOrderStatusReported
    | DuplicateExecutionDropped
    | PeerRefusedMessage
    | LeaderStarted
    | TradingDateOpened
    | TradingDayClosed
    | CommandAnswered
    | SessionFact
    | SessionsReloaded
    | AnswerFact
    | OrphanFact
    | BasketFact
    | SplitFact
)


class Projector:
    """Feed it entries in journal order, each just after it was folded into `state`; then `rows`."""

    __slots__ = (
        "_actions",
        "_cl_ord_ids",
        "_disconnects",
        "_discrepancies",
        "_heard",
        "_kill_switches",
        "_limits",
        "_lists",
        "_new",
        "_orders",
        "_positions",
        "_refusals",
        "_sent_notes",
        "_sent_orders",
        "_sessions",
        "_state",
        "_trades",
    )

    def __init__(self, state: State) -> None:
        self._state = state
        self._orders: dict[str, tuple[Order, int]] = {}
        self._new: set[str] = set()
        self._positions: dict[tuple[str, str], tuple[Position, int]] = {}
        self._sessions: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._trades = TradeRows()
        self._cl_ord_ids: dict[tuple[str, str, str], int] = {}
        self._sent_notes: list[Row] = []
        self._sent_orders: list[Row] = []
        self._limits: dict[tuple[str, str, str], Row | None] = {}
        self._kill_switches: dict[tuple[str, str], Row | None] = {}
        self._discrepancies: list[Row] = []
        self._actions: dict[str, Row] = {}
        self._refusals: list[Row] = []
        self._lists = ListRows()
        self._disconnects: list[Row] = []

    def observe_command(self, seq: int, at: int, command: Command) -> None:
        """A journaled command; its events follow."""
        origin = command.origin
        if origin.msg_seq_num:
            self._hear(origin.session, origin.epoch, origin.msg_seq_num, at)
        if isinstance(command, MessagesSent):
            self._note(seq, at, command)

    def _note(self, seq: int, at: int, command: MessagesSent) -> None:
        """Where the texts of what was sent are to be found."""
        spans: dict[tuple[str, int], list[int]] = {}
        orders: dict[str, None] = {}
        for message in command.messages:
            # What is repeated was noted, or is to be, as what it was when it was sent first.
            number, event_seq = message.msg_seq_num, 0 if command.repeated else message.event_seq
            span = spans.setdefault((message.session, message.epoch), [number, number, event_seq])
            span[0] = min(span[0], number)
            span[1] = max(span[1], number)
            span[2] = max(span[2], event_seq)
            if message.order_id:
                orders[message.order_id] = None
        for (session, epoch), span in spans.items():
            self._sessions[session] = at
            self._sent_notes.append(rows.sent_note_row(seq, session, epoch, span))
        self._sent_orders += [(order_id, seq) for order_id in orders]
        for mark in command.numbered:
            self._sessions[mark.session] = at
        for waits in command.kept:
            self._sessions[waits.session] = at
        for mark in command.observed:
            self._hear(mark.session, mark.epoch, mark.msg_seq_num, at)

    def _hear(self, name: str, epoch: int, msg_seq_num: int, at: int) -> None:
        """The journal says how far a session was read; the state may know of observations since."""
        self._sessions[name] = at
        session = self._state.sessions.get(name)
        if epoch == (session.epoch if session else 0):
            self._heard[name] = max(msg_seq_num, self._heard.get(name, 0))

    def observe_event(self, seq: int, at: int, event: Event) -> None:
        """An event of the command observed last."""
        match event:
            case OrderAccepted() | OrderRouted():
                self._new.add(event.order_id)
                self._touch(event.order_id, seq)
            case OrderAcknowledged():
                self._acknowledge(event.order_id, seq)
            case TradeExecuted():
                self._trade(seq, at, event)
            case CancelPending() | ReplacePending():
                self._name(seq, event)
                self._touch(event.order_id, seq)
            case (
                OrderHeld()
                | OrderResent()
                | OrderRejected()
                | CancelRejected()
                | OrderCanceled()
                | OrderExpired()
                | ExpiryPending()
                | OrderReplaced()
                | OrderInDoubt()
                | OrderStatusQueried()
                | OrderConfirmed()
                | OrderTriggered()
                | OrderRestated()
                | OrderRebased()
                | OrderMarked()
                | QuantityRestated()
                | PriceRestated()
            ):
                self._touch(event.order_id, seq)
            case OrderRefused():
                self._new.add(event.order_id)
                self._touch(event.order_id, seq)
                self._refuse(seq, at, event)
            case RequestRefused() | DuplicateOrderRefused() | MessageRefused():
                self._refuse(seq, at, event)
            case ReplaceRejected():
                self._touch(event.order_id, seq)
                if event.waited:
                    order = self._state.orders[event.order_id]
                    self._refusals.append(rows.waited_refusal_row(seq, at, event, order))
            case TradeBusted() | TradeCorrected():
                self._change_trade(seq, at, event)
            case _:
                self._observe_other(seq, at, event)

    def _observe_other(self, seq: int, at: int, event: OtherEvent) -> None:
        match event:
            case SessionOpened() | SessionClosed() | ResyncStarted() | ResyncCompleted():
                self._sessions[event.session] = at
            case EpochOpened():
                self._sessions[event.session] = at
                self._heard[event.session] = 0
            case _ if isinstance(event, SessionFact):
                self._sessions[event.session] = at
                if isinstance(event, CancelOnDisconnectFired):
                    self._disconnects += rows.disconnect_rows(seq, at, event)
            case LeaderStarted():
                # An older version may have known less of them than the table shows now.
                self._sessions |= dict.fromkeys(self._state.sessions, at)
            case ExternalOrderAdopted():
                self._new |= {event.order_id, event.child_id}
                self._touch(event.child_id, seq)
            case OrphanReported() | OrphanSettled() | TradeMatched():
                self._trades.told(seq, at, event, self._state)
            case DiscrepancyFound():
                date = self._state.trade_date
                self._discrepancies.append(rows.discrepancy_row(seq, at, event, date))
            case RiskLimitSet():
                key = (event.rule, event.level, event.subject)
                self._limits[key] = rows.limit_row(seq, at, event)
            case KillSwitchEngaged():
                row = (event.level, event.subject, event.user, event.reason, at, seq)
                self._kill_switches[event.level, event.subject] = row
            case KillSwitchReleased():
                self._kill_switches[event.level, event.subject] = None
            case (
                OrderStatusReported()
                | UnknownOrderStatusReported()
                | DuplicateExecutionDropped()
                | PeerRefusedMessage()
                | TradingDateOpened()
                | SessionsReloaded()
                | TradingDayClosed()
                | CommandAnswered()
            ):
                pass  # changes no row
            case _ if isinstance(event, AnswerFact | BasketFact):
                self._answer(seq, at, event)
            case _ if isinstance(event, SplitFact):
                self._split(seq, event)
            case _:
                assert_never(event)

    def _touch(self, order_id: str, seq: int) -> None:
        """The order changed, and perhaps its parent: doubt and open children show in both.

        The order itself is kept, for the state may forget it before the rows are made.
        """
        orders = self._state.orders
        order = orders[order_id]
        self._orders[order_id] = (order, seq)
        if order.parent_id:
            self._orders[order.parent_id] = (orders[order.parent_id], seq)

    def _acknowledge(self, order_id: str, seq: int) -> None:
        """Nothing changes in the parent, unless the answer ends a doubt (queried_at tells)."""
        order = self._state.orders[order_id]
        if order.queried_at:
            self._touch(order_id, seq)
        else:
            self._orders[order_id] = (order, seq)

    def _trade(self, seq: int, at: int, event: TradeExecuted) -> None:
        self._touch(event.order_id, seq)
        order = self._state.orders[event.order_id]
        self._trades.booked(seq, at, event, order, self._state.trade_date)
        position = self._state.position(order.account, order.symbol)
        self._positions[order.account, order.symbol] = (position, seq)

    def _change_trade(self, seq: int, at: int, event: TradeChange) -> None:
        self._touch(event.order_id, seq)
        order = self._state.orders[event.order_id]
        position = self._state.position(order.account, order.symbol)
        self._positions[order.account, order.symbol] = (position, seq)
        self._trades.changed(at, event)

    def _name(self, seq: int, event: CancelPending | ReplacePending) -> None:
        order = self._state.orders[event.order_id]
        for cl_ord_id in (event.orig_cl_ord_id, event.cl_ord_id):
            if cl_ord_id:
                key = (order.counterparty, cl_ord_id, order.order_id)
                self._cl_ord_ids.setdefault(key, seq)

    def _answer(self, seq: int, at: int, event: AnswerFact | BasketFact) -> None:
        if isinstance(event, MassCancelAnswered | ListRefused) and event.reason is not Reason.NONE:
            self._refuse(seq, at, event)
        elif isinstance(event, DisputeFact):
            self._trades.disputed(seq, at, event)
        elif isinstance(event, BasketFact):
            self._lists.told(event, self._state)

    def _split(self, seq: int, event: SplitFact) -> None:
        if isinstance(event, PositionRebased):
            position = self._state.position(event.account, event.symbol)
            self._positions[event.account, event.symbol] = (position, seq)
        else:
            known = self._state.corporate_actions[event.split.action_id]
            self._actions[event.split.action_id] = rows.corporate_action_row(known)

    def _refuse(self, seq: int, at: int, event: rows.Refusal) -> None:
        self._refusals.append(rows.refusal_row(seq, at, event))

    def rows(self) -> dict[str, list[Row]]:
        """By operation (see `statements`): the rows to write, none of them twice."""
        sessions, heard = self._state.sessions, self._heard
        found: dict[str, list[Row]] = {
            **self._order_rows(),
            "order_cl_ord_ids": [(*key, seq) for key, seq in self._cl_ord_ids.items()],
            **self._trades.rows(),
            **self._lists.rows(),
            "positions": [rows.position_row(*one) for one in self._positions.values()],
            "sent_notes": self._sent_notes,
            "sent_orders": self._sent_orders,
            "sessions": [
                rows.session_row(sessions[name], heard.get(name, 0), at)
                for name, at in self._sessions.items()
            ],
            "risk_limits": [row for row in self._limits.values() if row],
            "removed_limits": [key for key, row in self._limits.items() if not row],
            "kill_switches": [row for row in self._kill_switches.values() if row],
            "released_switches": [key for key, row in self._kill_switches.items() if not row],
            "discrepancies": self._discrepancies,
            "corporate_actions": list(self._actions.values()),
            "refusals": self._refusals,
            "disconnect_cancels": self._disconnects,
        }
        return {operation: new for operation, new in found.items() if new}

    def _order_rows(self) -> dict[str, list[Row]]:
        """New orders whole, of the others what changes: they are in the tables already."""
        new, changes, new_children, child_changes = [], [], [], []
        conditions = []
        for order_id, (order, seq) in self._orders.items():
            if order.conditions is not None:
                conditions.append(rows.conditions_row(order, order.conditions, seq))
            if order.parent_id:
                if order_id in self._new:
                    new_children.append(rows.child_order_row(order, seq))
                else:
                    child_changes.append(rows.child_order_change_row(order, seq))
            elif order_id in self._new:
                new.append(rows.order_row(order, seq))
            else:
                changes.append(rows.order_change_row(order, seq))
        return {
            "orders": new,
            "order_changes": changes,
            "child_orders": new_children,
            "child_order_changes": child_changes,
            "order_conditions": conditions,
        }
