"""Three clients and three venues, one of each in every FIX version, on one server over TCP.

The same order life for each client at each venue: the client is told in its version's own spelling,
and the journal holds the same facts for all nine.
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import LightPeer
from tests.integration.exchange_process import VenueProcess, order_fields, values_of
from tests.support.desk import PASSWORD, PATIENCE_S, Desk, new_order

CLIENTS = {"C42": "FIX.4.2", "C44": "FIX.4.4", "C50": "FIXT.1.1"}
VENUES = {"V42": "FIX.4.2", "V44": "FIX.4.4", "V50": "FIXT.1.1"}
LOGON_FIELDS = {"FIXT.1.1": ((1137, "9"),)}
# What makes two facts the same, whoever the order is of and wherever it went.
TOLD = frozenset({"order_qty", "price", "last_qty", "last_px", "reason", "side", "ord_type"})
TOLD |= {"time_in_force", "cxl_rej_reason", "replace", "excess", "late", "early"}
# ExecTransType, ExecType, OrdStatus of each report on the first order; None for an absent field.
LIFE = {
    "FIX.4.4": "-00 -F1 -EE -51 -G1 -H0 -I0 -66 -44",
    "FIX.4.2": "000 011 0EE 051 211 100 300 066 044",
}
LIFE["FIXT.1.1"] = LIFE["FIX.4.4"]


class VersionsDesk(Desk):
    """A desk whose clients and venues speak different versions; each venue has one symbol."""

    def _toml(self, venue_ports: dict[str, int]) -> str:
        head, _, rest = super()._toml({}).partition("[[clients]]")
        of_alpha = rest.partition("[[clients]]")[0]
        clients = "".join(
            f'[[clients]]\nbegin_string = "{version}"' + of_alpha.replace("ALPHA", name)
            for name, version in CLIENTS.items()
        )
        venues = "".join(
            f'[[venues]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\n'
            f'begin_string = "{VENUES[name]}"\nsender_comp_id = "OMS"\ntarget_comp_id = "{name}"\n'
            for name, port in venue_ports.items()
        )
        instruments = "".join(
            f'[[instruments]]\nsymbol = "AT-{name}"\ncurrency = "USD"\ntick = "0.01"\nlot = "1"\n'
            f'reference_px = "100"\nvenues = ["{name}"]\n'
            for name in venue_ports
        )
        return head + clients + venues + instruments

    def settings_of(self, name: str) -> LightSettings:
        """The client of FIX 4.2 does as that version has it: its password stands in RawData."""
        version = CLIENTS[name]
        settings = replace(
            super().settings_of(name),
            begin_string=version,
            logon_fields=LOGON_FIELDS.get(version, ()),
        )
        if version != "FIX.4.2":
            return settings
        raw_data = ((95, str(len(PASSWORD))), (96, PASSWORD))
        return replace(settings, username="", logon_fields=raw_data)


class Floor:
    """The desk, its venues, and at each venue a rival to trade with."""

    def __init__(self, directory: Path, database_url: str, stack: ExitStack) -> None:
        self.venues = {name: _venue(directory / name, name) for name in VENUES}
        for venue in self.venues.values():
            stack.callback(venue.end)
            venue.start()
        ports = {name: venue.port for name, venue in self.venues.items()}
        self.desk = VersionsDesk(directory, database_url, ports)
        stack.callback(self.desk.close)
        self.desk.start_core()
        self.clients = {name: self.desk.client(name) for name in CLIENTS}
        self.rivals = {name: self._rival(name) for name in VENUES}
        ready = "SELECT DISTINCT session FROM journal WHERE type = 'ResyncCompleted'"
        self.desk.until(lambda: len(self.desk.rows(ready)) == len(VENUES), "venues in step")

    def _rival(self, name: str) -> LightPeer:
        settings = LightSettings(
            sender_comp_id="RIVAL",
            target_comp_id=name,
            begin_string=VENUES[name],
            logon_fields=LOGON_FIELDS.get(VENUES[name], ()),
        )
        peer = self.desk.hub.client("127.0.0.1", self.venues[name].port, settings)
        peer.logon()
        return peer

    def until_noted(self, query: str, msg_type: str, venues: set[tuple[str]]) -> None:
        """What was sent is noted a moment after it left."""
        self.desk.until(lambda: set(self.desk.rows(query, msg_type)) == venues, f"{msg_type} sent")

    def facts(self, order_id: str) -> list[tuple[str, str]]:
        """What the journal holds of an order and its children: event and what it tells."""
        query = (
            "SELECT type, convert_from(payload, 'UTF8') FROM journal WHERE kind = 'E'"
            " AND (order_id = %s OR order_id LIKE %s) ORDER BY seq"
        )
        found = self.desk.rows(query, order_id, f"{order_id}-%")
        return [(str(kind), str(sorted(_told(json.loads(str(text)))))) for kind, text in found]


def _venue(directory: Path, name: str) -> VenueProcess:
    symbols = [{"symbol": f"AT-{name}", "reference_price": "100", "tick": "0.01"}]
    named = {"name": name, "sender_comp_id": name, "begin_string": VENUES[name]}
    return VenueProcess(values_of(directory, symbols=symbols, **named))


def _told(payload: object) -> Iterator[tuple[str, str]]:
    """The members that tell, at any depth."""
    if isinstance(payload, dict):
        for name, value in payload.items():
            if name in TOLD:
                yield name, str(value)
            else:
                yield from _told(value)


class Life:
    """One client's orders at one venue."""

    def __init__(self, floor: Floor, client: str, venue: str) -> None:
        self.floor, self.version = floor, CLIENTS[client]
        self.peer, self.rival = floor.clients[client], floor.rivals[venue]
        self.control = floor.venues[venue].control()
        self.name = f"{client}{venue}"
        self.about = {"t1": f"{client}-1", "t55": f"AT-{venue}", "t21": "1"}
        self.symbol = f"AT-{venue}"

    def order(self, number: int, qty: str = "100") -> str:
        name = f"{self.name}-{number}"
        self.peer.send("D", new_order(t11=name, t38=qty, **self.about))
        return name

    def request(self, msg_type: str, name: str, orig: str, **more: str) -> None:
        fields = new_order(t11=name, t41=orig, **(self.about | more))
        self.peer.send(msg_type, fields)

    def sell(self, qty: str) -> None:
        """The rival takes so much."""
        name = f"R-{self.name}-{self.rival.session.next_out}"
        self.rival.send("D", order_fields(name, side="2", qty=qty, symbol=self.symbol))

    def reports(self, name: str) -> list[Message]:
        """All reports on the order of that name, whatever its requests were called; each once."""
        return [
            message
            for message in self.peer.messages
            if message.msg_type == "8"
            and (message.get(11) or "").startswith(name)
            and message.get(97) != "Y"
        ]

    def told(self, name: str, count: int) -> list[str]:
        """ExecTransType, ExecType and OrdStatus of the reports, once there are so many."""
        self.peer.wait_until(
            lambda: len(self.reports(name)) >= count, PATIENCE_S, f"{name} {count}"
        )
        return ["".join(one.get(tag) or "-" for tag in (20, 150, 39)) for one in self.reports(name)]


