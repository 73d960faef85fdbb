"""A client: orders, amends, cancels, repeats itself, leaves and comes back; keeps its book."""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from fix_sessions.light_session import Fields, LightSettings
from fix_sessions.wire import utc_timestamp_ms
from oms.simulation.agenda import Agenda
from oms.simulation.ledgers import OVER, Asked, ClientLedger, Seen
from oms.simulation.party import SimParty
from oms.simulation.story import Story
from oms.simulation.versions import said

_SIDES = "1125"
_TIFS = "00001346"
_CONDITIONS = ([(110, "10")], [(111, "10")], [(18, "G")], [(18, "Q")], [(18, "1")])
_SYMBOLS = ("AAPL", "AAPL", "AAPL", "MSFT", "NVDA")


class SimClient(SimParty):
    """See the module. Each act takes a number, which says what about it is left open."""

    def __init__(
        self,
        settings: LightSettings,
        accounts: tuple[str, ...],
        *,
        agenda: Agenda,
        randomness: random.Random,
        story: Story,
        flush: Callable[[], None],
    ) -> None:
        super().__init__(settings, agenda=agenda, randomness=randomness, story=story, flush=flush)
        self.ledger = ClientLedger(version=settings.begin_string)
        self.wants_session = True
        self.bundling = False
        self.late = 0.0
        self._accounts = accounts
        self._count = 0

    def receive(self, data: bytes) -> None:
        """One frame came."""
        for message in self.session.receive(data):
            if message.msg_type == "A":
                self.logged_on()
            self.ledger.note(message)
        self._flush()

    def _say(self, msg_type: str, fields: Fields, *, poss_resend: bool = False) -> None:
        made = said(self.session.settings.begin_string, msg_type, list(fields))
        self.session.send(msg_type, made, [(97, "Y")] if poss_resend else [])
        self._flush()

    def _ask(self, asked: Asked) -> None:
        self.ledger.asked[asked.cl_ord_id] = asked
        self._say(asked.msg_type, asked.fields)

    def _new_id(self) -> str:
        self._count += 1
        return f"{self.name[0].lower()}{self._count}"

    def _now(self) -> str:
        return utc_timestamp_ms(self._agenda.now_us)

    def _sent_at(self) -> str:
        """When it says that it sent an order or a replace, which may have been on its way long."""
        if self.late and self._random.random() < self.late:
            return utc_timestamp_ms(self._agenda.now_us - self._random.randrange(20_000_000))
        return self._now()

    # Acts

    def submit(self, n: int, good_till: str = "") -> None:
        """A new order; good_till: of that symbol, and until it is cancelled."""
        cl_ord_id = self._new_id()
        fields = self._order_fields(cl_ord_id, n, good_till)
        told = dict(fields)
        side = {"1": "buys", "2": "sells", "5": "sells short"}[told[54]]
        self._story.tell(
            f"{self.name} {side} {told[38]} {told[55]} at {told.get(44, 'market')}"
            f" as {cl_ord_id} (TimeInForce {told[59]})"
        )
        self._ask(Asked(cl_ord_id=cl_ord_id, msg_type="D", fields=fields, at=self._agenda.now_us))

    def bid_low(self) -> None:
        """A Day order to buy that rests: hardly anybody sells for so little."""
        cl_ord_id = self._new_id()
        fields = [
            (11, cl_ord_id),
            (1, self._accounts[0]),
            (21, "1"),
            (55, _SYMBOLS[0]),
            (54, "1"),
            (60, self._now()),
            (38, "10"),
            (40, "2"),
            (59, "0"),
            (44, "94.75"),
        ]
        self._story.tell(f"{self.name} bids low as {cl_ord_id}")
        self._ask(Asked(cl_ord_id=cl_ord_id, msg_type="D", fields=fields, at=self._agenda.now_us))

    def _order_fields(self, cl_ord_id: str, n: int, good_till: str = "") -> list[tuple[int, str]]:
        kind = "1" if n % 11 == 0 else "34"[n // 19 % 2] if n % 13 == 0 else "2"
        price = str(Decimal(95 + n % 10) + Decimal(n % 4) / 4)
        tif = "1" if good_till else _TIFS[n // 17 % len(_TIFS)]
        symbol = good_till or _SYMBOLS[n // 7 % len(_SYMBOLS)]
        more = [(44, price)] if kind in "24" else []
        if kind in "34":
            more.append((99, str(96 + n // 23 % 8)))
        if tif == "6":
            more.append((126, utc_timestamp_ms(self._agenda.now_us + 5_000_000 + n * 30)))
        if n % 29 == 0:
            more += _CONDITIONS[n // 29 % len(_CONDITIONS)]
        return [
            (11, cl_ord_id),
            (1, self._accounts[n % len(self._accounts)]),
            (21, "1"),
            (55, symbol),
            (54, _SIDES[n // 3 % len(_SIDES)]),
            (60, self._sent_at()),
            (38, str(10 * (1 + n // 13 % 20))),
            (40, kind),
            (59, tif),
            *more,
        ]

    def amend(self, n: int) -> None:
        """A cancel/replace of one of its orders, mostly of an open one."""
        seen = self._some_order(n)
        if seen is None:
            return
        cl_ord_id = self._new_id()
        quantity = str(10 * (1 + n // 7 % 25))
        price = str(Decimal(95 + n // 5 % 10))
        known = self.ledger.asked.get(seen.cl_ord_id)
        symbol = dict(known.fields).get(55, "AAPL") if known else "AAPL"
        fields = [
            (41, seen.cl_ord_id),
            (11, cl_ord_id),
            (21, "1"),
            (55, symbol),
            (54, seen.side),
            (60, self._sent_at()),
            (38, quantity),
            (40, "2"),
            (44, price),
        ]
        self._story.tell(
            f"{self.name} amends {seen.cl_ord_id} to {quantity} at {price} as {cl_ord_id}"
        )
        self._ask(
            Asked(
                cl_ord_id=cl_ord_id,
                msg_type="G",
                fields=fields,
                orig=seen.cl_ord_id,
                at=self._agenda.now_us,
            )
        )

    def cancel(self, n: int) -> None:
        """A cancel of one of its orders."""
        seen = self._some_order(n)
        if seen is None:
            return
        cl_ord_id = self._new_id()
        fields = [
            (41, seen.cl_ord_id),
            (11, cl_ord_id),
            (55, "AAPL"),
            (54, seen.side),
            (60, self._now()),
            (38, str(seen.order_qty)),
        ]
        self._story.tell(f"{self.name} cancels {seen.cl_ord_id} as {cl_ord_id}")
        self._ask(
            Asked(
                cl_ord_id=cl_ord_id,
                msg_type="F",
                fields=fields,
                orig=seen.cl_ord_id,
                at=self._agenda.now_us,
            )
        )

    def _some_order(self, n: int) -> Seen | None:
        seen = list(self.ledger.orders.values())
        if n % 8:
            seen = [one for one in seen if one.status not in OVER] or seen
        return seen[n % len(seen)] if seen else None

    def mass_cancel(self, n: int) -> None:
        """Cancel everything, or everything in one symbol."""
        fields = [(11, self._new_id()), (530, "7"), (60, self._now())]
        if n % 3 == 0:
            fields = [(11, fields[0][1]), (530, "1"), (55, "AAPL"), (60, self._now())]
        self._story.tell(f"{self.name} cancels all of its orders")
        self._say("q", fields)

    def ask_status(self, n: int) -> None:
        """The status of an order that it may or may not have."""
        known = list(self.ledger.asked)
        named = known[n % len(known)] if known and n % 9 else "nothing"
        self._story.tell(f"{self.name} asks for the status of {named}")
        self._say("H", [(11, named), (55, "AAPL"), (54, "1")])

    def repeat(self, n: int) -> None:
        """Send an earlier request again, as PossResend."""
        known = list(self.ledger.asked.values())
        if known:
            asked = known[n % len(known)]
            self._story.tell(f"{self.name} repeats {asked.cl_ord_id} with PossResend")
            asked.times += 1
            self._say(asked.msg_type, asked.fields, poss_resend=True)

    def reuse(self, n: int) -> None:
        """A ClOrdID once more, for another order or without PossResend."""
        known = [one for one in self.ledger.asked.values() if one.msg_type == "D"]
        if known:
            asked = known[n % len(known)]
            asked.reused = True
            self._story.tell(f"{self.name} uses {asked.cl_ord_id} for another order")
            self._say("D", self._order_fields(asked.cl_ord_id, n), poss_resend=n % 2 == 0)

    def send_list(self, n: int) -> None:
        """Some orders as one list, worked at once or when it says so; which it may take back."""
        list_id = self._new_id()
        count = 1 + n % 3
        waits = n % 2 == 0
        self._story.tell(f"{self.name} sends {count} orders as the list {list_id}")
        wrong = n % 7 == 3
        head = [(66, list_id), (394, "1" if wrong else "3"), (433, "2" if waits else "1")]
        numbered = range(1, count + 1)
        orders = [(one, self._order_fields(self._new_id(), n + 7 * one)) for one in numbered]
        self.ledger.listed.update(order[0][1] for _, order in orders)
        parts = [orders[:1], orders[1:]] if count > 1 and n % 5 < 2 else [orders]
        for part in parts:
            body = [*head, (68, str(count))]
            if len(parts) > 1:
                body.append((893, "Y" if part is parts[-1] else "N"))
            body.append((73, str(len(part))))
            for number, order in part:
                body += [order[0], (67, str(number)), *order[1:]]
            self._say("E", body)
        about = [(66, list_id), (60, self._now())]
        if waits:
            wait_us = 50_000 + n % 400_000
            self._agenda.after(wait_us, partial(self._say, "KL"[n // 2 % 2], about))
        self._agenda.after(700_000, partial(self._say, "M", [(66, list_id)]))

    def inquire(self, n: int) -> None:
        """One of the questions that are not about one order."""
        named = self._new_id()
        self._story.tell(f"{self.name} asks a question")
        traded = [
            (one.order_id, each) for one in self.ledger.orders.values() for each in one.trades
        ]
        order, trade = traded[n % len(traded)] if traded else ("none", "none")
        questions: list[tuple[str, list[tuple[int, str]]]] = [
            ("AF", [(584, named), (585, "7")]),
            ("x", [(320, named), (559, "4")]),
            ("g", [(335, named), (263, "0")]),
            ("AD", [(568, named), (569, "0"), (263, "0")]),
            ("Q", [(37, order), (17, trade), (127, "A")]),
        ]
        self._say(*questions[n % len(questions)])

    def reset(self, n: int) -> None:
        """Break off, and begin at 1 with the next Logon; then ask for what may be lost."""
        del n
        self._story.tell(f"{self.name} resets its session")
        self.ledger.lost = self.ledger.did_reset = True
        self.session.settings = replace(self.session.settings, reset_on_logon=True)

    def logged_on(self) -> None:
        """A reset is done once."""
        if self.session.settings.reset_on_logon:
            self.session.settings = replace(self.session.settings, reset_on_logon=False)
            self._agenda.after(1_000_000, self.settle)

    def count_on(self, count: int) -> None:
        """Its ClOrdIDs go on after that one, which another life of it has used."""
        self._count = max(self._count, count)

    def say_all_again(self) -> None:
        """What was never answered is asked again."""
        self.settle()

    def garbage(self, n: int) -> None:
        """A message that breaks a rule."""
        self._story.tell(f"{self.name} sends a message that breaks a rule")
        broken: list[list[tuple[int, str]]] = [
            [(11, self._new_id()), (55, "AAPL")],
            [(11, self._new_id()), (1, "A1"), (55, "AAPL"), (54, "1"), (38, "ten"), (40, "2")],
            [(41, "nobody"), (11, self._new_id()), (54, "1"), (60, self._now())],
        ]
        self._say("DDF"[n % 3], broken[n % 3])

    def leave(self, n: int) -> None:
        """Log out, and come back after a while."""
        if self.session.logged_on:
            self._story.tell(f"{self.name} logs out")
            self.wants_session = False
            self.session.send_logout("good night")
            self._flush()
            self._agenda.after(1_000_000 + n % 5_000_000, self._return)

    def _return(self) -> None:
        self.wants_session = True

    def skip_numbers(self, n: int) -> None:
        """SequenceReset-Reset: from here on its numbers are higher."""
        session = self.session
        if session.logged_on:
            new = session.next_out + 1 + n % 20
            self._story.tell(f"{self.name} resets its sequence to {new}")
            self._say("4", [(123, "N"), (36, str(new))])
            session.next_out = new
            session.sent.clear()
            self.ledger.skipped_at = self._agenda.now_us
            self._agenda.after(1_000_000, self.settle)

    def settle(self) -> None:
        """Ask again for what was never answered, and for every order that it sees at work."""
        for asked in list(self.ledger.asked.values()):
            if not asked.finals:
                asked.times += 1
                self._say(asked.msg_type, asked.fields, poss_resend=True)
        for seen in list(self.ledger.orders.values()):
            if seen.status not in OVER:
                self._say("H", [(11, seen.cl_ord_id), (55, "AAPL"), (54, seen.side)])
