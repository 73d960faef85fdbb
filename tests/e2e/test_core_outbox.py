"""What is between commit and delivery when the core dies: told again with PossResend, never lost.

Random kills find that moment: the load is such that something is always on its way. Clients and the
venue note by which mark each message came, and the journal says what had been noted as sent.
"""

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.support.desk import Desk, answer_resync, cl_ord_id, desk_with_light_venue, new_order

KILLS = 8
ORDERS = 25


class Witness:
    """Client and venue, who remember every message by its identity and the marks it came with."""

    def __init__(self, desk: Desk, venue: LightPeer, random_: random.Random) -> None:
        self.desk = desk
        self.venue = venue
        self.random = random_
        self.sent: list[str] = []
        self.reports: dict[str, list[Message]] = {}
        self.orders: dict[str, list[Message]] = {}
        self._read = [0, 0]
        self._asked = 0

    def look(self) -> None:
        """Take in what has come; the venue answers what it is asked."""
        client = self.desk._clients["ALPHA"]
        for one in client.messages[self._read[0] :]:
            if one.msg_type == "8" and one.get(150) != "I":
                self.reports.setdefault(one.get(17) or "", []).append(one)
        self._read[0] = len(client.messages)
        position, self._read[1] = self._read[1], len(self.venue.messages)
        for number, one in enumerate(self.venue.messages[position:], position):
            name = one.get(11) or ""
            if one.msg_type == "D":
                self.orders.setdefault(name, []).append(one)
            elif one.msg_type == "H":
                self.tell(name)
            elif one.msg_type == "AF":
                answer_resync(self.desk, self.venue, number)

    def tell(self, child: str) -> None:
        """The state of one order: working if it has come, else unknown."""
        working = [(39, "0"), (14, "0"), (151, "100")]
        unknown = [(39, "8"), (103, "5"), (14, "0"), (151, "0")]
        found = working if child in self.orders else unknown
        fields = [(37, f"V-{child}"), (11, child), (17, "0"), (150, "I"), (55, "ACME"), (54, "1")]
        self.venue.send("8", [*fields, *found, (6, "0")])

    def trade(self) -> None:
        """Orders, the core killed somewhere among them, or between the freezing and the thaw."""
        client = self.desk.client()
        core = self.desk.core
        assert core is not None
        kill_at = self.random.randrange(ORDERS)
        for number in range(ORDERS):
            fields = new_order()
            self.sent.append(cl_ord_id(fields))
            client.send("D", fields)
            self.desk.hub.pump(self.random.choice([0.0, 0.001, 0.003]))
            if number == kill_at:
                if self.random.random() < 0.5:
                    core.send_signal(signal.SIGSTOP)
                self.desk.kill_core()
        self.desk.start_core()
        self.desk.client()
        self.desk.until(self.settled, "every order told of, and at the venue")

    def settled(self) -> bool:
        self.look()
        told = {one[0].get(11) for one in self.reports.values() if one[0].get(150) == "0"}
        [(doubt,)] = self.desk.rows("SELECT count(*) FROM child_orders WHERE in_doubt")
        [(children,)] = self.desk.rows("SELECT count(*) FROM child_orders")
        return told.issuperset(self.sent) and not doubt and children == len(self.orders)

    def check(self) -> int:
        """The invariants; how many reports were told again as PossResend."""
        resent = 0
        for exec_id, ones in self.reports.items():
            first = ones[0]
            resent += any(one.get(97) == "Y" for one in ones)
            for later in ones[1:]:
                marked = "Y" in (later.get(97), later.get(43))
                assert marked, f"{exec_id} came twice without a mark: {later}"
                assert all(first.get(tag) == later.get(tag) for tag in (11, 37, 150, 39, 14))
        news = [ones[0].get(11) for ones in self.reports.values() if ones[0].get(150) == "0"]
        assert sorted(map(str, news)) == sorted(self.sent), "each order is told of once"
        for child, ones in self.orders.items():
            unmarked = [one for one in ones if "Y" not in (one.get(97), one.get(43))]
            assert len(unmarked) <= 1, f"{child} came twice without a mark"
        return resent


@pytest.fixture
def witness(tmp_path: Path, database_url: str) -> Iterator[Witness]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        desk.start_core()
        desk.client()
        answer_resync(desk, venue)
        found = Witness(desk, venue, random.Random(6))
        found._read[1] = len(venue.messages)
        yield found


@pytest.mark.timeout(240)
def test_what_was_committed_and_not_noted_comes_again_as_possresend(witness: Witness) -> None:
    noted_before = 0
    for _ in range(KILLS):
        witness.trade()
        resent = witness.check()
        noted = witness.desk.rows(
            "SELECT seq FROM fix_messages WHERE direction = 'out' AND session = 'ALPHA' "
            "AND msg_type = '8' GROUP BY seq HAVING count(*) > 1"
        )
        assert not noted, "what was noted as sent was sent again"
        assert resent >= noted_before
        noted_before = resent
    assert resent > 0, "no kill fell between commit and note: the test has shown nothing"
