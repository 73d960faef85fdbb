"""The orders that the scripted venue has of the server, and what it says of them."""

import itertools
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from fix_sessions.light_session import Message
from oms.conformance.dialect import Body, text
from oms.conformance.sides import Sides, now

ZERO = Decimal(0)


@dataclass(slots=True, kw_only=True)
class VenueRequest:
    """A cancel (F) or replace (G) that the venue has not answered."""

    msg_type: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_qty: Decimal


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """One order at the venue. trades: quantity and price by ExecID."""

    order_id: str
    cl_ord_id: str
    order_qty: Decimal
    acked: bool = False
    closed: str = ""
    requests: list[VenueRequest] = field(default_factory=list)
    trades: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)

    @property
    def cum_qty(self) -> Decimal:
        return sum((quantity for quantity, _ in self.trades.values()), ZERO)

    @property
    def avg_px(self) -> Decimal:
        value = sum((quantity * price for quantity, price in self.trades.values()), ZERO)
        return value / self.cum_qty if self.cum_qty else ZERO

    @property
    def leaves_qty(self) -> Decimal:
        return ZERO if self.closed else max(self.order_qty - self.cum_qty, ZERO)

    @property
    def ord_status(self) -> str:
        """OrdStatus without what is pending."""
        if self.closed:
            return self.closed
        if self.cum_qty >= self.order_qty:
            return "2"
        return "1" if self.cum_qty else "0"


