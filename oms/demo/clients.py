"""The demo's FIX clients: a process of its own, several light sessions, each with its own books.

    python -m oms.demo.clients PLAN

PLAN is a JSON file. Standard input takes `limit N` (how many orders may have been sent so far) and
`finish`; standard output tells in JSON lines how it goes. Sessions that break are opened again, and
what was not answered is sent again with PossResend (97) = Y, as any careful client does.
"""

import contextlib
import json
import os
import selectors
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from fix_sessions.light_session import LightSettings, Message, wall_clock_us
from fix_sessions.light_socket import Hub, LightPeer
from fix_sessions.wire import utc_timestamp_ms
from oms.demo.ledger import Ledger, OrderSeen
from oms.demo.plan import Change, PlannedOrder, order_from_json

IN_FLIGHT = 8
TELL_EVERY_S = 0.1
TRY_AGAIN_S = 0.1
LOGON_LIMIT_S = 5.0
LOGOUT_LIMIT_S = 5.0
# A change follows its order after so many later ones, so that it meets all states of an order.
CHANGE_AFTER = 5
POSS_RESEND = ((97, "Y"),)


class Client:
    """One session: what it is still to send, and its books."""

    def __init__(self, peer: LightPeer, name: str, orders: list[PlannedOrder]) -> None:
        self.name = name
        self.peer = peer
        self.ledger = Ledger(name)
        self.waiting = deque(orders)
        self.sent = 0
        self.unanswered: dict[str, tuple[str, list[tuple[int, str]]]] = {}
        self.has_status = True
        self.logons = 0
        self._changes: dict[str, deque[Change]] = {}
        self._due: deque[tuple[int, str]] = deque()
        self._changes_made = 0
        self._was_up = False
        self._try_at = self._give_up_at = 0.0
        peer.keep = False
        peer.on_message = self._on_message

    @property
    def is_up(self) -> bool:
        return self.peer.is_logged_on

    @property
    def has_more(self) -> bool:
        return bool(self.waiting or self._due)

    # The connection

    def keep_up(self, now: float) -> None:
        """Connect when down, give up a Logon that nobody answers, resend when up again."""
        if self.is_up and not self._was_up:
            self._was_up = True
            self.logons += 1
            self._resend()
        elif not self.is_up and self._was_up:
            self._was_up = False
            self.has_status = False
            self.ledger.disturb()
        if self.is_up:
            return
        if self.peer.is_connected:
            if now >= self._give_up_at:
                self.peer.kill()
        elif now >= self._try_at:
            self._try_at = now + TRY_AGAIN_S
            self._give_up_at = now + LOGON_LIMIT_S
            with contextlib.suppress(OSError):
                self.peer.connect(timeout_s=0)

    def _resend(self) -> None:
        if self.logons == 1:
            return
        for msg_type, fields in list(self.unanswered.values()):
            self.peer.session.send(msg_type, fields, POSS_RESEND)
        last = next(reversed(self.ledger.orders.values()), None)
        if last is None:
            self.has_status = True
            return
        fields = [(11, last.cl_ord_id), (55, last.symbol), (54, last.side), (790, "HOW")]
        self.peer.send("H", fields)

    # Out

    def send_due(self, budget: int) -> int:
        """Send changes that are due and orders as far as allowed; how many orders left."""
        if not self.is_up:
            return 0
        while self._due and (self._due[0][0] <= self.sent or not self.waiting):
            self._send_change(self._due.popleft()[1])
        count = 0
        while self.waiting and count < budget and len(self.unanswered) < IN_FLIGHT:
            self._send_order(self.waiting.popleft())
            count += 1
        self.peer.flush()
        return count

    def _send_order(self, order: PlannedOrder) -> None:
        fields = [
            (11, order.cl_ord_id),
            (1, order.account),
            (21, "1"),
            (55, order.symbol),
            (54, order.side),
            (60, utc_timestamp_ms(wall_clock_us())),
            (38, order.order_qty),
            (40, order.ord_type),
            (59, order.time_in_force),
        ]
        if order.price:
            fields.append((44, order.price))
        seen = OrderSeen(
            cl_ord_id=order.cl_ord_id,
            client=order.client,
            account=order.account,
            symbol=order.symbol,
            side=order.side,
            order_qty=order.order_qty,
            price=order.price,
        )
        if order.changes:
            self._changes[order.cl_ord_id] = deque(order.changes)
        self.ledger.sent_order(seen, time.perf_counter_ns())
        self.unanswered[order.cl_ord_id] = ("D", fields)
        self.peer.session.send("D", fields)
        self.sent += 1

    def _send_change(self, cl_ord_id: str) -> None:
        order, changes = self.ledger.orders[cl_ord_id], self._changes[cl_ord_id]
        if not order.is_open or not changes:
            return
        change = changes.popleft()
        self._changes_made += 1
        name = f"{cl_ord_id}-{'G' if change.order_qty else 'F'}{self._changes_made}"
        fields = [
            (11, name),
            (41, order.names[-1]),
            (1, order.account),
            (55, order.symbol),
            (54, order.side),
            (60, utc_timestamp_ms(wall_clock_us())),
        ]
        kind = "F"
        if change.order_qty:
            kind = "G"
            fields += [(21, "1"), (38, change.order_qty), (40, "2"), (44, change.price)]
        self.ledger.sent_change(kind, name, order, time.perf_counter_ns())
        self.unanswered[name] = (kind, fields)
        self.peer.session.send(kind, fields)

    # In

    def _on_message(self, message: Message) -> None:
        fields = dict(message.fields)
        order = None
        match message.msg_type:
            case "8":
                order = self.ledger.report(fields, message.at_ns)
                if fields.get(790):
                    self.has_status = True
            case "9":
                order = self.ledger.cancel_reject(fields, message.at_ns)
            case "3" | "j":
                self.ledger.refused(message.msg_type, fields)
            case _:
                return
        name = fields.get(11, "")
        first_answer = self.unanswered.pop(name, None) is not None
        if order is not None and order.cl_ord_id in self._changes:
            self._plan_change(order, name, first=first_answer)

    def _plan_change(self, order: OrderSeen, name: str, *, first: bool) -> None:
        """The first change follows the acknowledgement, each other one the end of the last."""
        request = self.ledger.requests[name]
        done = request.final and (first if request.kind == "D" else True)
        if done and self._changes[order.cl_ord_id]:
            self._due.append((self.sent + CHANGE_AFTER, order.cl_ord_id))


