"""Order: the facts of one client order or child order; its status and quantities are derived.

One class for both: a child order has a parent_id and its counterparty is the venue. An Order is
changed only by `oms.fold`, one event at a time. OrdStatus is the maximum by FIX precedence
over the statuses that hold (FIX 4.4 Volume 4): nothing stores a previous status.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from oms.domain.conditions import Conditions
from oms.domain.fix import ORD_STATUS_PRECEDENCE, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.orphans import Tale, TradeIds
from oms.domain.reasons import Reason
from oms.domain.splits import RebasedTerms, rounded
from oms.domain.terms import OrderTerms
from oms.domain.values import ZERO, average


class RequestKind(StrEnum):
    """What an outstanding request asks for."""

    CANCEL = "CANCEL"
    REPLACE = "REPLACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An outstanding cancel or replace. order_qty, price and stop_px (if new) are the replace's.

    reason: why an operator or the server asked; NONE when the order's owner did. accounts: those of
    the API key that a replace which waits came by; empty: the client's own.
    """

    kind: RequestKind
    cl_ord_id: str
    orig_cl_ord_id: str
    at: int
    order_qty: Decimal = ZERO
    price: Decimal | None = None
    reason: Reason = Reason.NONE
    stop_px: Decimal | None = None
    accounts: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Execution:
    """One trade of an order, keyed by (child, ExecID); a corrected one chains to its latest report.

    report_id, previous_report_id: ExecIDs of our own last two reports of it to the client. place:
    its number among the trades of its position. tale: what was told of it by whom; None where the
    order session told it once and nobody said more.
    """

    venue: str
    exec_id: str
    child_id: str
    last_qty: Decimal
    last_px: Decimal
    at: int
    latest_exec_id: str = ""
    report_id: str = ""
    previous_report_id: str = ""
    place: int = 0
    busted: bool = False
    transact_time: int = 0
    ids: TradeIds | None = None
    tale: Tale | None = None


