"""Sequence numbers start over, by either side, in the middle of the day with orders open."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from fix_sessions.wire import frame, utc_timestamp_ms
from tests.support.desk import (
    PASSWORD,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)


class Bench:
    """A desk with a light venue that acknowledges orders; a core that runs."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        desk.start_core()
        self.client = desk.client("BETA")
        answer_resync(desk, venue)

    def restart(self) -> None:
        seen = len(self.venue.messages)
        self.desk.kill_core()
        self.desk.start_core()
        self.desk.client("BETA")
        self.resync(seen)

    def resync(self, seen: int) -> None:
        """The venue answers the mass status request with what it has, as it has it."""
        self.venue.wait_until(lambda: self.venue.is_logged_on, 30.0)
        asked = self.venue.wait_for(lambda m: m.msg_type == "AF", 30.0, seen)
        rows = self.desk.rows("SELECT order_id FROM child_orders WHERE is_open ORDER BY order_id")
        for number, (child,) in enumerate(rows, 1):
            last = "Y" if number == len(rows) else "N"
            mass = {584: asked.get(584) or "", 911: str(len(rows)), 912: last}
            self.report(str(child), "I", "0", **{f"t{tag}": v for tag, v in mass.items()})
        if not rows:
            answer_resync(self.desk, self.venue, seen)

    def order(self) -> tuple[str, str]:
        """A working order: its ClOrdID and its child's."""
        seen = len(self.venue.messages)
        fields = new_order(t1="BETA-1")
        self.client.send("D", fields)
        name = cl_ord_id(fields)
        report_of(self.client, name, "0")
        child = self.venue.wait_for(lambda m: m.msg_type == "D", 30.0, seen).get(11) or ""
        self.report(child, "0", "0")
        self.desk.until(lambda: self.child(child) == ("0", False), "the child to be working")
        return name, child

    def report(self, child: str, exec_type: str, status: str, **more: str) -> None:
        fields = {
            37: f"V-{child}",
            11: child,
            17: f"{child}-{exec_type}",
            150: exec_type,
            39: status,
            55: "ACME",
            54: "1",
            38: "100",
            14: "0",
            151: "100",
            6: "0",
        } | {int(key[1:]): value for key, value in more.items()}
        self.venue.send("8", list(fields.items()))

    def fill(self, name: str, child: str) -> None:
        """The order trades whole, and the client hears of it."""
        trade = {"t32": "100", "t31": "100", "t14": "100", "t151": "0", "t6": "100"}
        self.report(child, "F", "2", **trade)
        report_of(self.client, name, "F")

    def child(self, child: str) -> tuple[object, ...]:
        [row] = self.desk.rows(
            "SELECT ord_status, in_doubt FROM child_orders WHERE order_id = %s", child
        )
        return row

    def epoch(self, session: str) -> object:
        [(epoch,)] = self.desk.rows("SELECT epoch FROM sessions WHERE name = %s", session)
        return epoch


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        yield Bench(desk, venue)


def resetting(bench: Bench, name: str) -> LightPeer:
    settings = LightSettings(
        sender_comp_id=name,
        target_comp_id="PLUMBLINE",
        username=name,
        password=PASSWORD,
        heartbeat_s=10,
        reset_on_logon=True,
    )
    return bench.desk.hub.client("127.0.0.1", bench.desk.port, settings)


def test_a_client_that_may_starts_over_with_orders_open(bench: Bench) -> None:
    name, child = bench.order()
    bench.client.kill()
    bench.client = resetting(bench, "BETA")
    bench.client.logon()
    again, second = bench.order()  # MsgSeqNum 2 is new here, though it was used before
    assert bench.client.session.next_in < 10
    assert bench.epoch("BETA") == 1
    bench.fill(name, child)
    bench.fill(again, second)
    bench.client.session.settings = replace(bench.client.session.settings, reset_on_logon=False)
    bench.desk._clients["BETA"] = bench.client
    bench.restart()
    name, child = bench.order()
    bench.fill(name, child)
    numbers = bench.desk.rows(
        "SELECT epoch, direction, count(*), count(DISTINCT msg_seq_num) FROM fix_messages "
        "WHERE session = 'BETA' GROUP BY 1, 2"
    )
    assert {(epoch, way) for epoch, way, *_ in numbers} >= {(0, "in"), (1, "in"), (1, "out")}
    assert all(count == distinct for *_, count, distinct in numbers)


