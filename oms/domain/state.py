"""State: the fold of all events, owned by the sequencer's thread, changed only by `oms.fold`.

Everything here but `market` is rebuilt exactly by folding the journal. `market` holds what venues
quote now: observations, asked for again after a restart. `open_orders` are those that are live.
`awaiting` maps a live child order that its venue owes an answer to the stamp since when it does;
one in doubt is in `in_doubt` instead. `held` are client orders with quantity that waits for a
venue. `trade_date_at`: the stamp since when the trading date holds. `stops` are stop orders that we
hold, by symbol; `until` are open orders that end at a time of their own, with that stamp.
`leaders` are the journal numbers at which cores began to lead. `restores` counts how often the
database was declared to have lost entries, `restored_at` is the stamp of the last time.
`corporate_actions` by their ids. `ex_dates` are the symbols that are split for a trading date that
is still to come, with that date.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from oms.domain.answers import Dispute, MassCancelAnswered
from oms.domain.baskets import ListKey, OrderList
from oms.domain.commands import Quote
from oms.domain.instrument import Reference
from oms.domain.kept_orders import Names, Orders
from oms.domain.last_trades import LastTrades
from oms.domain.order import Order, open_children_leaves
from oms.domain.orphan_events import Orphans, OrphanSettled
from oms.domain.session_commands import LogoutCause
from oms.domain.splits import CorporateAction
from oms.domain.trade_log import TradeLog
from oms.domain.values import ZERO


@dataclass(slots=True, kw_only=True)
class Session:
    """What the journal knows of one FIX session. inbound: the last journaled MsgSeqNum (34).

    outbound_epoch: the epoch in which our own numbers began; since then they only went up. ready: a
    venue's orders have been resynchronised since it logged on. changed_at: the stamp of the last
    logon or logout. waiting: messages sent since it is down, waiting_since the first of them.
    owed_since: when the first was sent that nobody may have asked for yet, though it is up again.
    reset_noted: the latest scheduled reset that is dealt with, 0 before the first. reset_due: a
    reset is ordered and not carried out. repeat_since: what was sent from that stamp on, in the
    epochs before, is to be repeated; 0: nothing. reset_request: the journal number of a request
    that waits for its approval, 0: none. cancel_due_at: when a client's open orders are cancelled,
    0: they are not. undelivered: messages of events from undelivered_from to undelivered_to that
    wait since undelivered_since for a client that is not configured. discard_request: the journal
    number of a request to let go of them, 0: none; discarded_by: of the last that was carried out,
    discarded_to: up to which event.
    """

    name: str
    epoch: int = 0
    outbound_epoch: int = 0
    inbound: int = 0
    outbound: int = 0
    logged_on: bool = False
    ready: bool = False
    resync_id: str = ""
    resync_at: int = 0
    resync_reported: set[str] = field(default_factory=set)
    changed_at: int = 0
    waiting: int = 0
    waiting_since: int = 0
    owed_since: int = 0
    closed_text: str = ""
    closed_cause: LogoutCause = LogoutCause.LOST
    stopped: bool = False
    stopped_by: str = ""
    stop_reason: str = ""
    out_of_hours: bool = False
    reset_noted: int = 0
    reset_due: bool = False
    repeat_since: int = 0
    reset_request: int = 0
    reset_requested_by: str = ""
    reset_reason: str = ""
    reset_requested_at: int = 0
    gap: str = ""
    gap_at: int = 0
    cancel_due_at: int = 0
    undelivered: int = 0
    undelivered_from: int = 0
    undelivered_to: int = 0
    undelivered_since: int = 0
    discard_request: int = 0
    discard_requested_by: str = ""
    discard_reason: str = ""
    discard_requested_at: int = 0
    discarded_by: int = 0
    discarded_to: int = 0

    @property
    def barred(self) -> bool:
        """Whether we keep it logged out."""
        return self.stopped or self.out_of_hours or self.reset_due or self.repeat_since > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSplit:
    """A split of a position: after how many of its trades, and the fraction paid out in cash."""

    trades: int
    ratio: Fraction
    cash_qty: Decimal
    cash_px: Decimal


@dataclass(slots=True, kw_only=True)
class Position:
    """Net position of an account in a symbol. quantity is signed; cost is the signed amount paid
    for what is open; realised is profit and loss in the instrument's currency, exact to 1e-12.
    What was bought and sold is in the shares of today; trades are as they were made, the last at
    traded_at.
    """

    account: str
    symbol: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    bought_value: Decimal = ZERO
    sold_value: Decimal = ZERO
    updated_at: int = 0
    traded_at: int = 0
    trades: TradeLog = field(default_factory=TradeLog)
    splits: list[PositionSplit] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Working:
    """Open quantity of client orders of an account in a symbol, by direction.

    A pending replace counts with the larger quantity: what it adds is spoken for already.
    """

    buy: Decimal = ZERO
    sell: Decimal = ZERO


LimitKey = tuple[str, str, str]
"""(rule, level, subject)"""


@dataclass(slots=True, kw_only=True)
class State:
    """See the module."""

    reference: Reference
    # What `reference` becomes with the next SessionsReloaded. Configuration, so not of the journal.
    next_reference: Reference | None = None
    seq: int = 0
    at: int = 0
    trade_date: str = ""
    trade_date_at: int = 0
    closed_date: str = ""
    leader_epoch: int = 0
    leaders: list[int] = field(default_factory=list)
    restores: int = 0
    restored_at: int = 0
    delivered: int = 0
    orders: Orders = field(default_factory=Orders)
    open_orders: set[str] = field(default_factory=set)
    cl_ord_ids: Names = field(init=False)
    child_cl_ord_ids: Names = field(init=False)
    venue_order_ids: Names = field(init=False)
    exec_ids: Names = field(init=False)
    mass_cancels: dict[tuple[str, str], MassCancelAnswered] = field(default_factory=dict)
    lists: dict[ListKey, OrderList] = field(default_factory=dict)
    lists_at_work: dict[ListKey, None] = field(default_factory=dict)
    day_watchers: dict[str, str] = field(default_factory=dict)
    disputes: dict[tuple[str, str], Dispute] = field(default_factory=dict)
    orphans: Orphans = field(default_factory=Orphans)
    orphans_settled: dict[int, OrphanSettled] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    working: dict[tuple[str, str], Working] = field(default_factory=dict)
    last_trades: LastTrades = field(default_factory=LastTrades)
    limits: dict[LimitKey, Decimal] = field(default_factory=dict)
    kill_switches: set[tuple[str, str]] = field(default_factory=set)
    held: dict[str, None] = field(default_factory=dict)
    stops: dict[str, dict[str, None]] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)
    awaiting: dict[str, int] = field(default_factory=dict)
    in_doubt: dict[str, None] = field(default_factory=dict)
    recent_orders: dict[tuple[str, ...], int] = field(default_factory=dict)
    message_times: dict[str, deque[int]] = field(default_factory=dict)
    corporate_actions: dict[str, CorporateAction] = field(default_factory=dict)
    ex_dates: dict[str, str] = field(default_factory=dict)
    market: dict[str, dict[str, Quote]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self.orders.names
        self.cl_ord_ids, self.child_cl_ord_ids, self.venue_order_ids, self.exec_ids = names

    def put_away(self, due: int, most: int = 0) -> None:
        """Pack some orders that are finished since before that stamp; see `Orders.put_away`."""
        since, lists = self.trade_date_at, self.lists_at_work
        self.orders.put_away(due, since, self.open_orders, lists, most)

    def session(self, name: str) -> Session:
        """The session of that name, to read: a blank one where it was never heard of."""
        return self.sessions.get(name) or Session(name=name)

    def session_kept(self, name: str) -> Session:
        """The session of that name, made on first sight; for the fold only."""
        found = self.sessions.get(name)
        if found is None:
            found = self.sessions[name] = Session(name=name)
        return found

    def position(self, account: str, symbol: str) -> Position:
        """The position of that account and symbol, made on first sight."""
        key = (account, symbol)
        found = self.positions.get(key)
        if found is None:
            found = self.positions[key] = Position(account=account, symbol=symbol)
        return found

    def hold_no_more(self, order_id: str) -> None:
        """If of a held order all is at work: a child came back, a late fill left less to do."""
        order = self.orders[order_id]
        working = open_children_leaves(self.orders[one] for one in order.open_children)
        if working >= order.leaves_qty:
            del self.held[order_id]

    def kill_switch(self, counterparty: str, account: str) -> tuple[str, str] | None:
        """Level and subject of the engaged switch that this client's orders fall under."""
        if not self.kill_switches:
            return None
        for scope in (("FIRM", "*"), ("SESSION", counterparty), ("ACCOUNT", account)):
            if scope in self.kill_switches:
                return scope
        return None

    def order_of(self, counterparty: str, cl_ord_id: str) -> Order | None:
        """The client order that this counterparty named so, in any request of its chain."""
        order_id = self.cl_ord_ids.get((counterparty, cl_ord_id))
        return self.orders[order_id] if order_id else None

    def child_of(self, venue: str, cl_ord_id: str) -> Order | None:
        """The child order that we named so to this venue, in any request of its chain."""
        order_id = self.child_cl_ord_ids.get((venue, cl_ord_id))
        return self.orders[order_id] if order_id else None
