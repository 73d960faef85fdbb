"""A venue: takes orders, trades them, and behaves as badly as it was told to; keeps its book."""

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from fix_sessions.light_session import Fields, LightSettings, Message
from fix_sessions.wire import utc_timestamp_ms
from oms.simulation.agenda import Agenda
from oms.simulation.amends import Amends
from oms.simulation.copies import COPIED, SimCopy
from oms.simulation.ledgers import Standing
from oms.simulation.manners import Manners
from oms.simulation.party import SimParty
from oms.simulation.story import EXEC_TYPES, Story
from oms.simulation.strangers import Strangers
from oms.simulation.venue_texts import Told, best_prices, not_found
from oms.simulation.versions import said


class SimVenue(SimParty):
    """See the module."""

    def __init__(
        self,
        settings: LightSettings,
        manners: Manners,
        *,
        agenda: Agenda,
        randomness: random.Random,
        story: Story,
        flush: Callable[[], None],
    ) -> None:
        super().__init__(settings, agenda=agenda, randomness=randomness, story=story, flush=flush)
        self.manners = manners
        self.orders: list[Standing] = []
        self.by_id: dict[str, Standing] = {}
        self.strangers = Strangers(self)
        self.flush = flush
        self._amends = Amends(self, randomness, agenda)
        self.halted: set[str] = set()  # symbols that do not trade now
        self._trade_reports: list[Told] = []
        self.copy: SimCopy | None = None  # a session that tells of its trades too
        self._copied: set[str] = set()
        self._denied: set[str] = set()
        self._arrived: dict[str, int] = {}
        self._count = 0

    def receive(self, data: bytes) -> None:
        """One frame came."""
        for message in self.session.receive(data):
            if message.msg_type in "DFGH" or message.msg_type == "AF":
                self._later(message)
            elif message.msg_type == "Q":
                self.strangers.declined.append(message.get(17) or "")
        self._flush()

    def transact_time(self) -> str:
        return utc_timestamp_ms(self._agenda.now_us)

    def tell_story(self, what: str) -> None:
        self._story.tell(f"{self.name} {what}")

    def _maybe(self, probability: float) -> bool:
        return self._random.random() < probability

    def _wait_us(self) -> int:
        manners = self.manners
        if self._maybe(manners.late):
            return self._random.randrange(3_000_000, 20_000_000)
        return manners.speed_us // 2 + self._random.randrange(manners.speed_us + 1)

    def _later(self, message: Message) -> None:
        """It looks at a message after a while, mostly; what is asked about orders at once."""
        told = dict(message.fields)
        self._arrived.setdefault(told.get(11, ""), self._agenda.now_us)
        if message.msg_type in ("H", "AF"):
            self._look(message.msg_type, told)
        elif told.get(97) != "Y" and self._maybe(self.manners.bounce):
            self._bounce(message, told[11])
        elif self._maybe(self.manners.lose):
            self._story.tell(f"{self.name} loses {told[11]}")
        else:
            self._agenda.after(self._wait_us(), lambda: self._look(message.msg_type, told))

    def _bounce(self, message: Message, cl_ord_id: str) -> None:
        """It will not read that."""
        self._story.tell(f"{self.name} does not take the message {cl_ord_id}")
        refused = [(45, str(message.seq)), (372, message.msg_type), (379, cl_ord_id), (380, "4")]
        self.session.send("j", [*refused, (58, "not now")])
        self._flush()

    def _look(self, msg_type: str, told: Told) -> None:
        match msg_type:
            case "D":
                self._new(told)
            case "F":
                self._cancel(told)
            case "G":
                self._replace(told)
            case "H":
                self._status(self.by_id.get(told[11]), told[11])
            case _:
                self._mass_status(told[584])
        self._flush()

    # Orders

    def _new(self, told: Told) -> None:
        cl_ord_id = told[11]
        known = self.by_id.get(cl_ord_id)
        if known is not None:
            if told.get(97) == "Y":
                self._status(known, cl_ord_id)
            else:
                self.say(known, "8", {103: "6", 58: "duplicate ClOrdID"})
            return
        order = Standing(
            venue=self.name,
            cl_ord_id=cl_ord_id,
            side=told[54],
            symbol=told[55],
            order_qty=Decimal(told[38]),
            price=told.get(44, "100"),
            tif=told.get(59, "0"),
            at=self._agenda.now_us,
            ids={cl_ord_id},
        )
        self.orders.append(order)
        self.by_id[cl_ord_id] = order
        if self._maybe(self.manners.reject):
            order.closed = "8"
            self.say(order, "8", {103: "0", 58: "not today"})
            return
        if self._maybe(self.manners.pending):
            self.say(order, "A", {39: "A"})
        # Who has denied an order that it works after all says so, at least.
        if cl_ord_id in self._denied or not self._maybe(self.manners.silent):
            self.say(order, "0")
        self._plan_life(order)

    def _plan_life(self, order: Standing) -> None:
        """Trades, and whatever else may befall it."""
        if order.tif in "34":
            if self._maybe(self.manners.fill):
                self.trade(order, order.order_qty if order.tif == "4" else self._some(order))
            if order.leaves_qty:
                self._end(order, "4")
            return
        if self._maybe(self.manners.fill):
            for _ in range(1 + self._random.randrange(3)):
                wait_us = self._wait_us() * self._random.randrange(1, 40)
                self._agenda.after(wait_us, lambda: self.trade(order, self._some(order)))
        for chance, act in (
            (self.manners.end, self._end_itself),
            (self.manners.restate, self._restate),
            (self.manners.mark, self._mark),
            (self.manners.bust, self._amends.bust),
            (self.manners.correct, self._amends.correct),
        ):
            if self._maybe(chance):
                wait_us = self._wait_us() * self._random.randrange(1, 60)
                self._agenda.after(wait_us, partial(self._do, act, order))

    def _do(self, act: Callable[[Standing], None], order: Standing) -> None:
        if order.symbol not in self.halted:
            act(order)
        self._flush()

    def _some(self, order: Standing) -> Decimal:
        """A part of what is left, or all of it."""
        if self._random.random() < 0.5:
            return order.leaves_qty
        return min(order.leaves_qty, Decimal(5 * self._random.randrange(1, 12)))

    def trade(self, order: Standing, quantity: Decimal) -> None:
        """Fill some of an order."""
        if not order.leaves_qty or quantity <= 0 or order.symbol in self.halted:
            return
        if self._maybe(self.manners.overfill):
            quantity = order.leaves_qty + 10
        self._book(order, quantity)

    def _book(self, order: Standing, quantity: Decimal) -> None:
        self._count += 1
        exec_id = f"{self.name}T{self._count}"
        price = Decimal(order.price) - self._random.randrange(3)
        if self.manners.unnamed:
            price -= Decimal(self._count % 97) / 100  # else nobody could tell two of them apart
        order.trades[exec_id] = (quantity, price)
        more = {17: exec_id, 32: str(quantity), 31: str(price)}
        forgets = self._amends.forgets()
        self.say(order, "F", more, forgotten=forgets)
        if forgets:
            self._amends.of_forgotten(order)
        if self._maybe(self.manners.repeat):
            wait_us = self._wait_us() * self._random.randrange(1, 10)
            self._agenda.after(wait_us, lambda: self._do_say_again(order, more))
        self._flush()

    def _do_say_again(self, order: Standing, more: Told) -> None:
        if more[17] in order.trades:
            self.say(order, "F", more)
            self._flush()

    def _end_itself(self, order: Standing) -> None:
        if order.leaves_qty:
            self._end(order, self._random.choice("4C3"))

    def _end(self, order: Standing, status: str) -> None:
        left, order.closed = order.leaves_qty, status
        self.say(order, status)
        if status == "3" and self._maybe(0.5):
            self.say(order, "B", {39: "B"})
        self._fill_late(order, left)

    def _fill_late(self, order: Standing, left: Decimal) -> None:
        """A trade of before the end is told after it."""
        if left and order.symbol not in self.halted and self._maybe(self.manners.late_fill):
            self._book(order, min(left, Decimal(5)))

    def _restate(self, order: Standing) -> None:
        if order.leaves_qty and self._maybe(0.5):
            order.price = str(Decimal(order.price) + self._random.choice((-1, 1)))
            self.say(order, "D", {378: "3"})
        elif order.leaves_qty > 10:
            order.order_qty -= 10
            self.say(order, "D", {378: "5"})

    def _mark(self, order: Standing) -> None:
        if order.leaves_qty:
            kind = self._random.choice("79")
            self.say(order, kind, {39: kind})

    # Requests

    def _cancel(self, told: Told) -> None:
        order = self.by_id.get(told[41])
        if order is None:
            self._refuse(told, "8", "1", "1")
            return
        self.by_id[told[11]] = order
        order.ids.add(told[11])
        if not order.leaves_qty:
            self._refuse(told, order.status, "0", "1")
        elif self._maybe(self.manners.refuse):
            self._refuse(told, order.status, "2", "1")
        else:
            if self._maybe(self.manners.pending):
                self.say(order, "6", {39: "6", 11: told[11], 41: order.cl_ord_id})
            left = order.leaves_qty
            orig, order.cl_ord_id, order.closed = order.cl_ord_id, told[11], "4"
            if not self._is_silent(order, told):
                self.say(order, "4", {41: orig})
            self._fill_late(order, left)

    def _replace(self, told: Told) -> None:
        order = self.by_id.get(told[41])
        if order is None:
            self._refuse(told, "8", "1", "2")
            return
        self.by_id[told[11]] = order
        order.ids.add(told[11])
        quantity = Decimal(told[38])
        if order.closed or not (order.leaves_qty or quantity > order.cum_qty):
            self._refuse(told, order.status, "0", "2")
        elif self._maybe(self.manners.refuse):
            self._refuse(told, order.status, "2", "2")
        else:
            if self._maybe(self.manners.pending):
                self.say(order, "E", {39: "E", 11: told[11], 41: order.cl_ord_id})
            orig, order.cl_ord_id = order.cl_ord_id, told[11]
            order.order_qty = max(quantity, order.cum_qty)
            order.price = told.get(44, order.price)
            if not self._is_silent(order, told):
                self.say(order, "5", {41: orig})
            if self._maybe(self.manners.fill):
                wait_us = self._wait_us() * self._random.randrange(1, 20)
                self._agenda.after(wait_us, lambda: self.trade(order, self._some(order)))

    def _is_silent(self, order: Standing, told: Told) -> bool:
        """Who has shown an order without a request that it takes up after all says so, at least."""
        silent = self._maybe(self.manners.silent)
        return silent and order.shown_at < self._arrived.get(told[11], 0)

    def _refuse(self, told: Told, status: str, reason: str, kind: str) -> None:
        self._story.tell(f"{self.name} refuses {told[11]}")
        if self._maybe(self.manners.silent):
            return
        known = self.by_id.get(told[41])
        self._send(
            "9",
            {
                37: f"V{known.at}" if known else "NONE",
                11: told[11],
                41: told[41],
                39: status,
                434: kind,
                102: reason,
                60: self.transact_time(),
            },
        )

    # Answers

    def _status(self, order: Standing | None, cl_ord_id: str, more: Told | None = None) -> None:
        if order is not None:
            order.shown_at = self._agenda.now_us
            self.say(order, "I", more)
            return
        self._denied.add(cl_ord_id)
        self._send("8", not_found(cl_ord_id, self._agenda.now_us) | (more or {}))

    def _mass_status(self, request_id: str) -> None:
        working = [one for one in self.orders if one.leaves_qty]
        for order in working:
            self._status(order, order.cl_ord_id, {584: request_id, 911: str(len(working))})
        if not working:
            self._status(None, "", {584: request_id, 911: "0"})

    def quote(self, n: int) -> None:
        """Its best bid and offer in a share."""
        self.session.send("W", best_prices(n))
        self._flush()

    def report_unknown(self, n: int) -> None:
        """Something about an order that is not ours."""
        self.strangers.act(n)
        self._flush()

    def say_all_again(self) -> None:
        """Every report of a trade, and of its bust or correction, once more; and that it works what
        it has denied.
        """
        for order in self.orders:
            if order.leaves_qty and not order.ids.isdisjoint(self._denied):
                self.say(order, "0")
        for report in self._trade_reports:
            self._send("8", report, [(97, "Y")])
        self._flush()

    def say(
        self, order: Standing, kind: str, more: Told | None = None, *, forgotten: bool = False
    ) -> None:
        """An ExecutionReport with that ExecType (150). forgotten: by the drop copy alone."""
        self._count += 1
        cum_qty, leaves_qty = order.cum_qty, order.leaves_qty
        if self._maybe(self.manners.lie):
            cum_qty += 10
        report = {
            37: f"V{order.at}",
            11: order.cl_ord_id,
            17: f"{self.name}E{self._count}",
            150: kind,
            39: order.status,
            55: order.symbol,
            54: order.side,
            38: str(order.order_qty),
            44: order.price,
            14: str(cum_qty),
            151: str(leaves_qty),
            6: "0",
            60: self.transact_time(),
        } | (more or {})
        amount = f" {report[32]} of" if 32 in report else ""
        quietly = ", and does not say so" if forgotten else ""
        what = f"{EXEC_TYPES[kind]}{amount} {report[11] or 'nothing'}{quietly}"
        self._story.tell(f"{self.name} {what}")
        if kind in COPIED:
            if not forgotten:
                self._trade_reports.append(report)
            if not self.manners.unnamed:
                report[880] = f"M{report.get(19, report[17])}"
            fresh = report[17] not in self._copied
            if self.copy is not None and fresh and order.cl_ord_id not in self.strangers.by_id:
                self._copied.add(report[17])
                self.copy.tell(report)
        if not forgotten:
            self._send("8", report)

    def _send(self, msg_type: str, told: Told, header: Fields = ()) -> None:
        version = self.session.settings.begin_string
        fields = said(version, msg_type, [one for one in told.items() if one[1]])
        self.session.send(msg_type, fields, header)
