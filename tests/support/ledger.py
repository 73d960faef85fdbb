"""What clients sent and were told, and whether clients, journal and venue agree order by order."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.integration.exchange_process import VenueProcess
from tests.support.desk import Desk

ORDERS_A_ROUND = 40


class Ledger:
    """What one client sent, and what it was told, by its own reckoning."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[str] = []
        self.cancels: dict[str, str] = {}
        self.reports: dict[str, Message] = {}
        self._read = 0

    def read(self, peer: LightPeer) -> None:
        """Take in the reports that have come, each ExecID once and always the same."""
        for message in peer.messages[self._read :]:
            if message.msg_type == "8" and message.get(150) != "I":
                exec_id = message.get(17) or ""
                known = self.reports.setdefault(exec_id, message)
                for tag in (11, 37, 39, 150, 14, 32, 31):
                    assert known.get(tag) == message.get(tag), (tag, str(known), str(message))
                told_again = known is not message
                assert not told_again or "Y" in (message.get(43), message.get(97)), str(message)
        self._read = len(peer.messages)

    def answered(self) -> bool:
        """Whether every order has a first report."""
        told = {report.get(11) for report in self.reports.values()}
        return told.issuperset(self.sent)

    def filled(self) -> dict[str, Decimal]:
        """Quantity filled by our OrderID."""
        total: dict[str, Decimal] = defaultdict(Decimal)
        for report in self.reports.values():
            if report.get(150) == "F":
                total[report.get(37) or ""] += Decimal(report.get(32) or "0")
        return total


def send_some(desk: Desk, ledgers: list[Ledger], random_: random.Random) -> None:
    """A burst of orders and cancels over both sessions, killed somewhere inside."""
    kill_at = random_.randrange(5, ORDERS_A_ROUND)
    peers = {ledger.name: desk.client(ledger.name) for ledger in ledgers}
    for n in range(ORDERS_A_ROUND):
        ledger = random_.choice(ledgers)
        peer = peers[ledger.name]
        if ledger.sent and random_.random() < 0.25:
            orig = random_.choice(ledger.sent)
            name = f"{orig}-x{n}"
            fields = [(11, name), (41, orig), (55, "ACME"), (54, "1"), (60, "20260101-00:00:00")]
            peer.send("F", fields)
        else:
            name = f"{ledger.name}-{len(ledger.sent)}"
            ledger.sent.append(name)
            price = random_.choice(["99.90", "100", "100.10"])
            tif = random_.choice(["0", "0", "3"])
            peer.send("D", order(ledger.name, name, str(random_.randrange(1, 9) * 10), price, tif))
        desk.hub.pump(random_.choice([0.0, 0.0, 0.002]))
        if n == kill_at:
            desk.kill_core()
            desk.start_core()


def order(client: str, name: str, qty: str, price: str, tif: str) -> list[tuple[int, str]]:
    return [
        (11, name),
        (1, f"{client}-1"),
        (55, "ACME"),
        (54, "1"),
        (60, "20260101-00:00:00"),
        (38, qty),
        (40, "2"),
        (44, price),
        (59, tif),
    ]


def settle(
    desk: Desk,
    exchange: VenueProcess,
    ledgers: Sequence[Ledger],
    also: Callable[[], None] = lambda: None,
) -> None:
    """Reconnect, and wait until every order is answered, nothing is in doubt and all agree.

    also: raises AssertionError as long as something else does not agree. What was lost or doubled
    stays so: then the disagreement is told in the end.
    """
    peers = {ledger.name: desk.client(ledger.name) for ledger in ledgers}
    disagreement = AssertionError("some orders have no answer, or are in doubt")

    def agreed() -> bool:
        nonlocal disagreement
        for ledger in ledgers:
            ledger.read(peers[ledger.name])
        if not all(ledger.answered() for ledger in ledgers) or _unsettled(desk):
            return False
        try:
            compare(desk, exchange, ledgers)
            also()
        except AssertionError as error:
            disagreement = error
            return False
        return True

    try:
        desk.until(agreed, "every order answered, settled and agreed on")
    except AssertionError as late:
        raise disagreement from late


def _unsettled(desk: Desk) -> bool:
    [(unsettled,)] = desk.rows(
        "SELECT (SELECT count(*) FROM child_orders WHERE in_doubt OR (is_open AND "
        "ord_status NOT IN ('0', '1'))) + (SELECT count(*) FROM orders WHERE is_open AND "
        "(in_doubt OR ord_status NOT IN ('0', '1')))"
    )
    return bool(unsettled)


def compare(desk: Desk, exchange: VenueProcess, ledgers: Sequence[Ledger]) -> None:
    """Clients, journal and venue agree one by one."""
    control = exchange.control()
    venue_orders = control.orders()
    strangers = [trade for trade in control.trades() if "RIVAL" in trade["owner"]]
    venue_trades = [one for one in control.trades() if one["cl_ord_id"] and one not in strangers]
    venue_ids = Counter(one["cl_ord_id"] for one in venue_orders)
    children = desk.rows("SELECT order_id, cl_ord_id, cum_qty, is_open FROM child_orders")
    assert max(venue_ids.values(), default=1) == 1, "an order doubled at the venue"
    at_venue = {str(one["cl_ord_id"]): Decimal(str(one["cum_qty"])) for one in venue_orders}
    for order_id, cl_ord_id, cum_qty, is_open in children:
        known = at_venue.get(str(order_id), at_venue.get(str(cl_ord_id)))
        if known is None and not is_open and cum_qty == 0:
            continue  # cancelled before it had reached the venue
        assert known == cum_qty, f"{order_id}: we say {cum_qty}, the venue {known}"
    ours = {str(row[0]) for row in desk.rows("SELECT exec_id FROM executions")}
    theirs = {str(trade["exec_id"]) for trade in venue_trades}
    assert ours == theirs, ours ^ theirs
    for ledger in ledgers:
        rows = desk.rows(
            "SELECT cl_ord_id, order_id, cum_qty FROM orders WHERE client = %s", ledger.name
        )
        first_ids = desk.rows(
            "SELECT cl_ord_id FROM order_cl_ord_ids WHERE counterparty = %s", ledger.name
        )
        missing = set(ledger.sent) - {str(row[0]) for row in [*first_ids, *rows]}
        told = [str(one) for one in ledger.reports.values() if one.get(11) in missing]
        assert not missing, f"{missing} are not in the journal, yet the client was told {told}"
        assert len(rows) == len(ledger.sent), "an order lost or doubled"
        filled = ledger.filled()
        for _, order_id, cum_qty in rows:
            assert filled.get(str(order_id), Decimal(0)) == cum_qty, order_id
    [(position,)] = desk.rows("SELECT coalesce(sum(quantity), 0) FROM positions")
    [(executed,)] = desk.rows("SELECT coalesce(sum(last_qty), 0) FROM executions WHERE NOT busted")
    assert position == executed
