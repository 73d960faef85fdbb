"""The server as initiator: the scripted venue is the receiver and says the rows, word for word.

What comes in there (`in`) the server must send, brought to it by its client's wish. What goes out
(`out`) the venue says, and then the client, asking for the order's status, must get what the row
means to an initiator: the higher of the row's OrdStatus and the requests of its own that are open.
"""

import itertools
from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from fix_sessions.light_session import Message
from oms.conformance import orders
from oms.conformance.compare import TAGS, Allowed, Differs, Wanted, compare
from oms.conformance.dialect import Body, text
from oms.conformance.matrix import Row, split_of
from oms.conformance.scope import Entry
from oms.conformance.sides import ANSWER_LIMIT_S, Sides, now

_ENDED = ("4", "8", "C")
_SAID_NOTES = ("ExecRestatementReason", "WorkingIndicator", "OrdRejReason")
# OrdStatus by precedence where a request of ours may be open (FIX 4.4 volume 4).
_RANK = {"6": 12, "E": 11}


class Initiator:
    """One path, played. prefix: new with every path; allowed: the deviations of its scenario."""

    def __init__(
        self, sides: Sides, path: Sequence[Row], *, prefix: str, allowed: Sequence[Entry]
    ) -> None:
        self._sides = sides
        self._path = path
        self._prefix = prefix
        self._allowed = Allowed(allowed)
        self._sent: deque[Message] = deque()
        self._names: dict[str, str] = {"": ""}
        self._open: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._order = ""
        self._numbers = itertools.count(1)
        self._day = 1
        self._last: Row | None = None
        self._price = sides.market.price

    def play(self) -> None:
        """Raises Differs at the first field that is not what the standard has."""
        for row in self._path:
            if self._allowed.skips(row):
                continue
            self._reach(row.day)
            if row.inbound:
                self._server_sends(row)
            else:
                self._venue_says(row)
                self._compare_order(row)
            if self._sent:
                raise Differs(row.step, "MsgType (35)", None, self._sent[0])

    def clear(self) -> None:
        """Leave no order at work: the venue ends what the rows have not."""
        last = self._last
        if last is not None and last.ord_status not in ("2", "3", *_ENDED) and self._order:
            self._say(
                [(37, self._venue_order_id(self._order)), (11, self._names[last.cl_ord_id])],
                exec_type="4",
                ord_status="4",
                order_qty=last.order_qty or Decimal(0),
                cum_qty=last.cum_qty or Decimal(0),
                leaves_qty=Decimal(0),
                more=[],
            )
        self._sides.settle()

    def _name(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _settle(self) -> None:
        self._sides.settle()
        self._sides.heard()
        for one in self._sides.at_venue():
            if one.msg_type in ("3", "j"):
                raise ConnectionError(f"the server rejects the venue's message: {one.get(58)}")
            self._sent.append(one)

    def _reach(self, day: int) -> None:
        """Let the night pass before the first row of the second day."""
        if day > self._day and self._sides.night is not None:
            self._day = day
            self._sides.night.close()
            ratio = split_of(list(self._path))
            if ratio is not None:
                self._sides.night.split(self._sides.market.symbol, ratio)
                self._price = orders.price_after(ratio, self._path, self._sides.market)
            self._sides.night.open()
            self._settle()

    # What the server must send

    def _server_sends(self, row: Row) -> None:
        self._client_wishes(row)
        self._settle()
        if not self._sent:
            raise Differs(row.step, "MsgType (35)", row.msg_type, None)
        sent = self._sent.popleft()
        market = self._sides.market
        wanted = [Wanted(tag=35, value=row.msg_type)]
        if row.orig_cl_ord_id:
            wanted.append(Wanted(tag=41, value=self._names[row.orig_cl_ord_id]))
        wanted += [Wanted(tag=55, value=market.symbol), Wanted(tag=54, value="1")]
        if row.order_qty is not None:
            wanted.append(Wanted(tag=38, value=row.order_qty))
        if row.msg_type == "D":
            fields = orders.terms(row, self._path, market)
            wanted += [Wanted(tag=tag, value=value) for tag, value in fields.items() if tag != 15]
        if row.msg_type == "H":
            wanted.append(Wanted(tag=11, value=self._names[row.cl_ord_id]))
        compare(row, sent, self._allowed.instead(row, wanted))
        if row.msg_type == "H":
            return
        name = sent.get(11) or ""
        if not name or name in self._names.values():
            raise Differs(row.step, "ClOrdID (11)", "a new one", name)
        self._names[row.cl_ord_id] = name

    def _client_wishes(self, row: Row) -> None:
        market, client = self._sides.market, self._sides.client
        name = self._name(row.cl_ord_id)
        quantity = row.order_qty or Decimal(0)
        self._kinds[row.cl_ord_id] = row.msg_type
        match row.msg_type:
            case "D":
                self._order = row.cl_ord_id
                client.send("D", orders.new_order(row, self._path, market, name))
            case "F":
                orig = self._name(row.orig_cl_ord_id)
                client.send("F", orders.cancel(market, name, orig, quantity))
                self._open[row.cl_ord_id] = "6"
            case "H":
                # Nobody's wish: after a lost session it asks how each open order stands.
                self._sides.venue.kill()
                self._sides.venue.reconnect(ANSWER_LIMIT_S)
            case _:
                orig = self._name(row.orig_cl_ord_id)
                fields = orders.terms(self._path[0], self._path, market)
                client.send("G", orders.replacement(market, name, orig, quantity, fields))
                self._open[row.cl_ord_id] = "E"

    # What the venue says

    def _venue_says(self, row: Row) -> None:
        self._last = row
        head = [
            (37, self._venue_order_id(self._order)),
            *([(11, self._names[row.cl_ord_id])] if row.cl_ord_id else []),
            *([(41, self._names[row.orig_cl_ord_id])] if row.orig_cl_ord_id else []),
        ]
        if row.msg_type == "9":
            self._open.pop(row.cl_ord_id, None)
            reason = row.noted.get("CxlRejReason", "2")
            kind = "1" if self._kinds[row.cl_ord_id] == "F" else "2"
            body = [*head, (39, row.ord_status), (434, kind), (102, reason), (60, now())]
            self._sides.venue.send("9", [*body, (58, "not now")])
        else:
            if row.exec_type in ("4", "5"):
                self._open.pop(row.cl_ord_id, None)
            self._say(
                head,
                exec_type=row.exec_type,
                ord_status=row.ord_status,
                order_qty=row.order_qty,
                cum_qty=row.cum_qty or Decimal(0),
                leaves_qty=row.leaves_qty or Decimal(0),
                more=self._trade_fields(row),
                exec_id=row.exec_id,
            )
        self._settle()

    def _trade_fields(self, row: Row) -> Body:
        found: Body = [(TAGS[one], row.noted[one]) for one in _SAID_NOTES if one in row.noted]
        if row.last_qty and row.exec_type in ("F", "G", "7"):
            price = row.last_px or self._price
            found += [(32, text(row.last_qty)), (31, text(price))]
        if row.exec_ref_id:
            found.append((19, self._exec_id(row.exec_ref_id)))
        return found

    def _say(
        self,
        head: Body,
        *,
        exec_type: str,
        ord_status: str,
        order_qty: Decimal | None,
        cum_qty: Decimal,
        leaves_qty: Decimal,
        more: Body,
        exec_id: str = "",
    ) -> None:
        dialect = self._sides.dialect
        complete = cum_qty == order_qty
        market = self._sides.market
        self._sides.venue.send(
            "8",
            [
                *head,
                (17, self._exec_id(exec_id or str(next(self._numbers)))),
                *dialect.exec_type_said(exec_type, ord_status, complete=complete),
                *((39, dialect.ord_status(exec_type, ord_status)), (55, market.symbol), (54, "1")),
                *([] if order_qty is None else [(38, text(order_qty))]),
                *((14, text(cum_qty)), (151, text(leaves_qty)), (6, "0"), (60, now())),
                *more,
            ],
        )

    def _exec_id(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _venue_order_id(self, name: str) -> str:
        return f"V-{self._prefix}-{name}"

    # What the order must be then

    def _compare_order(self, row: Row) -> None:
        if not self._order:
            return
        told = self._sides.ask_status(self._name(self._order))
        self._sides.heard()
        wanted = [Wanted(tag=35, value="8"), Wanted(tag=39, value=self._status(row))]
        if row.msg_type == "8":
            ended = row.ord_status in _ENDED and row.exec_type != "8"
            leaves = Decimal(0) if ended else row.leaves_qty
            for tag, quantity in ((38, row.order_qty), (14, row.cum_qty), (151, leaves)):
                if quantity is not None:
                    wanted.append(Wanted(tag=tag, value=quantity))
            if row.avg_px is not None:
                wanted.append(Wanted(tag=6, value=row.avg_px))
        compare(row, told, self._allowed.instead(row, wanted))

    def _status(self, row: Row) -> str:
        """OrdStatus to the initiator: a request of its own is pending until it is answered."""
        pending = [*self._open.values()]
        if row.ord_status in _RANK:
            pending.append(row.ord_status)
        return max(pending, key=_RANK.__getitem__) if pending else row.ord_status
