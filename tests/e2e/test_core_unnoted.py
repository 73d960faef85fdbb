"""A cancel or replace went to a venue, and the core died before it had noted that.

Nothing in the journal says that the request left. Either it reached the venue, which tells what
became of it; or it did not, and must not be waited for: a cancel goes there again, of a replace its
client is told that it failed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.support.desk import (
    PATIENCE_S,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)
from tests.support.processes import eventually

ATTEMPTS = 10
NEW, CANCELED, REPLACED, STATUS = "0", "4", "5", "I"
CANCEL, REPLACE = "F", "G"


class Bench:
    """A client's order that works at a venue, and a request on it that the core forgets."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        desk.start_core()
        self.client = desk.client()
        answer_resync(desk, venue)
        self.order = ""
        self.name = ""

    def forgotten(self, msg_type: str) -> Message:
        """The request as the venue has it, of a core that died before it noted that."""
        for _ in range(ATTEMPTS):
            self._work()
            asked = self._ask_and_kill(msg_type)
            text = f"%\x0135={msg_type}\x01%\x0111={asked.get(11)}\x01%"
            if not self._noted("XSIM", text):
                return asked
            self.back(asked, asked.get(11), CANCELED)
        raise AssertionError("noted before the core was killed, again and again")

    def _noted(self, session: str, text: str) -> object:
        query = "SELECT 1 FROM fix_messages WHERE direction = 'out' AND session = %s "
        return self.desk.rows(query + "AND text LIKE %s", session, text)

    def _work(self) -> None:
        """An order that has come to the venue, all of which is noted: the next note is far off."""
        seen = len(self.venue.messages)
        fields = new_order()
        self.order = cl_ord_id(fields)
        self.client.send("D", fields)
        order = self.venue.wait_for(lambda m: m.msg_type == "D", PATIENCE_S, seen)
        self.tell(order, order.get(11), NEW)
        query = "SELECT 1 FROM child_orders WHERE cl_ord_id = %s AND ord_status = '0'"
        self.desk.until(lambda: self.desk.rows(query, order.get(11)), "the order to work")
        report = f"%\x0111={self.order}\x01%"
        self.desk.until(lambda: self._noted("ALPHA", report), "the report to be noted")

    def _ask_and_kill(self, msg_type: str) -> Message:
        self.name = f"{self.order}-{msg_type}"
        fields = new_order(t11=self.name, t38="200" if msg_type == REPLACE else "100")
        seen = len(self.venue.messages)
        self.venue.on_message = lambda m: self._kill() if m.msg_type == msg_type else None
        self.client.send(msg_type, [*fields, (41, self.order)])
        asked = self.venue.wait_for(lambda m: m.msg_type == msg_type, PATIENCE_S, seen)
        self.venue.on_message = None
        return asked

    def _kill(self) -> None:
        core = self.desk.core
        assert core is not None
        core.kill()
        eventually(lambda: core.poll() is not None, "the core's end")

    def tell(
        self, about: Message, name: str | None, exec_type: str, *, all_of_them: str = ""
    ) -> None:
        """The venue's word on an order: what happened, or the one answer to `all_of_them`."""
        qty = "200" if exec_type == REPLACED else "100"
        fields = [
            (37, f"V-{self.order}"),
            (11, name or ""),
            (41, about.get(41) or ""),
            (17, "0" if all_of_them else f"{name}-{exec_type}"),
            (150, STATUS if all_of_them else exec_type),
            (39, NEW if exec_type == REPLACED else exec_type),
            (55, "ACME"),
            (54, "1"),
            (38, qty),
            (14, "0"),
            (151, "0" if exec_type == CANCELED else qty),
            (6, "0"),
        ]
        if all_of_them:
            fields += [(584, all_of_them), (911, "1"), (912, "Y")]
        self.venue.send("8", [one for one in fields if one[1]])

    def back(self, about: Message, name: str | None, exec_type: str) -> None:
        """A new core, whose question for all orders the venue answers with this one."""
        seen = len(self.venue.messages)
        self.desk.start_core()
        self.desk.client()
        asked = self.venue.wait_for(lambda m: m.msg_type == "AF", PATIENCE_S, seen)
        self.tell(about, name, exec_type, all_of_them=asked.get(584) or "")

    def status(self) -> object:
        """OrdStatus (39), quantity and doubt of the client's order, and how many ask for what."""
        query = (
            "SELECT o.ord_status, o.order_qty::text, o.in_doubt OR c.in_doubt, c.is_open "
            "FROM orders o JOIN child_orders c ON c.parent_id = o.order_id "
            "WHERE o.cl_ord_id IN (%s, %s)"
        )
        return self.desk.rows(query, self.order, self.name)

    def answers(self) -> list[Message]:
        """What the client was told of its request in the end, each report once."""
        told = {
            m.get(17) or str(m.seq): m
            for m in self.client.messages
            if m.msg_type in {"8", "9"} and m.get(11) == self.name and m.get(150) not in {"6", "E"}
        }
        return list(told.values())


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        yield Bench(desk, venue)


@pytest.mark.parametrize("reported", [True, False], ids=["with a report", "by its status alone"])
@pytest.mark.parametrize(("msg_type", "outcome"), [(CANCEL, CANCELED), (REPLACE, REPLACED)])
def test_a_request_that_reached_the_venue_is_done(
    bench: Bench, msg_type: str, outcome: str, reported: bool
) -> None:
    asked = bench.forgotten(msg_type)
    if reported:
        bench.tell(asked, asked.get(11), outcome)
    bench.back(asked, asked.get(11), outcome)
    report_of(bench.client, bench.name, outcome)
    done = [("4", "100", False, False)] if outcome == CANCELED else [("0", "200", False, True)]
    bench.desk.until(lambda: bench.status() == done, f"{done}, not {bench.status()}")
    assert [m.get(150) for m in bench.answers()] == [outcome]


def test_a_cancel_that_did_not_reach_the_venue_goes_there_again(bench: Bench) -> None:
    asked = bench.forgotten(CANCEL)
    bench.venue.session.next_in = asked.seq
    seen = len(bench.venue.messages)
    bench.back(asked, asked.get(41), NEW)
    again = bench.venue.wait_for(lambda m: m.msg_type == CANCEL, PATIENCE_S, seen)
    assert not again.poss_dup
    assert again.get(11) != asked.get(11)
    bench.tell(again, again.get(11), CANCELED)
    report_of(bench.client, bench.name, CANCELED)
    assert [m.get(150) for m in bench.answers()] == [CANCELED]


def test_a_replace_that_did_not_reach_the_venue_is_told_to_its_client(bench: Bench) -> None:
    asked = bench.forgotten(REPLACE)
    bench.venue.session.next_in = asked.seq
    bench.back(asked, asked.get(41), NEW)
    reject = bench.client.wait_for(
        lambda m: m.msg_type == "9" and m.get(11) == bench.name, PATIENCE_S
    )
    assert (reject.get(434), reject.get(39)) == ("2", "0")
    still = [("0", "100", False, True)]
    bench.desk.until(lambda: bench.status() == still, f"{still}, not {bench.status()}")
    seen = len(bench.venue.messages)
    bench.client.send(REPLACE, [*new_order(t38="300"), (41, bench.order)])
    bench.venue.wait_for(lambda m: m.msg_type == REPLACE, PATIENCE_S, seen)
    assert len(bench.answers()) == 1
