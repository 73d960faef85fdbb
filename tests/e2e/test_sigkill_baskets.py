"""The core killed amid baskets of fifty orders: each order once at its venue, each list told once.

Once with a venue that the test speaks for, so that the core dies with some of a basket's orders
sent and the others not; and once with a simulated exchange, with whom everything has to agree,
lists being cancelled meanwhile.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.audit.verify import verify
from tests.e2e.test_core_outbox import Witness
from tests.support.baskets import list_fields
from tests.support.desk import (
    CLIENTS,
    PATIENCE_S,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_exchange,
    desk_with_light_venue,
    new_order,
)
from tests.support.ledger import Ledger, order, settle

KILLS = 4
ORDERS = 50
NOW = (60, "20260101-00:00:00")
FIGURES = frozenset({11, 14, 39, 84})


def marked(message: Message) -> bool:
    return "Y" in (message.get(97), message.get(43))


class BasketWitness(Witness):
    """Sends baskets in place of single orders; the core dies when so many are at the venue."""

    def trade(self) -> None:
        client, core = self.desk.client(), self.desk.core
        assert core is not None
        orders = [new_order(t44="90") for _ in range(ORDERS)]
        self.sent += [cl_ord_id(one) for one in orders]
        self.fields = list_fields(f"L-{len(self.sent)}", orders)
        before = self.at_venue()
        client.send("E", self.fields)
        wanted = before + self.random.choice([0, 1, 1])
        deadline = time.monotonic() + PATIENCE_S
        while self.at_venue() < wanted:  # looked for closely: all of them leave within milliseconds
            assert time.monotonic() < deadline, self.desk.log()
            self.desk.hub.pump(0.0002)
        core.send_signal(signal.SIGSTOP)
        self.desk.kill_core()
        self.desk.start_core()
        self.desk.client()
        self.desk.until(self.settled, "every order told of, and at the venue")

    def at_venue(self) -> int:
        return sum(one.msg_type == "D" for one in self.venue.messages)


@pytest.fixture
def witness(tmp_path: Path, database_url: str) -> Iterator[BasketWitness]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        desk.start_core()
        desk.client()
        answer_resync(desk, venue)
        found = BasketWitness(desk, venue, random.Random(3))
        found._read[1] = len(venue.messages)
        yield found


@pytest.mark.timeout(240)
def test_a_kill_amid_a_basket_doubles_none_of_its_orders(witness: BasketWitness) -> None:
    for _ in range(KILLS):
        witness.trade()
        witness.check()
        # As a client does that does not know whether its list has arrived.
        client = witness.desk.client()
        seen = len(client.messages)
        client.send("E", witness.fields, header=[(97, "Y")])
        status = client.wait_for(
            lambda m: m.msg_type == "N" and m.get(429) == "2", PATIENCE_S, seen
        )
        assert (status.get(431), status.get(73)) == ("3", str(ORDERS))
    assert witness.at_venue() >= KILLS * ORDERS
    acks = Counter(
        one.get(66)
        for one in witness.desk.client().messages
        if one.msg_type == "N" and one.get(429) == "1" and not marked(one)
    )
    assert max(acks.values(), default=0) <= 1, acks
    [(orders,)] = witness.desk.rows("SELECT count(*) FROM orders")
    [(children,)] = witness.desk.rows("SELECT count(*) FROM child_orders")
    assert (orders, children) == (KILLS * ORDERS, KILLS * ORDERS)


class BasketLedger(Ledger):
    """What one client was told of its lists. done: what their 429=5 said, by ListID."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lists: list[str] = []
        self.acked: Counter[str] = Counter()
        self.done: dict[str, set[str]] = {}
        self._seen = 0

    def read(self, peer: LightPeer) -> None:
        """Take in what has come; what is told again is marked and says the same."""
        for message in peer.messages[self._seen :]:
            assert message.msg_type not in {"3", "j"}, str(message)
            name = message.get(66) or ""
            if message.msg_type == "N" and message.get(429) == "1":
                self.acked[name] += not marked(message)
            elif message.msg_type == "N" and message.get(429) == "5":
                said = [
                    f"{tag}={value}" for tag, value in message.fields if tag in (11, 14, 39, 84)
                ]
                self.done.setdefault(name, set()).add(" ".join(said))
        self._seen = len(peer.messages)
        super().read(peer)

    def answered(self) -> bool:
        """Whether every order has a report, and every list is done."""
        return super().answered() and self.done.keys() >= set(self.lists)

    def send_list(self, peer: LightPeer, random_: random.Random) -> None:
        """Some trade at once, some rest; then the list is cancelled."""
        orders = []
        for _ in range(ORDERS):
            name = f"{self.name}-{len(self.sent)}"
            self.sent.append(name)
            price = random_.choice(["99.50", "99.80", "100.10"])
            tif = random_.choice(["0", "0", "3"])
            orders.append(order(self.name, name, str(random_.randrange(1, 5) * 10), price, tif))
        self.lists.append(f"{self.name}-L{len(self.lists)}")
        peer.send("E", list_fields(self.lists[-1], orders))
        peer.send("K", [(66, self.lists[-1]), NOW])


def trade_and_kill(desk: Desk, ledgers: list[BasketLedger], random_: random.Random) -> None:
    """Both clients' baskets, and their cancels, killed somewhere inside."""
    peers = {ledger.name: desk.client(ledger.name) for ledger in ledgers}
    for ledger in ledgers:
        ledger.send_list(peers[ledger.name], random_)
    for _ in range(random_.randrange(12)):
        desk.hub.pump(0.002)
    desk.kill_core()
    desk.start_core()


@pytest.mark.timeout(240)
def test_clients_journal_and_venue_agree_after_kills_amid_baskets(
    tmp_path: Path, database_url: str
) -> None:
    random_ = random.Random(9)
    with desk_with_exchange(tmp_path, database_url) as (desk, exchange):
        desk.start_core()
        ledgers = [BasketLedger(name) for name in CLIENTS]
        for _ in range(KILLS):
            trade_and_kill(desk, ledgers, random_)
            settle(desk, exchange, ledgers)
        for ledger in ledgers:
            assert len(ledger.lists) == KILLS
            assert max(ledger.acked.values(), default=0) <= 1
            assert all(len(said) == 1 for said in ledger.done.values()), ledger.done
        for kind in ("ListAccepted", "ListCanceled", "ListDone"):
            query = "SELECT count(*) FROM journal WHERE type = %s"
            assert desk.rows(query, kind) == [(KILLS * len(ledgers),)], kind
        assert desk.stop_core() == 0, desk.log()
        report = verify(database_url)
        assert report.ok, (report.faults, report.differences)