class VenueBook:
    """Reads what the server sends, and reports. prefix: what makes this run's ids new."""

    def __init__(self, sides: Sides, prefix: str) -> None:
        self._sides = sides
        self._prefix = prefix
        self._numbers = itertools.count(1)
        self.orders: list[VenueOrder] = []

    def read(self, messages: list[Message]) -> None:
        """Take in orders and requests; a reject by the server is a fault of ours or of its."""
        for one in messages:
            match one.msg_type:
                case "D":
                    self._new(one)
                case "F" | "G":
                    self._request(one)
                case "3" | "j":
                    raise ConnectionError(f"the server rejects the venue's message: {one.get(58)}")
                case _:
                    pass

    def latest(self) -> VenueOrder:
        """The order that a report without a name of its own is about."""
        if not self.orders:
            raise LookupError("the server has sent the venue no order")
        return self.orders[-1]

    def with_trade(self, exec_id: str) -> VenueOrder:
        """The order that has that trade, or a correction under that ExecID."""
        for one in self.orders:
            if exec_id in one.trades or exec_id in one.corrected:
                return one
        raise LookupError(f"no order of the venue has ExecID {exec_id}")

    def new_exec_id(self, name: str = "") -> str:
        """An ExecID that no run has used; name: the one of the rows."""
        return f"{self._prefix}-{name or next(self._numbers)}"

    def report(
        self,
        order: VenueOrder,
        exec_type: str,
        ord_status: str,
        *,
        cl_ord_id: str = "",
        orig_cl_ord_id: str = "",
        exec_id: str = "",
        more: Body | None = None,
    ) -> None:
        """Send an ExecutionReport that says what the book has."""
        kind = self._sides.dialect.exec_type_said(
            exec_type, ord_status, complete=order.cum_qty >= order.order_qty
        )
        status = self._sides.dialect.ord_status(exec_type, ord_status)
        body = [
            *((37, order.order_id), (11, cl_ord_id or order.cl_ord_id)),
            *((17, exec_id or self.new_exec_id()), *kind, (39, status)),
            *((55, self._sides.market.symbol), (54, "1"), (38, text(order.order_qty))),
            *((14, text(order.cum_qty)), (151, text(order.leaves_qty))),
            *((6, f"{order.avg_px:.4f}"), (60, now())),
            *(more or []),
        ]
        if orig_cl_ord_id:
            body.append((41, orig_cl_ord_id))
        self._sides.venue.send("8", body)

    def split(self, ratio: Fraction) -> None:
        """Every order and what it traded in the shares after a split."""
        up, down = Decimal(ratio.numerator), Decimal(ratio.denominator)
        for order in self.orders:
            order.order_qty = order.order_qty * up / down
            order.trades = {
                exec_id: (quantity * up / down, price * down / up)
                for exec_id, (quantity, price) in order.trades.items()
            }

    def acknowledge(self, order: VenueOrder) -> None:
        """New."""
        order.acked = True
        self.report(order, "0", "0")

    def trade(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, name: str, ord_status: str = ""
    ) -> None:
        """A fill."""
        exec_id = self.new_exec_id(name)
        order.trades[exec_id] = (quantity, price)
        order.acked = True
        self.report(
            order,
            "F",
            ord_status or order.ord_status,
            exec_id=exec_id,
            more=[(32, text(quantity)), (31, text(price))],
        )

    def amend(self, name: str, ref: str, quantity: Decimal | None, price: Decimal) -> None:
        """Correct the trade `ref` to a quantity and price, or bust it where the quantity is None.

        A later correction may refer to this one by its own name.
        """
        exec_id, named = self.new_exec_id(name), self.new_exec_id(ref)
        order = self.with_trade(named)
        trade = order.corrected.get(named, named)
        order.corrected[exec_id] = trade
        was_qty, was_px = order.trades.pop(trade)
        if quantity is not None:
            order.trades[trade] = (quantity, price)
            was_qty, was_px = quantity, price
        kind = "H" if quantity is None else "G"
        more = [(19, named), (32, text(was_qty)), (31, text(was_px))]
        self.report(order, kind, order.ord_status, exec_id=exec_id, more=more)

    def grant(self, order: VenueOrder) -> None:
        """The oldest request takes effect."""
        request = order.requests.pop(0)
        orig, order.cl_ord_id = order.cl_ord_id, request.cl_ord_id
        if request.msg_type == "F":
            order.closed = "4"
            self.report(order, "4", "4", orig_cl_ord_id=orig)
            return
        order.order_qty = max(request.order_qty, order.cum_qty)
        self.report(order, "5", order.ord_status, orig_cl_ord_id=orig)

    def refuse(self, order: VenueOrder) -> None:
        """The latest request is refused: by the broker's choice, or as too late."""
        request = order.requests.pop()
        late = order.closed or order.cum_qty >= order.order_qty
        self._sides.venue.send(
            "9",
            [
                *((37, order.order_id), (11, request.cl_ord_id), (41, request.orig_cl_ord_id)),
                *((39, order.ord_status), (434, "1" if request.msg_type == "F" else "2")),
                *((102, "0" if late else "2"), (58, "not now"), (60, now())),
            ],
        )

    def reject(self, order: VenueOrder, more: Body | None = None) -> None:
        """The order is not taken, or not any more."""
        order.closed = "8"
        self.report(order, "8", "8", more=more)

    def close(self, order: VenueOrder, exec_type: str, ord_status: str, more: Body) -> None:
        """The order ends without a request."""
        order.closed = ord_status
        self.report(order, exec_type, ord_status, more=more)

    def clear(self) -> None:
        """Nothing of this script is left at work in the server."""
        for order in self.orders:
            if not order.closed and order.leaves_qty:
                self.close(order, "4", "4", [])

    def _new(self, message: Message) -> None:
        name = message.get(11) or ""
        if message.get(97) == "Y" and any(one.cl_ord_id == name for one in self.orders):
            return
        order_id = f"V{self._prefix}-{len(self.orders) + 1}"
        quantity = Decimal(message.get(38) or 0)
        self.orders.append(VenueOrder(order_id=order_id, cl_ord_id=name, order_qty=quantity))

    def _request(self, message: Message) -> None:
        orig = message.get(41) or ""
        for order in self.orders:
            if orig == order.cl_ord_id or any(one.cl_ord_id == orig for one in order.requests):
                order.requests.append(
                    VenueRequest(
                        msg_type=message.msg_type,
                        cl_ord_id=message.get(11) or "",
                        orig_cl_ord_id=orig,
                        order_qty=Decimal(message.get(38) or 0),
                    )
                )
                return
        raise LookupError(f"OrigClOrdID (41) = {orig}: the venue has no such order")