class Clients:
    """All sessions, and the line to who started them."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.hub = Hub()
        orders = [order_from_json(one) for one in plan["orders"]]
        self.clients = [
            Client(
                self.hub.client(
                    plan["host"],
                    plan["port"],
                    LightSettings(
                        sender_comp_id=name,
                        target_comp_id=plan["target_comp_id"],
                        username=name.lower(),
                        password=plan["password"],
                        heartbeat_s=10,
                    ),
                ),
                name,
                [one for one in orders if one.client == name],
            )
            for name in plan["clients"]
        ]
        self._ledger_file = Path(plan["ledger_file"])
        self._marks = deque(plan["marks"])
        self._limit = 0
        self._sent = 0
        self._finish = False
        self._tell_at = 0.0
        self._told_up = True

    def run(self) -> None:
        """Until `finish`, or until nobody listens any more."""
        self.hub.watch(sys.stdin.fileno(), selectors.EVENT_READ, self._on_request)
        while not self._finish:
            now = time.monotonic()
            for client in self.clients:
                client.keep_up(now)
            for client in self.clients:
                self._sent += client.send_due(self._limit - self._sent)
            self._tell_news(now)
            self.hub.pump(0.02)
        for client in self.clients:
            with contextlib.suppress(TimeoutError):
                client.peer.logout(LOGOUT_LIMIT_S)
        self._write()
        self._tell({"finished": True})

    def _on_request(self) -> None:
        data = os.read(sys.stdin.fileno(), 4096).decode()
        if not data:
            raise SystemExit(0)
        for line in data.splitlines():
            word, _, value = line.partition(" ")
            if word == "limit":
                self._limit = int(value)
            self._finish = self._finish or word == "finish"

    def _tell_news(self, now: float) -> None:
        """Regularly, and at once where a mark is passed or all are well again after an outage."""
        up = all(one.is_up and one.has_status for one in self.clients)
        news = up != self._told_up
        while self._marks and self._sent >= self._marks[0]:
            self._marks.popleft()
            news = True
        if news or now >= self._tell_at:
            self._told_up = up
            self._tell_at = now + TELL_EVERY_S
            self._tell(self._state(up=up))

    def _state(self, *, up: bool) -> dict[str, Any]:
        ledgers = [one.ledger for one in self.clients]
        return {
            "at_ns": time.monotonic_ns(),
            "up": up,
            "logons": sum(one.logons for one in self.clients),
            "sent": self._sent,
            "answered": sum(one.answered for one in ledgers),
            "fills": sum(len(one.trades) for one in ledgers),
            "unsettled": sum(len(one.unsettled) for one in ledgers),
            "open_orders": sum(one.open_orders for one in ledgers),
            "has_more": any(one.has_more for one in self.clients),
        }

    def _tell(self, values: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()

    def _write(self) -> None:
        values = {"clients": [one.ledger.as_json() for one in self.clients]}
        self._ledger_file.write_text(json.dumps(values), encoding="utf-8")


def main() -> None:
    """Read the plan and run."""
    Clients(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).run()


if __name__ == "__main__":
    main()
