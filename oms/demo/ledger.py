"""A client's own books: what it sent, and what every report told it, each ExecID once.

Nothing here knows the server's insides: it is what any counterparty could keep. A report that
comes again must say so, by PossDupFlag (43) or PossResend (97): else it is a fault of the server.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FINAL = frozenset({"2", "3", "4", "8", "C"})
"""Filled, DoneForDay, Canceled, Rejected, Expired."""
_TRADE, _BUST, _CORRECT, _STATUS, _REPLACED = "F", "H", "G", "I", "5"
_PENDING = frozenset({"6", "E"})


@dataclass(slots=True, kw_only=True)
class OrderSeen:
    """One order as its sender knows it, by the ClOrdID that it was first sent with."""

    cl_ord_id: str
    client: str
    account: str
    symbol: str
    side: str
    order_qty: str
    price: str
    order_id: str = ""
    ord_status: str = ""
    cum_qty: str = "0"
    leaves_qty: str = ""
    avg_px: str = "0"
    text: str = ""
    names: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.ord_status not in FINAL


@dataclass(slots=True, kw_only=True)
class TradeSeen:
    """One trade as reported, with later corrections; by the first report's ExecID."""

    exec_id: str
    cl_ord_id: str
    order_id: str
    venue: str
    last_qty: str
    last_px: str
    busted: bool = False


@dataclass(slots=True, kw_only=True)
class Request:
    """One D, F or G. answered: something came; final: it is settled."""

    kind: str
    order: str
    sent_ns: int
    answered_ns: int = 0
    final: bool = False
    disturbed: bool = False


