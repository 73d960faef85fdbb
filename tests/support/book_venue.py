"""A venue that a test speaks for, which answers by itself what it is asked about its orders.

So a test scripts what is special (a report too early, twice, of an order nobody sent), and every
question of the server, after a logon or in doubt, finds the answer that such a venue would give.
"""

import itertools
from dataclasses import dataclass, field
from decimal import Decimal

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer

_NONE = [(37, "NONE"), (55, "[N/A]"), (54, "7"), (14, "0"), (151, "0"), (6, "0")]
_UNKNOWN = [(39, "8"), (103, "5"), (14, "0"), (151, "0"), (6, "0")]
_ids = itertools.count(1)

Fields = list[tuple[int, str]]


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """One order at the venue. names: every ClOrdID of it, oldest first; trades: by ExecID."""

    names: list[str]
    symbol: str
    side: str
    order_qty: Decimal
    price: str
    closed: str = ""
    requests: list[Message] = field(default_factory=list)
    trades: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def cl_ord_id(self) -> str:
        """The one that holds now."""
        return self.names[-1]

    @property
    def cum_qty(self) -> Decimal:
        return sum((quantity for quantity, _ in self.trades.values()), Decimal(0))

    @property
    def leaves_qty(self) -> Decimal:
        return Decimal(0) if self.closed else max(self.order_qty - self.cum_qty, Decimal(0))

    @property
    def status(self) -> str:
        """OrdStatus (39)."""
        if self.closed:
            return self.closed
        if self.cum_qty >= self.order_qty:
            return "2"
        if self.requests:
            return "6" if any(one.msg_type == "F" for one in self.requests) else "E"
        return "1" if self.trades else "0"


