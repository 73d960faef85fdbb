"""Cancel on disconnect, seen from the client's and the venue's end of the wire."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.queries.paging import Row
from oms.queries.sessions import disconnect_report
from oms.store.postgres_urls import sqlalchemy_url
from tests.support.clocked_core import ClockedDesk
from tests.support.desk import PATIENCE_S, answer_resync, cl_ord_id, new_order, report_of

PROFILE = "[clients.profile]\ncancel_on_disconnect = true\ncancel_grace_ms = 60000\n"


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ClockedDesk]:
    found = ClockedDesk(tmp_path, database_url, "2026-03-06T14:00:00", "")
    found.schedule("ALPHA", PROFILE)
    try:
        yield found
    finally:
        found.close()


class Floor:
    """A core with ALPHA logged on and two of its orders working; the test speaks for the venue."""

    def __init__(self, desk: ClockedDesk) -> None:
        self.desk = desk
        desk.start_core()
        self.client = desk.client()
        answer_resync(desk, desk.venue)
        self.orders = dict([self._order(), self._order()])

    def _order(self) -> tuple[str, str]:
        """ClOrdID of a working order and of its child."""
        venue, seen = self.desk.venue, len(self.desk.venue.messages)
        fields = new_order()
        self.client.send("D", fields)
        name = cl_ord_id(fields)
        child = venue.wait_for(lambda m: m.msg_type == "D", PATIENCE_S, seen).get(11) or ""
        self.report(child, "0", "0")
        report_of(self.client, name, "0")
        return name, child

    def report(self, child: str, exec_type: str, status: str, **more: str) -> None:
        open_qty = "100" if status == "0" else "0"
        fields = {
            37: f"V-{child}",
            11: child,
            17: f"{child}-{exec_type}-{len(self.desk.venue.messages)}",
            150: exec_type,
            39: status,
            55: "ACME",
            54: "1",
            38: "100",
            14: "0",
            151: open_qty,
            6: "0",
        } | {int(key[1:]): value for key, value in more.items()}
        self.desk.venue.send("8", list(fields.items()))

    def cancels(self) -> list[Message]:
        """The OrderCancelRequests that the venue has had."""
        return [m for m in self.desk.venue.messages if m.msg_type == "F"]

    def asked_for(self) -> dict[str, Message]:
        """One cancel of each order, once the venue has them; by the child's ClOrdID."""
        self.desk.until(lambda: len(self.cancels()) >= len(self.orders), "the cancels")
        found = {str(m.get(41)): m for m in self.cancels()}
        assert sorted(found) == sorted(self.orders.values())
        return found

    def lost(self) -> None:
        """Until the core has armed itself."""
        self.desk.until(lambda: self.session("cancel_due_at"), "the grace to begin")

    def session(self, column: str) -> object:
        [(value,)] = self.desk.rows(f"SELECT {column} FROM sessions WHERE name = 'ALPHA'")
        return value

    def still_works(self) -> None:
        """Every order is as it was, and an answer to a status request shows that."""
        for name in self.orders:
            seen = len(self.client.messages)
            self.client.send("H", [(11, name), (55, "ACME"), (54, "1")])
            assert report_of(self.client, name, "I", seen).get(39) == "0"
        assert self.cancels() == []

    def told(self, holds: Callable[[list[Row]], bool]) -> dict[str, Row]:
        """The report of what was cancelled, by ClOrdID, once that holds."""
        engine = create_engine(sqlalchemy_url(self.desk.database_url), poolclass=NullPool)
        found: list[Row] = []

        def look() -> bool:
            with engine.connect() as connection:
                found[:] = disconnect_report(connection, "ALPHA")
            return holds(found)

        self.desk.until(look, "the report of the cancels")
        return {row["cl_ord_id"]: row for row in found}

    def back(self) -> LightPeer:
        self.client = self.desk.client()
        return self.client

    def resync(self, seen: int) -> None:
        """After a restart of the core: the venue has both orders, working."""
        venue = self.desk.venue
        asked = venue.wait_for(lambda m: m.msg_type == "AF", PATIENCE_S, seen)
        for number, child in enumerate(self.orders.values(), 1):
            last = "Y" if number == len(self.orders) else "N"
            mass = {"t584": asked.get(584) or "", "t911": str(len(self.orders)), "t912": last}
            self.report(child, "I", "0", **mass)


def test_what_was_and_what_was_not_cancelled_is_told(desk: ClockedDesk) -> None:
    floor = Floor(desk)
    floor.client.kill()
    floor.lost()
    assert floor.cancels() == []
    desk.move_to("2026-03-06T14:05:00")
    asked = floor.asked_for()
    told = floor.told(lambda rows: len(rows) == 2)
    assert {row["outcome"] for row in told.values()} == {"STILL OPEN"}
    (first, child), (second, other) = floor.orders.items()
    floor.report(asked[child].get(11) or "", "4", "4", t41=child)
    trade = {"t32": "100", "t31": "100", "t14": "100", "t151": "0", "t6": "100"}
    floor.report(other, "F", "2", **trade)
    told = floor.told(lambda rows: all(row["outcome"] != "STILL OPEN" for row in rows))
    assert told[first]["outcome"] == "CANCELED"
    assert told[second]["outcome"] == "NOT CANCELED: FILLED"
    assert all(row["asked"] for row in told.values())
    client = floor.back()
    assert report_of(client, first, "4").get(39) == "4"
    assert report_of(client, second, "F").get(32) == "100"
    assert floor.session("cancel_due_at") is None


def test_who_is_back_in_time_keeps_the_orders(desk: ClockedDesk) -> None:
    floor = Floor(desk)
    floor.client.kill()
    floor.lost()
    floor.back()
    desk.until(lambda: floor.session("cancel_due_at") is None, "the grace to end")
    desk.move_to("2026-03-06T14:05:00")
    floor.still_works()


def test_a_clients_own_logout_counts_as_loss(desk: ClockedDesk) -> None:
    floor = Floor(desk)
    floor.client.logout()
    floor.lost()
    assert floor.session("closed_cause") == "PEER"
    desk.move_to("2026-03-06T14:05:00")
    floor.asked_for()


def test_our_orderly_stop_does_not(desk: ClockedDesk) -> None:
    floor = Floor(desk)
    seen = len(desk.venue.messages)
    assert desk.stop_core() == 0
    assert floor.session("closed_cause") == "OURS"
    desk.start_core()
    desk.until(lambda: desk.venue.is_logged_on, "the venue's session")
    floor.resync(seen)
    desk.move_to("2026-03-06T14:05:00")
    floor.back()
    floor.still_works()


@pytest.mark.parametrize("lost_before", [True, False])
def test_a_killed_core_goes_on_with_it(desk: ClockedDesk, lost_before: bool) -> None:
    floor = Floor(desk)
    seen = len(desk.venue.messages)
    if lost_before:
        floor.client.kill()
        floor.lost()
    desk.kill_core()
    floor.client.kill()
    desk.start_core()
    desk.until(lambda: desk.venue.is_logged_on, "the venue's session")
    floor.resync(seen)
    floor.lost()
    assert floor.cancels() == []
    desk.move_to("2026-03-06T14:05:00")
    floor.asked_for()
    desk.kill_core()
    desk.start_core()
    told = floor.told(lambda rows: len(rows) == 2)
    assert all(row["asked"] for row in told.values())