class Ledger:
    """One session's books."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.orders: dict[str, OrderSeen] = {}
        self.requests: dict[str, Request] = {}
        self.trades: dict[str, TradeSeen] = {}
        self.reports: dict[str, str] = {}
        self.repeats = 0
        self.faults: list[str] = []
        self._names: dict[str, str] = {}
        self._chains: dict[str, str] = {}

    # Out

    def sent_order(self, order: OrderSeen, at_ns: int) -> None:
        """A NewOrderSingle left."""
        name = order.cl_ord_id
        self.orders[name] = order
        order.names.append(name)
        self._names[name] = name
        self.requests[name] = Request(kind="D", order=name, sent_ns=at_ns)

    def sent_change(self, kind: str, cl_ord_id: str, order: OrderSeen, at_ns: int) -> None:
        """A cancel (F) or replace (G) left."""
        self._names[cl_ord_id] = order.cl_ord_id
        self.requests[cl_ord_id] = Request(kind=kind, order=order.cl_ord_id, sent_ns=at_ns)

    def disturb(self) -> None:
        """The connection broke: what is under way says nothing about latency."""
        for request in self.requests.values():
            if not request.answered_ns:
                request.disturbed = True

    # In

    def report(self, fields: Mapping[int, str], at_ns: int) -> OrderSeen | None:
        """An ExecutionReport (8) came; its order, where the report is news."""
        name, exec_id = fields.get(11, ""), fields.get(17, "")
        order = self.orders.get(self._names.get(name, ""))
        if order is None:
            self._fault(f"report {exec_id} is for ClOrdID {name}, which was never sent")
            return None
        self._answered(name, at_ns)
        if fields.get(150) != _STATUS and not self._is_new(exec_id, name, fields):
            return None
        self._take_state(order, fields)
        self._settle(order, fields)
        if fields.get(150) in (_TRADE, _BUST, _CORRECT):
            self._trade(order, fields)
        return order

    def cancel_reject(self, fields: Mapping[int, str], at_ns: int) -> OrderSeen | None:
        """An OrderCancelReject (9) came."""
        name = fields.get(11, "")
        request = self.requests.get(name)
        if request is None:
            self._fault(f"OrderCancelReject for ClOrdID {name}, which was never sent")
            return None
        self._answered(name, at_ns)
        order = self.orders[request.order]
        if request.final:
            # Told before: what it says of the order may be older than what came since.
            self.repeats += 1
            return None
        request.final = True
        if fields.get(37) == order.order_id:
            order.ord_status = fields.get(39, order.ord_status)
        return order

    def refused(self, msg_type: str, fields: Mapping[int, str]) -> None:
        """A Reject (3) or BusinessMessageReject (j) came: nothing that we send earns one."""
        self._fault(f"message refused ({msg_type}): {fields.get(58, '')}")

    # What it says

    @property
    def answered(self) -> int:
        return sum(1 for one in self.requests.values() if one.answered_ns and one.kind == "D")

    @property
    def unanswered(self) -> list[str]:
        """ClOrdIDs of requests that nothing came for."""
        return [name for name, one in self.requests.items() if not one.answered_ns]

    @property
    def unsettled(self) -> list[str]:
        """ClOrdIDs of requests whose outcome is not known yet."""
        return [name for name, one in self.requests.items() if not one.final]

    @property
    def open_orders(self) -> int:
        return sum(1 for one in self.orders.values() if one.is_open)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "client": self.client,
            "orders": [asdict(one) for one in self.orders.values()],
            "trades": [asdict(one) for one in self.trades.values()],
            "requests": {name: asdict(one) for name, one in self.requests.items()},
            "reports": len(self.reports),
            "repeats": self.repeats,
            "faults": self.faults,
        }

    def _fault(self, text: str) -> None:
        self.faults.append(f"{self.client}: {text}")

    def _answered(self, name: str, at_ns: int) -> None:
        request = self.requests[name]
        request.answered_ns = request.answered_ns or at_ns

    def _is_new(self, exec_id: str, name: str, fields: Mapping[int, str]) -> bool:
        content = "|".join(fields.get(tag, "") for tag in (11, 37, 150, 39, 14, 32, 31))
        known = self.reports.get(exec_id)
        if known is None:
            self.reports[exec_id] = content
            return True
        self.repeats += 1
        if content != known:
            self._fault(f"ExecID {exec_id} came again with other content: {content}, was {known}")
        elif "Y" not in (fields.get(43), fields.get(97)):
            self._fault(f"ExecID {exec_id} of {name} came twice, without PossDupFlag or PossResend")
        return False

    def _take_state(self, order: OrderSeen, fields: Mapping[int, str]) -> None:
        order.order_id = fields.get(37, order.order_id)
        order.ord_status = fields.get(39, order.ord_status)
        order.cum_qty = fields.get(14, order.cum_qty)
        order.leaves_qty = fields.get(151, order.leaves_qty)
        order.avg_px = fields.get(6, order.avg_px)
        order.order_qty = fields.get(38, order.order_qty)
        order.price = fields.get(44, order.price)
        order.text = fields.get(58, order.text)

    def _settle(self, order: OrderSeen, fields: Mapping[int, str]) -> None:
        """What this report decides: its own request, and all of them once the order is closed."""
        name = fields.get(11, "")
        request = self.requests[name]
        kind = fields.get(150)
        if kind == _REPLACED:
            order.names.append(name)
        if kind not in _PENDING and (request.kind == "D" or kind in (_REPLACED, "4")):
            request.final = True
        if not order.is_open:
            self.requests[order.cl_ord_id].final = True

    def _trade(self, order: OrderSeen, fields: Mapping[int, str]) -> None:
        exec_id = fields.get(17, "")
        if fields.get(150) == _TRADE:
            self.trades[exec_id] = TradeSeen(
                exec_id=exec_id,
                cl_ord_id=order.cl_ord_id,
                order_id=order.order_id,
                venue=fields.get(30, ""),
                last_qty=fields.get(32, ""),
                last_px=fields.get(31, ""),
            )
            return
        reference = fields.get(19, "")
        first = self._chains.get(reference, reference)
        trade = self.trades.get(first)
        if trade is None:
            self._fault(f"report {exec_id} refers to ExecID {reference}, which never came")
            return
        self._chains[exec_id] = first
        if fields.get(150) == _BUST:
            trade.busted = True
        else:
            trade.last_qty, trade.last_px = fields.get(32, ""), fields.get(31, "")
