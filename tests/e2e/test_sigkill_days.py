"""The core killed while the trading date changes, and while a venue starts its numbers anew."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from oms.domain.commands import SYSTEM, OpenTradingDate
from tests.e2e.test_core_resets import answers_as_before, answers_with_reset
from tests.integration.exchange_process import VenueProcess, order_fields, wait_report
from tests.support.desk import CLIENTS, Desk, desk_with_exchange
from tests.support.floor import Floor, command, floor_with, trade_date
from tests.support.ledger import Ledger, order, settle

ACK = "ack_timeout_ms = 1000\n"
GOOD_TILL = 'times_in_force = ["DAY", "GTC", "IOC"]\n'
MOMENTS = ("before it is asked for", "as the first is told", "soon", "a little later")


class Nights:
    """Dates that change under a book of good-till orders, with a kill each time."""

    def __init__(self, desk: Desk, exchange: VenueProcess) -> None:
        self.desk = desk
        self.exchange = exchange
        self.random = random.Random(4)
        self.ledgers = [Ledger(name) for name in CLIENTS]
        settings = LightSettings(sender_comp_id="RIVAL", target_comp_id="XSIM", heartbeat_s=10)
        self.rival = desk.hub.client("127.0.0.1", exchange.port, settings)
        self.rival.logon()
        self.good_till: dict[str, int] = {}
        self.nights = 0

    def day(self) -> None:
        """New orders, good-till and of the day, and fills of what is there."""
        for ledger in self.ledgers:
            peer = self.desk.client(ledger.name)
            for tif in ("1", "1", "0"):
                name = f"{ledger.name}-{len(ledger.sent)}"
                ledger.sent.append(name)
                peer.send("D", order(ledger.name, name, "100", "99", tif))
                if tif == "1":
                    self.good_till[name] = self.nights
        settle(self.desk, self.exchange, self.ledgers)
        self.hit("70")

    def hit(self, qty: str) -> None:
        """A rival sells into the book."""
        name = f"R{self.nights}-{qty}"
        self.rival.send("D", order_fields(name, "2", qty, price="99"))
        wait_report(self.rival, name, "F")

    def night(self, moment: str) -> None:
        """The venue ends its day, ours is opened, and the core is killed somewhere in between."""
        self.exchange.control().expire_day()
        self.nights += 1
        tomorrow = date.fromisoformat(trade_date(self.desk)) + timedelta(days=1)
        opening = OpenTradingDate(origin=SYSTEM, trade_date=tomorrow.isoformat())
        if moment == MOMENTS[0]:
            self.desk.kill_core()
            command(self.desk, opening)
        else:
            peers = [self.desk.client(name) for name in CLIENTS]
            seen = [len(peer.messages) for peer in peers]
            command(self.desk, opening)
            self._wait(moment, lambda: _restated(peers, seen))
            self.desk.kill_core()
        self.desk.start_core()
        self.hit("10")
        settle(self.desk, self.exchange, self.ledgers, self.check)
        assert trade_date(self.desk) == tomorrow.isoformat()

    def _wait(self, moment: str, restated: Callable[[], bool]) -> None:
        if moment == MOMENTS[1]:
            self.desk.until(restated, "a restatement")
        else:
            for _ in range(self.random.randrange(3 if moment == MOMENTS[2] else 40)):
                self.desk.hub.pump(0.001)

    def check(self) -> None:
        """Every good-till order that saw a night was restated once for it, with fresh figures."""
        for ledger in self.ledgers:
            by_name: dict[str, list[str]] = {}
            for report in ledger.reports.values():
                by_name.setdefault(report.get(11) or "", []).append(report.get(150) or "")
                if report.get(150) == "D":
                    assert (report.get(378), report.get(425)) == ("1", "0"), str(report)
                    assert report.get(424) == report.get(151), str(report)
            query = "SELECT cl_ord_id, time_in_force, is_open FROM orders WHERE client = %s"
            for name, tif, is_open in self.desk.rows(query, ledger.name):
                told = by_name[str(name)].count("D")
                if tif == "1" and is_open:
                    assert told == self.nights - self.good_till[str(name)], name
                elif tif == "0":
                    assert told == 0, f"{name} is of its day only"
                    assert is_open is False, name


def _restated(peers: list[LightPeer], seen: list[int]) -> bool:
    """Whether one of the clients was told of a restatement since then."""
    heard = zip(peers, seen, strict=True)
    return any(one.get(150) == "D" for peer, since in heard for one in peer.messages[since:])


def test_good_till_orders_over_changes_of_the_date_with_kills(
    tmp_path: Path, database_url: str
) -> None:
    rivals = {"target_comp_ids": ["OMS", "RIVAL"], "liquidity": {"depth": 0}}
    with desk_with_exchange(tmp_path, database_url, **rivals) as (desk, exchange):
        text = desk.config.read_text()
        desk.config.write_text(text.replace(ACK, ACK + GOOD_TILL))
        desk.start_core()
        nights = Nights(desk, exchange)
        for moment in MOMENTS:
            nights.day()
            nights.night(moment)
        [(opened,)] = desk.rows("SELECT count(*) FROM journal WHERE type = 'TradingDateOpened'")
        assert opened == 1 + len(MOMENTS), "each date once"


class Resets:
    """A venue that starts its numbers anew whenever the core, killed, comes back."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.random = random.Random(6)
        self.ledger = Ledger("ALPHA")
        floor.venue.retells = True

    def trade(self, *, told: bool) -> None:
        """A fill of something that works at the venue, or its end."""
        working = [one for one in self.floor.venue.orders if one.leaves_qty]
        if not working:
            return
        found = self.random.choice(working)
        if self.random.random() < 0.2:
            found.closed = "4"
            if told:
                self.floor.venue.report(found, "4")
        else:
            qty = min(Decimal(self.random.randrange(1, 5) * 10), found.leaves_qty)
            self.floor.venue.trade(found, str(qty), told=told)

    def load_and_kill(self) -> None:
        """Orders go out and fills come in; the core dies, and the venue goes on."""
        kill_at = self.random.randrange(5, 20)
        for n in range(20):
            name = f"ALPHA-{len(self.ledger.sent)}"
            self.ledger.sent.append(name)
            self.floor.client.send("D", order("ALPHA", name, "100", "100", "0"))
            self.trade(told=n <= kill_at)
            self.floor.desk.hub.pump(self.random.choice([0.0, 0.0, 0.002]))
            if n == kill_at:
                self.floor.desk.kill_core()
        self.floor.desk.until(
            lambda: not self.floor.venue.peer.is_connected, "the venue to notice the core's end"
        )

    def agreed(self) -> bool:
        """The client has every answer, and everybody the same figures."""
        self.ledger.read(self.floor.client)
        if not self.ledger.answered():
            return False
        rows = self.floor.desk.rows(
            "SELECT cl_ord_id, cum_qty, is_open, in_doubt FROM child_orders"
        )
        ours = {str(row[0]): row[1:] for row in rows}
        theirs = {
            one.cl_ord_id: (one.cum_qty, one.leaves_qty > 0, False)
            for one in self.floor.venue.orders
        }
        told = self.ledger.filled()
        orders = self.floor.desk.rows("SELECT order_id, cum_qty FROM orders")
        return ours == theirs and all(told.get(str(one), Decimal(0)) == cum for one, cum in orders)


@pytest.mark.parametrize("whose", ["our Logon", "its answer"])
def test_a_venue_that_resets_its_numbers_with_kills(
    tmp_path: Path, database_url: str, whose: str
) -> None:
    profile = "[venues.profile]\nreset_on_logon = true\n" if whose == "our Logon" else ""
    with floor_with(tmp_path, database_url, venue=profile) as floor:
        resets = Resets(floor)
        for _ in range(2):
            resets.load_and_kill()
            if whose == "its answer":
                answers_with_reset(floor.venue.peer)
            floor.start()
            if whose == "its answer":
                answers_as_before(floor.venue.peer)
            floor.desk.until(resets.agreed, "client, journal and venue to agree")
        [(epoch,)] = floor.desk.rows("SELECT epoch FROM sessions WHERE name = 'XSIM'")
        assert int(str(epoch)) >= 2
        names = [one.names[0] for one in floor.venue.orders]
        assert len(set(names)) == len(names) == len(resets.ledger.sent)
        floor.verified()