class BookVenue:
    """See the module. acks: whether a new order is acknowledged at once. retells: whether it tells
    all fills and ends again, as PossResend, before it says what works: after a reset of its numbers
    nobody could ask for what was missed.
    """

    def __init__(self, peer: LightPeer) -> None:
        self.peer = peer
        self.orders: list[VenueOrder] = []
        self.acks = True
        self.retells = False
        peer.on_message = self._read

    def find(self, name: str | None) -> VenueOrder | None:
        """The order that has, or had, this ClOrdID."""
        return next((one for one in self.orders if name in one.names), None)

    def of(self, child: str) -> VenueOrder:
        """The order that began under this ClOrdID, which has come."""
        found = self.find(child)
        assert found is not None, child
        return found

    def _read(self, message: Message) -> None:
        match message.msg_type:
            case "D":
                self._new(message)
            case "F" | "G":
                order = self.find(message.get(41))
                if order is not None:
                    order.requests.append(message)
            case "AF":
                if self.retells:
                    self._tell_again()
                self._tell_all(message.get(584) or "")
            case "H":
                self._tell(message.get(11) or "")
            case _:
                pass

    def _new(self, message: Message) -> None:
        name = message.get(11) or ""
        if self.find(name) is not None:
            assert "Y" in (message.get(97), message.get(43)), f"{name} came twice, unmarked"
            self._tell(name)
            return
        order = VenueOrder(
            names=[name],
            symbol=message.get(55) or "",
            side=message.get(54) or "",
            order_qty=Decimal(message.get(38) or 0),
            price=message.get(44) or "0",
        )
        self.orders.append(order)
        if self.acks:
            self.report(order, "0")

    def _tell(self, name: str) -> None:
        order = self.find(name)
        if order is not None:
            self.report(order, "I", exec_id="0")
        else:
            fields = [(37, "NONE"), (11, name), (17, "0"), (150, "I"), (55, "[N/A]"), (54, "7")]
            self.peer.session.send("8", [*fields, *_UNKNOWN])

    def _tell_again(self) -> None:
        marked = [(97, "Y")]
        for order in self.orders:
            booked = Decimal(0)
            for exec_id, (last_qty, last_px) in order.trades.items():
                booked += last_qty
                fields = [(32, f"{last_qty:f}"), (31, f"{last_px:f}"), (14, f"{booked:f}")]
                self.report(order, "F", exec_id=exec_id, more=fields, header=marked)
            if order.closed:
                self.report(order, order.closed, header=marked)

    def _tell_all(self, request: str) -> None:
        found = [one for one in self.orders if one.leaves_qty]
        for number, order in enumerate(found, 1):
            last = "Y" if number == len(found) else "N"
            mass = [(584, request), (911, str(len(found))), (912, last)]
            self.report(order, "I", exec_id="0", more=mass)
        if not found:
            none = [*_NONE, (17, "0"), (150, "I"), (39, "8"), (103, "5")]
            self.peer.session.send("8", [*none, (584, request), (911, "0"), (912, "Y")])

    def report(
        self,
        order: VenueOrder,
        exec_type: str,
        *,
        exec_id: str = "",
        more: Fields | None = None,
        header: Fields | None = None,
    ) -> None:
        """Say what the book has of the order; `more` replaces and adds fields."""
        fields = {
            37: f"V-{order.names[0]}",
            11: order.cl_ord_id,
            17: exec_id or f"X{next(_ids)}",
            150: exec_type,
            39: order.status,
            55: order.symbol,
            54: order.side,
            38: f"{order.order_qty:f}",
            44: order.price,
            14: f"{order.cum_qty:f}",
            151: f"{order.leaves_qty:f}",
            6: "0",
        } | dict(more or [])
        self.peer.session.send("8", [one for one in fields.items() if one[1]], header or [])
        self.peer.flush()

    def trade(self, order: VenueOrder, qty: str, price: str = "100", *, told: bool = True) -> str:
        """A fill; its ExecID. told: whether the venue says so now."""
        exec_id = f"T{next(_ids)}"
        order.trades[exec_id] = (Decimal(qty), Decimal(price))
        if told:
            self.tell_trade(order, exec_id)
        return exec_id

    def tell_trade(self, order: VenueOrder, exec_id: str, **more: str) -> None:
        """Report a fill, for the first time or again; keys t32="..." replace tags."""
        last_qty, last_px = order.trades[exec_id]
        fields = [(32, f"{last_qty:f}"), (31, f"{last_px:f}")]
        fields += [(int(key[1:]), value) for key, value in more.items()]
        self.report(order, "F", exec_id=exec_id, more=fields)

    def bust(self, order: VenueOrder, exec_id: str) -> None:
        """Take a fill back; the order is not worked again."""
        last_qty, last_px = order.trades.pop(exec_id)
        order.closed = order.closed or "4"
        more = [(19, exec_id), (32, f"{last_qty:f}"), (31, f"{last_px:f}")]
        self.report(order, "H", more=more)

    def end(self, order: VenueOrder, status: str, more: Fields | None = None) -> None:
        """The order is over of the venue's own accord: 4 canceled, C expired."""
        order.closed = status
        self.report(order, status, more=more)

    def grant(self, order: VenueOrder) -> None:
        """The oldest cancel or replace takes effect, and the venue says so."""
        request = order.requests.pop(0)
        orig = (41, order.cl_ord_id)
        order.names.append(request.get(11) or "")
        if request.msg_type == "F":
            self.end(order, "4", [orig])
            return
        order.order_qty = Decimal(request.get(38) or 0)
        order.price = request.get(44) or order.price
        self.report(order, "5", more=[orig])

    def refuse(self, order: VenueOrder, reason: str = "0") -> None:
        """The oldest request is refused: by CxlRejReason 0, as too late."""
        request = order.requests.pop(0)
        response = "1" if request.msg_type == "F" else "2"
        self.peer.send(
            "9",
            [
                *((37, f"V-{order.names[0]}"), (11, request.get(11) or ""), (41, order.cl_ord_id)),
                *((39, order.status), (434, response), (102, reason), (58, "too late")),
            ],
        )