def live(floor: Floor, client: str, venue: str) -> list[list[tuple[str, str]]]:
    """An order with everything, one that the venue refuses, one that fills: the journal's facts."""
    life = Life(floor, client, venue)
    first = life.order(1)
    life.told(first, 1)
    life.sell("40")
    life.told(first, 2)
    life.request("G", f"{first}-r", first, t38="150")
    life.told(first, 4)
    life.control.correct(last_px=Decimal("99.5"))
    life.told(first, 5)
    life.control.bust()
    life.told(first, 6)
    life.peer.send("H", [(11, f"{first}-r"), (55, life.symbol), (54, "1")])
    life.told(first, 7)
    life.request("F", f"{first}-c", f"{first}-r")
    expected = LIFE[life.version].split()
    assert life.told(first, len(expected)) == expected
    life.request("F", f"{first}-late", f"{first}-r")
    late = life.peer.wait_for(lambda m: m.msg_type == "9" and m.get(11) == f"{first}-late")
    assert (late.get(39), late.get(434), late.get(102)) == ("4", "1", "0")

    life.control.reject_next(1)
    refused = life.order(2)
    new, rejected = ("000", "088") if life.version == "FIX.4.2" else ("-00", "-88")
    assert life.told(refused, 2) == [new, rejected]

    filled = life.order(3, "50")
    life.told(filled, 1)
    life.sell("50")
    fill = "022" if life.version == "FIX.4.2" else "-F2"
    assert life.told(filled, 2) == [new, fill]
    ids = [life.reports(name)[0].get(37) or "" for name in (first, refused, filled)]
    return [floor.facts(order_id) for order_id in ids]


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[Floor]:
    with ExitStack() as stack:
        yield Floor(tmp_path, database_url, stack)


def test_one_meaning_in_every_version(floor: Floor) -> None:
    expected = live(floor, "C44", "V44")
    kinds = [kind for kind, _ in expected[0]]
    assert kinds.count("TradeExecuted") == kinds.count("TradeBusted") == 1
    for client, venue in itertools.product(CLIENTS, VENUES):
        if (client, venue) != ("C44", "V44"):
            assert live(floor, client, venue) == expected, (client, venue)


def test_a_killed_core_finds_its_orders_at_venues_of_every_version(floor: Floor) -> None:
    """FIX 4.2 has no mass status: its venue is asked for each order."""
    lives = [Life(floor, client, venue) for client, venue in zip(CLIENTS, VENUES, strict=True)]
    orders = [life.order(1) for life in lives]
    for life, order in zip(lives, orders, strict=True):
        life.told(order, 1)
    acknowledged = "SELECT 1 FROM journal WHERE type = 'OrderAcknowledged'"
    floor.desk.until(lambda: len(floor.desk.rows(acknowledged)) == len(orders), "acks of venues")
    floor.desk.kill_core()
    floor.desk.start_core()
    confirmed = "SELECT 1 FROM journal WHERE type = 'OrderConfirmed'"
    floor.desk.until(lambda: len(floor.desk.rows(confirmed)) == len(orders), "orders found again")
    asked = "SELECT DISTINCT session FROM fix_messages WHERE direction = 'out' AND msg_type = %s"
    for msg_type, venues in (("AF", {("V44",), ("V50",)}), ("H", {("V42",)})):
        floor.until_noted(asked, msg_type, venues)
    for client in CLIENTS:
        floor.desk.client(client)
    for life, order in zip(lives, orders, strict=True):
        life.request("F", f"{order}-c", order)
        pending, done = ("066", "044") if life.version == "FIX.4.2" else ("-66", "-44")
        assert life.told(order, 3)[1:] == [pending, done]
