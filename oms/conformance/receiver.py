"""The server as receiver: a scripted client sends the rows, a scripted venue makes them happen.

What comes in (`in`) is sent by the client. What goes out (`out`) the client must be told, field by
field; where the server does not say it by itself, the venue first does what leads to it.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from fix_sessions.light_session import Message
from oms.conformance import orders
from oms.conformance.compare import TAGS, Allowed, Differs, Wanted, compare
from oms.conformance.dialect import Body, text
from oms.conformance.executions import Executions
from oms.conformance.matrix import Row, desk_refuses, split_of
from oms.conformance.scope import Entry
from oms.conformance.sides import Sides
from oms.conformance.venue_book import VenueBook, VenueOrder

_OPTIONAL = ("6", "E", "A")
_CHECKED_NOTES = (
    *("OrdRejReason", "CxlRejReason", "ExecRestatementReason", "WorkingIndicator", "AvgPx"),
    *("DayOrderQty", "DayCumQty", "OrderID"),
)
_TOLD_ON = ("ExecRestatementReason", "WorkingIndicator", "DayOrderQty", "DayCumQty")


class Receiver:
    """One path, played. prefix: new with every path; allowed: the deviations of its scenario."""

    def __init__(
        self, sides: Sides, path: Sequence[Row], *, prefix: str, allowed: Sequence[Entry]
    ) -> None:
        self._sides = sides
        self._path = path
        self._prefix = prefix
        self._allowed = Allowed(allowed)
        self._book = VenueBook(sides, prefix)
        self._told: deque[Message] = deque()
        self._exec_ids: dict[str, str] = {}
        self._order_ids: dict[str, str] = {}
        self._executions: dict[str, Executions] = {}
        self._sent_order = False
        self._day = 1
        self._day_ended = False
        self._requests: dict[str, str] = {}
        self._price = sides.market.price

    def play(self) -> None:
        """Raises Differs at the first field that is not what the standard has."""
        for row in self._ordered():
            if self._allowed.skips(row):
                continue
            self._reach(row.day)
            if row.inbound:
                self._send(row)
            else:
                self._expect(row)
        extra = [one for one in self._told if not _is_pending(one)]
        if extra:
            raise Differs("end", "MsgType (35)", None, extra[0])

    def clear(self) -> None:
        """Leave no order at work."""
        self._book.clear()
        self._sides.settle()

    def _ordered(self) -> list[Row]:
        """Where two messages cross, ours left before theirs came."""
        found: list[Row] = []
        for row in self._path:
            if row.branch == "cross" and not row.inbound:
                found.insert(len(found) - 1, row)
            else:
                found.append(row)
        return found

    def _name(self, name: str) -> str:
        return f"{self._prefix}-{name}" if name else ""

    def _settle(self) -> None:
        """Let everything take its effect. What the server sends to the venue for a new order is
        acknowledged when its row comes; what it sends for the same order later, at once.
        """
        self._sides.settle()
        known = len(self._book.orders)
        self._book.read(self._sides.at_venue())
        more = self._book.orders[known:]
        if more and self._sent_order:
            self._sent_order = False
            more = more[1:]
        for order in more:
            self._book.acknowledge(order)
        if more:
            self._sides.settle()
        self._told.extend(self._sides.heard())

    def _reach(self, day: int) -> None:
        """Let the night pass before the first row of the second day."""
        if day > self._day and self._sides.night is not None:
            self._day = day
            self._end_day()
            ratio = split_of(list(self._path))
            if ratio is not None:
                self._sides.night.split(self._sides.market.symbol, ratio)
                self._book.split(ratio)
                self._price = orders.price_after(ratio, self._path, self._sides.market)
            self._sides.night.open()
            self._settle()

    def _end_day(self) -> None:
        if not self._day_ended and self._sides.night is not None:
            self._day_ended = True
            self._sides.night.close()
            self._settle()

    # What the client sends

    def _send(self, row: Row) -> None:
        refused = self._refused_at_the_desk(row)
        market, client = self._sides.market, self._sides.client
        name, orig = self._name(row.cl_ord_id), self._name(row.orig_cl_ord_id)
        self._requests[name] = row.msg_type
        match row.msg_type:
            case "D":
                self._sent_order = True
                body = orders.new_order(row, self._path, market, name)
                if refused:
                    body = [
                        (55, market.unknown_symbol) if tag == 55 else (tag, value)
                        for tag, value in body
                    ]
                resent = row.noted.get("PossResend") == "Y"
                client.send("D", body, [(97, "Y")] if resent else [])
            case "F":
                quantity = row.order_qty or Decimal(0)
                client.send("F", orders.cancel(market, name, orig, quantity))
            case "G":
                fields = orders.terms(self._path[0], self._path, market)
                if refused:
                    fields[44] = text(market.off_tick)
                quantity = row.order_qty or Decimal(0)
                client.send("G", orders.replacement(market, name, orig, quantity, fields))
            case _:
                client.send("H", [(11, name), (55, market.symbol), (54, "1")])
        self._settle()

    def _refused_at_the_desk(self, row: Row) -> bool:
        """Whether this path ends with the server's own refusal of this very message."""
        last = self._path[-1]
        if last.branch != "alt" or row is not self._path[-2]:
            return False
        return desk_refuses(last)

    # What the client must be told

    def _expect(self, row: Row) -> None:
        self._skip_pending(row)
        if not self._told:
            self._venue_does(row)
            self._settle()
            self._skip_pending(row)
        if not self._told:
            raise Differs(row.step, "MsgType (35)", row.msg_type, None)
        told = self._told.popleft()
        if row.msg_type == "9":
            self._compare_reject(row, told)
        else:
            self._compare_report(row, told)
        self._acknowledge(row)
        if row.step in self._allowed.then and row.branch != "alt":
            if not self._told:
                raise Differs(f"after {row.step}", "MsgType (35)", "8", None)
            compare(row, self._told.popleft(), self._allowed.then[row.step])

    def _acknowledge(self, row: Row) -> None:
        """The venue says New where the rows have it, though our client knows already."""
        if row.exec_type != "0" or not self._book.orders:
            return
        order = self._book.latest()
        if not order.acked and not order.closed:
            self._book.acknowledge(order)
            self._settle()

    def _skip_pending(self, row: Row) -> None:
        """Pending reports are optional: they may come where the rows print none."""
        while self._told and _is_pending(self._told[0]):
            if self._told[0].get(150) == row.exec_type:
                return
            self._told.popleft()

    def _venue_does(self, row: Row) -> None:
        order = self._book.latest()
        more: Body = [(TAGS[one], row.noted[one]) for one in _TOLD_ON if one in row.noted]
        price = row.last_px or self._price
        if row.msg_type == "9":
            self._book.refuse(order)
        elif row.exec_type == "F":
            bundled = row.ord_status if row.ord_status in ("3", "4", "C") else ""
            assert row.last_qty is not None, row
            self._venue_trades(order, row.last_qty, price, row, bundled)
        elif row.exec_type in ("G", "H"):
            quantity = row.last_qty if row.exec_type == "G" else None
            self._book.amend(row.exec_id, row.exec_ref_id, quantity, price)
        elif order.requests and row.exec_type in ("4", "5"):
            self._book.grant(order)
        elif row.exec_type == "0":
            self._book.acknowledge(order)
        elif row.exec_type == "8":
            self._book.reject(order)
        elif row.exec_type == "3" and orders.lives_for_days(self._path):
            self._end_day()
            if not self._told:
                self._book.report(order, "3", "3")
        elif row.exec_type in ("3", "4", "C"):
            self._book.close(order, row.exec_type, row.ord_status, more)
        else:
            self._venue_restates(order, row, more)

    def _venue_trades(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, row: Row, bundled: str
    ) -> None:
        """bundled: the OrdStatus of a fill that also ends the order."""
        if bundled and not order.closed and order.cum_qty + quantity < order.order_qty:
            order.closed = bundled
        self._book.trade(order, quantity, price, row.exec_id, bundled)

    def _venue_restates(self, order: VenueOrder, row: Row, more: Body) -> None:
        """Anything else is said as the row has it."""
        if row.exec_type == "D" and row.order_qty is not None:
            order.order_qty = row.order_qty
        if row.exec_type == "7" and row.last_qty:
            more = [*more, (32, text(row.last_qty)), (31, text(row.last_px or Decimal(0)))]
        self._book.report(order, row.exec_type, row.ord_status, more=more)

    def _compare_reject(self, row: Row, told: Message) -> None:
        asked = self._requests[self._name(row.cl_ord_id)]
        wanted = [
            Wanted(tag=35, value="9"),
            Wanted(tag=11, value=self._name(row.cl_ord_id)),
            Wanted(tag=41, value=self._name(row.orig_cl_ord_id)),
            Wanted(tag=39, value=row.ord_status),
            Wanted(tag=434, value="1" if asked == "F" else "2"),
            *self._noted(row),
        ]
        compare(row, told, self._allowed.instead(row, wanted))

    def _compare_report(self, row: Row, told: Message) -> None:
        dialect = self._sides.dialect
        wanted = [
            Wanted(tag=35, value="8"),
            Wanted(tag=11, value=self._name(row.cl_ord_id) or None),
            *dialect.exec_type_wanted(row),
            Wanted(tag=39, value=dialect.ord_status(row.exec_type, row.ord_status)),
            Wanted(tag=41, value=self._name(row.orig_cl_ord_id) or None),
        ]
        for tag, quantity in (
            (38, row.order_qty),
            (14, row.cum_qty),
            (151, row.leaves_qty),
            (32, row.last_qty),
        ):
            if quantity is not None:
                wanted.append(Wanted(tag=tag, value=quantity))
        wanted += self._noted(row)
        if row.exec_type in ("F", "G"):
            wanted.append(Wanted(tag=31, value=row.last_px or self._price))
        if row.ord_status != "8":
            wanted.append(Wanted(tag=55, value=self._sides.market.symbol))
            wanted.append(Wanted(tag=54, value="1"))
        if row.exec_ref_id:
            wanted.append(Wanted(tag=19, value=self._exec_ids[row.exec_ref_id]))
        compare(row, told, self._allowed.instead(row, wanted))
        self._note_ids(row, told)
        booked = self._executions.setdefault(told.get(37) or "", Executions())
        booked.take(row.step, told, row.exec_type)

    def _noted(self, row: Row) -> list[Wanted]:
        return [
            Wanted(tag=TAGS[name], value=row.noted[name])
            for name in _CHECKED_NOTES
            if name in row.noted
        ]

    def _note_ids(self, row: Row, told: Message) -> None:
        """An execution's ExecID is new; the OrderID of an order stays."""
        exec_id, order_id = told.get(17) or "", told.get(37) or ""
        if row.exec_type != "I":
            if exec_id in self._exec_ids.values():
                raise Differs(row.step, "ExecID (17)", "a new one", exec_id)
            self._exec_ids[row.exec_id or f"step {row.step}"] = exec_id
        name = row.orig_cl_ord_id or row.cl_ord_id
        first = self._order_ids.setdefault(name, order_id)
        self._order_ids.setdefault(row.cl_ord_id, first)
        known = row.ord_status != "8"
        if known and order_id != first:
            raise Differs(row.step, "OrderID (37)", first, order_id)


def _is_pending(told: Message) -> bool:
    status = told.get(20) == "3"
    return told.msg_type == "8" and told.get(150) in _OPTIONAL and not status