@dataclass(slots=True, kw_only=True)
class Order:
    """See the module. Times are sequencer stamps; doubt_since is 0 while the state is known.

    waiting: replaces that are taken up when those among the requests are answered. triggered_at:
    when a stop order reached its price, 0 before. day_since: when a good-till order was restated
    for the trading date, 0 on its first. rebasings: splits, each with the number of executions
    before it, which keep the quantity and price of their day. rebased: by a split that the order
    was not restated for yet. external: not sent by us. ahead: how much of what was told of a
    child's trades was told by drop copies only. request_ids: the ClOrdIDs of all requests so far.
    """

    order_id: str
    parent_id: str
    counterparty: str
    session: str
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None
    time_in_force: TimeInForce
    trade_date: str
    created_at: int
    updated_at: int
    first_terms: OrderTerms
    accepted: bool = False
    venue_order_id: str = ""
    executions: dict[tuple[str, str], Execution] = field(default_factory=dict)
    cum_qty: Decimal = ZERO
    traded_value: Decimal = ZERO
    requests: tuple[Request, ...] = ()
    waiting: tuple[Request, ...] = ()
    closed: OrdStatus | None = None
    closed_reason: Reason = Reason.NONE
    text: str = ""
    doubt_since: int = 0
    doubt_reason: Reason = Reason.NONE
    queries: int = 0
    queried_at: int = 0
    expiring: bool = False
    children: list[str] = field(default_factory=list)
    open_children: frozenset[str] = frozenset()
    refused_by: frozenset[str] = frozenset()
    requests_made: int = 0
    mark: OrdStatus | None = None
    conditions: Conditions | None = None
    triggered_at: int = 0
    day_since: int = 0
    rebasings: tuple[tuple[int, Fraction], ...] = ()
    rebased: bool = False
    external: bool = False
    ahead: int = 0
    request_ids: tuple[str, ...] = ()

    @property
    def is_child(self) -> bool:
        """Whether this order is one that we sent to a venue for a client order."""
        return bool(self.parent_id)

    @property
    def is_filled(self) -> bool:
        """Whether executions reach OrderQty."""
        return self.cum_qty >= self.order_qty > ZERO

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.closed is None and not self.cum_qty >= self.order_qty > ZERO

    @property
    def is_live(self) -> bool:
        """Whether the order can trade, or could if an outstanding replace of it is accepted."""
        if self.closed is not None:
            return False
        if self.cum_qty < self.order_qty:
            return True
        if not (self.requests or self.waiting):
            return False
        return any(
            one.kind is RequestKind.REPLACE and one.order_qty > self.cum_qty
            for one in (*self.requests, *self.waiting)
        )

    @property
    def exposure(self) -> Decimal:
        """What can still trade, now or once an outstanding replace is accepted."""
        if self.closed is not None:
            return ZERO
        reach = self.order_qty
        for one in self.requests:
            if one.kind is RequestKind.REPLACE and one.order_qty > reach:
                reach = one.order_qty
        for one in self.waiting:
            reach = max(reach, one.order_qty)
        return reach - self.cum_qty if reach > self.cum_qty else ZERO

    @property
    def leaves_qty(self) -> Decimal:
        """LeavesQty (151): what can still trade, zero once nothing can."""
        if self.closed is not None or self.cum_qty >= self.order_qty > ZERO:
            return ZERO
        return self.order_qty - self.cum_qty

    @property
    def avg_px(self) -> Decimal:
        """AvgPx (6), to ten decimals."""
        return average(self.traded_value, self.cum_qty)

    @property
    def in_doubt(self) -> bool:
        """Whether the order shows UNKNOWN."""
        return self.doubt_since > 0

    @property
    def pending(self) -> Request | None:
        """The oldest outstanding request."""
        return self.requests[0] if self.requests else None

    @property
    def ord_status(self) -> OrdStatus:
        """OrdStatus (39): the highest of those that hold."""
        return self._highest(self.requests)

    @property
    def told_status(self) -> OrdStatus:
        """OrdStatus (39) as its client is told it: Pending Cancel confirms a request of its own.

        The end of one that the server began is told only where it succeeds.
        """
        requests = self.requests
        if requests:
            requests = tuple([one for one in requests if one.reason is Reason.NONE])
        return self._highest(requests)

    def _highest(self, requests: tuple[Request, ...]) -> OrdStatus:
        if not requests and self.mark is None and self.closed is None:  # nearly every order
            if self.is_filled:
                return OrdStatus.FILLED
            if self.cum_qty:
                return OrdStatus.PARTIALLY_FILLED
            return OrdStatus.NEW if self.accepted else OrdStatus.PENDING_NEW
        holding = [OrdStatus.NEW if self.accepted else OrdStatus.PENDING_NEW]
        for request in requests:
            cancel = request.kind is RequestKind.CANCEL
            holding.append(OrdStatus.PENDING_CANCEL if cancel else OrdStatus.PENDING_REPLACE)
        if self.mark is not None:
            holding.append(self.mark)
        if self.closed is not None:
            holding.append(self.closed)
        if self.is_filled:
            holding.append(OrdStatus.FILLED)
        elif self.cum_qty:
            holding.append(OrdStatus.PARTIALLY_FILLED)
        return max(reversed(holding), key=ORD_STATUS_PRECEDENCE.__getitem__)

    def request(self, cl_ord_id: str) -> Request | None:
        """The outstanding request with that ClOrdID, one that waits included."""
        for request in (*self.requests, *self.waiting):
            if request.cl_ord_id == cl_ord_id:
                return request
        return None

    def recount(self) -> None:
        """Derive CumQty and traded value from the set of executions again."""
        self.cum_qty, self.traded_value = self.traded_since(0)

    def traded_since(self, since: int) -> tuple[Decimal, Decimal]:
        """Quantity, in the shares of today, and value of the executions from that stamp on."""
        numbered = enumerate(self.executions.values())
        live = [(n, one) for n, one in numbered if one.at >= since and not one.busted]
        value = sum((one.last_qty * one.last_px for _, one in live), ZERO)
        if not self.rebasings:
            return sum((one.last_qty for _, one in live), ZERO), value
        total = sum((Fraction(one.last_qty) * self._ratio(n) for n, one in live), Fraction(0))
        return rounded(total), value

    def _ratio(self, n: int) -> Fraction:
        """What the splits since have made of a share of the execution of that number."""
        found = Fraction(1)
        for before, ratio in self.rebasings:
            if n < before:
                found *= ratio
        return found

    def rebase(self, terms: RebasedTerms, ratio: Fraction) -> None:
        """Be in the shares after a split: these terms, and the executions so far times ratio."""
        known = len(self.executions)
        if self.rebasings and self.rebasings[-1][0] == known:
            ratio *= self.rebasings[-1][1]
            self.rebasings = self.rebasings[:-1]
        if ratio != 1:
            self.rebasings += ((known, ratio),)
        self.rebased = True
        self.order_qty, self.cum_qty, self.price = terms.order_qty, terms.cum_qty, terms.price
        if self.conditions is not None:
            self.conditions = replace(
                self.conditions,
                stop_px=terms.stop_px,
                min_qty=terms.min_qty,
                max_floor=terms.max_floor,
                peg_offset=terms.peg_offset,
            )


def new_order(order_id: str, parent_id: str, terms: OrderTerms, trade_date: str, at: int) -> Order:
    """The order that these terms make."""
    return Order(
        order_id=order_id,
        parent_id=parent_id,
        counterparty=terms.counterparty,
        session=terms.session,
        cl_ord_id=terms.cl_ord_id,
        account=terms.account,
        symbol=terms.symbol,
        side=terms.side,
        order_qty=terms.order_qty,
        ord_type=terms.ord_type,
        price=terms.price,
        time_in_force=terms.time_in_force,
        trade_date=trade_date,
        created_at=at,
        updated_at=at,
        first_terms=terms,
        conditions=terms.conditions,
    )


def without(requests: tuple[Request, ...], cl_ord_id: str) -> tuple[Request, ...]:
    """The requests but for the one with that ClOrdID."""
    return tuple([one for one in requests if one.cl_ord_id != cl_ord_id])


def add_execution(order: Order, execution: Execution) -> None:
    """Add a trade to the order's set of executions; the same (child, ExecID) never twice."""
    key = (execution.child_id, execution.exec_id)
    assert key not in order.executions, key
    order.executions[key] = execution
    order.cum_qty += execution.last_qty
    order.traded_value += execution.last_qty * execution.last_px


def open_children_leaves(children: Iterable[Order]) -> Decimal:
    """Sum of what these children can still trade."""
    return sum((child.leaves_qty for child in children), ZERO)
