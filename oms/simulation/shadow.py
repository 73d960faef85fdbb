"""The journal folded a second time, from its bytes, as it is committed: what is durable."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fix_sessions.encode import encoder_of
from fix_sessions.registry import Counterparty
from oms.domain.commands import Command
from oms.domain.effects import ControlSession, Effect, SendExecutionReport
from oms.domain.events import (
    CancelRejected,
    Event,
    OrderAccepted,
    OrphanReported,
    ReplacePending,
)
from oms.domain.instrument import Reference
from oms.domain.order import Order
from oms.domain.session_events import SessionsReloaded
from oms.domain.state import State
from oms.fold import fold_command, fold_event
from oms.outbound import bundled, effects_of
from oms.outbound_client import wanted
from oms.store.batch import Entry
from oms.store.codec import decode

Message = tuple[str, frozenset[str]]


@dataclass(slots=True, kw_only=True)
class Group:
    """A command of the journal and its events, with what was in doubt before them and is after."""

    seq: int
    at: int
    command: Command
    events: list[tuple[int, Event]] = field(default_factory=list)
    doubts_before: frozenset[str] = frozenset()
    doubts_after: frozenset[str] = frozenset()


class Shadow:
    """See the module. messages: what may leave, by session: MsgType and body.

    watched: by checkers; without them the state alone is folded. state: a new one.
    """

    def __init__(
        self,
        reference: Reference,
        parties: Sequence[Counterparty],
        *,
        watched: bool = True,
        state: State | None = None,
    ) -> None:
        self._watched = watched
        self._encoders = {one.session_id: encoder_of(one) for one in parties}
        self.state = state or State(reference=reference)
        self.exec_ids: dict[str, set[str]] = {}
        self.messages: dict[str, set[Message]] = {}
        self.events: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self.transitions: Counter[tuple[str, str, str]] = Counter()
        self._effects: list[Effect] = []
        clients = reference.clients.values()
        self._bundling = {one.session for one in clients if one.profile.bundled_ioc}
        self._profiles = {one.session: one.profile for one in clients}
        self.stubborn: set[str] = set()
        self.orphans: set[tuple[str, str]] = set()
        # By journal number of the event: the position as it would be if all that works in the
        # order's direction were filled.
        self.reached: dict[int, Decimal] = {}
        # By the number of a ReloadSessions in the inbox: what its core has read.
        self.read: dict[int, Reference] = {}

    def take(self, entries: list[Entry]) -> list[Group]:
        """Fold one commit; its groups."""
        groups: list[Group] = []
        for entry in entries:
            obj = decode(entry.type, entry.payload)
            if isinstance(obj, Command):
                groups.append(self._begin(groups, entry, obj))
                fold_command(self.state, entry.seq, entry.at, obj)
            else:
                assert groups, f"entry {entry.seq} is an event without its command"
                groups[-1].events.append((entry.seq, obj))
                if isinstance(obj, SessionsReloaded):
                    self.state.next_reference = self.read[groups[-1].command.origin.inbox_id]
                if self._watched:
                    self._fold(entry, obj)
                else:
                    fold_event(self.state, entry.seq, entry.at, obj)
        if self._watched:
            self._close(groups)
        return groups

    def _begin(self, groups: list[Group], entry: Entry, command: Command) -> Group:
        if not self._watched:
            return Group(seq=entry.seq, at=entry.at, command=command)
        self._close(groups)
        self.commands[entry.type] += 1
        doubts = frozenset(self.state.in_doubt)
        return Group(seq=entry.seq, at=entry.at, command=command, doubts_before=doubts)

    def _close(self, groups: list[Group]) -> None:
        if groups:
            groups[-1].doubts_after = frozenset(self.state.in_doubt)
        effects, self._effects = [one for one in self._effects if self._wanted(one)], []
        # What is sent again after a crash is not bundled.
        for effect in effects:
            if isinstance(effect, SendExecutionReport) and effect.exec_id != "0":
                self.exec_ids.setdefault(effect.session, set()).add(effect.exec_id)
        for effect in (*effects, *bundled(effects, self._bundling)):
            if not isinstance(effect, ControlSession):
                encoded = self._encoders.get(effect.session)
                if encoded is not None:
                    told = body_of(*encoded(effect))
                    self.messages.setdefault(effect.session, set()).add(told)

    def _wanted(self, effect: Effect) -> bool:
        """What a client that is not configured is told of when it is: that does not change here."""
        profile = self._profiles.get(effect.session)
        return profile is None or wanted(profile, effect)

    def _fold(self, entry: Entry, event: Event) -> None:
        self.events[entry.type] += 1
        order_id = getattr(event, "order_id", "")
        before = self._shown(order_id)
        fold_event(self.state, entry.seq, entry.at, event)
        after = self._shown(order_id)
        if before != after:
            kind = "child" if self.state.orders[order_id].is_child else "order"
            self.transitions[kind, before, after] += 1
        if isinstance(event, CancelRejected):
            self.stubborn.add(order_id)
        elif isinstance(event, OrphanReported):
            self.orphans.add((event.session, event.cl_ord_id))
        if isinstance(event, OrderAccepted):
            order = self.state.orders[order_id]
            self.reached[entry.seq] = self._reached(order, order.order_qty)
        elif isinstance(event, ReplacePending):
            order = self.state.orders[order_id]
            self.reached[entry.seq] = self._reached(order, event.order_qty - order.cum_qty)
        self._effects += effects_of(self.state, entry.seq, event)

    def _reached(self, asked: Order, leaves: Decimal) -> Decimal:
        """With `leaves` in the place of what the order that is asked about has open."""
        state, sign = self.state, asked.side.sign
        place = (asked.account, asked.symbol)
        position = state.positions.get(place)
        others = [
            one.exposure
            for one in map(state.orders.__getitem__, state.open_orders)
            if not one.is_child
            and one is not asked
            and (one.account, one.symbol) == place
            and one.side.sign == sign
        ]
        return sum(others, sign * (position.quantity if position else Decimal(0)) + leaves)

    def _shown(self, order_id: str) -> str:
        order = self.state.orders.get(order_id)
        if order is None:
            return "none"
        return "UNKNOWN" if order.in_doubt else order.ord_status.name


def body_of(msg_type: str, pieces: list[str]) -> Message:
    """A message without what the session and a repetition add."""
    told = [one for one in pieces if one.index("=") < len(one) - 1 and not one.startswith("97=")]
    return msg_type, frozenset(told)