def test_a_client_that_may_not_is_refused_and_nothing_changes(bench: Bench) -> None:
    alpha = bench.desk.client("ALPHA")
    fields = new_order()
    alpha.send("D", fields)
    report_of(alpha, cl_ord_id(fields), "0")
    alpha.kill()
    with pytest.raises((ConnectionError, TimeoutError)):
        resetting(bench, "ALPHA").logon()
    bench.desk.client("ALPHA")
    later = new_order()
    alpha.send("D", later)
    report_of(alpha, cl_ord_id(later), "0")
    assert bench.epoch("ALPHA") == 0
    # Inside its session it may not either: QuickFIX resets first, and is put right.
    wire = [(34, "1"), (49, "ALPHA"), (52, utc_timestamp_ms(alpha.session._clock_us()))]
    logon = [(35, "A"), *wire, (56, "PLUMBLINE"), (98, "0"), (108, "10"), (141, "Y")]
    alpha.send_bytes(frame("FIX.4.4", logon))
    bench.desk.until(lambda: not alpha.is_connected, "the session to end")
    bench.desk.client("ALPHA")
    last = new_order()
    alpha.send("D", last)
    report_of(alpha, cl_ord_id(last), "0")
    assert bench.epoch("ALPHA") == 0


def test_a_client_resets_forward_in_its_session(bench: Bench) -> None:
    name, child = bench.order()
    bench.client.send("4", [(123, "N"), (36, "500")])
    bench.client.session.next_out = 500
    second, other = bench.order()
    assert bench.epoch("BETA") == 1
    bench.restart()
    # What came before the reset is not asked for again, though the epoch is new.
    bench.fill(name, child)
    bench.fill(second, other)
    assert not [m for m in bench.client.messages if m.msg_type == "8" and m.get(39) == "8"]
    third, last = bench.order()
    bench.fill(third, last)


def test_a_venue_that_starts_over_is_asked_what_it_has(bench: Bench) -> None:
    name, child = bench.order()
    seen = len(bench.venue.messages)
    bench.venue.kill()
    bench.venue.session.next_out = 1
    bench.venue.session.sent.clear()
    bench.desk.until(lambda: bench.child(child)[1], "the order to be in doubt")
    answers_with_reset(bench.venue)
    bench.venue.listen()
    bench.resync(seen)
    bench.desk.until(lambda: bench.child(child) == ("0", False), "the doubt to end")
    assert bench.epoch("XSIM") == 1
    bench.fill(name, child)
    second, other = bench.order()
    answers_as_before(bench.venue)
    bench.restart()
    assert bench.epoch("XSIM") == 1
    bench.fill(second, other)
    [(trades,)] = bench.desk.rows("SELECT count(*) FROM executions")
    assert trades == 2


def test_a_venue_resets_forward_in_its_session(bench: Bench) -> None:
    name, child = bench.order()
    seen = len(bench.venue.messages)
    bench.venue.send("4", [(123, "N"), (36, "700")])
    bench.venue.session.next_out = 700
    bench.desk.until(lambda: bench.child(child)[1], "the order to be in doubt")
    assert bench.epoch("XSIM") == 1
    bench.resync(seen)
    bench.desk.until(lambda: bench.child(child) == ("0", False), "the doubt to end")
    bench.fill(name, child)
    bench.restart()
    second, other = bench.order()
    bench.fill(second, other)


def answers_with_reset(venue: LightPeer) -> None:
    """Its answer to our Logon says 141=Y, and counts from 1 both ways; our Logon says so too."""
    session = venue.session
    plain = session._send_now
    answers = 0

    def send(msg_type: str, fields: object) -> None:
        nonlocal answers
        if msg_type != "A":
            plain(msg_type, fields)  # type: ignore[arg-type]
            return
        answers += 1
        if answers == 1:
            session.next_in = session.next_out = 1
            plain(msg_type, [*fields, (141, "Y")])  # type: ignore[misc]
        else:
            session.next_out = 2

    session._send_now = send  # type: ignore[method-assign]


def answers_as_before(venue: LightPeer) -> None:
    del venue.session._send_now
