"""Another core takes over, or the FIX stores are lost: numbers go on and every report arrives."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.app.free_ports import free_port
from tests.support.cores import Run, oms
from tests.support.desk import (
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)
from tests.support.processes import eventually, fix_process_of

FAULT = 8


class Bench:
    """A desk with a light venue, a client that has traded, and a core that leads."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        self.sent: list[str] = []
        desk.start_core()
        self.client = desk.client()
        answer_resync(desk, venue)

    def order(self) -> str:
        """An order that the client is told of."""
        fields = new_order()
        self.client.send("D", fields)
        self.sent.append(cl_ord_id(fields))
        report_of(self.client, cl_ord_id(fields), "0")
        return cl_ord_id(fields)

    def orders(self, count: int) -> None:
        for _ in range(count):
            self.order()

    def unseen(self, count: int) -> list[str]:
        """Orders whose reports the core sends to a connection that nobody reads any more."""
        self.client.reads = False
        names = []
        for _ in range(count):
            fields = new_order()
            self.client.send("D", fields)
            names.append(cl_ord_id(fields))
        self.sent += names
        self.desk.until(lambda: self.noted(names[-1]), "the reports to be sent and noted")
        self.client.kill()
        self.client.reads = True
        return names

    def noted(self, name: str) -> bool:
        rows = self.desk.rows(
            "SELECT 1 FROM fix_messages WHERE direction = 'out' AND session = 'ALPHA' "
            "AND text LIKE %s",
            f"%\x0111={name}\x01%",
        )
        return bool(rows)

    def check(self) -> None:
        """Every order was told of as new, once by its ExecID, and sessions run on."""
        self.order()
        told: dict[str, Message] = {}
        for one in self.client.messages:
            if one.msg_type == "8" and one.get(150) == "0":
                first = told.setdefault(one.get(17) or "", one)
                again = first is not one
                assert not again or "Y" in (one.get(97), one.get(43)), str(one)
        assert sorted(one.get(11) or "" for one in told.values()) == sorted(self.sent)
        numbers = [one.seq for one in self.client.messages if one.msg_type == "8"]
        assert numbers == sorted(set(numbers)), "a number was used twice"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        yield Bench(desk, venue)


def leads(run: Run) -> None:
    def look() -> bool:
        assert run.process.poll() is None, run.said()
        return '"core.leads"' in run.said()

    eventually(look, "the standby to lead")


def move(bench: Bench, port: int) -> None:
    """The client goes to the other core, as its operator would make it."""
    bench.desk.core = None
    bench.desk.port = port
    bench.client._address = ("127.0.0.1", port)
    bench.desk.client()


def test_a_standby_beside_it_takes_over_when_the_leader_is_killed(
    bench: Bench, tmp_path: Path
) -> None:
    bench.orders(3)
    with oms(tmp_path, "core", bench.desk.config) as standby:
        eventually(lambda: "waits_for_leadership" in standby.said(), "the standby to wait")
        names = bench.unseen(3)
        seen = len(bench.venue.messages)
        bench.desk.kill_core()
        leads(standby)
        bench.desk.core = None
        bench.desk.client()
        answer_resync(bench.desk, bench.venue, seen)
        report_of(bench.client, names[-1], "0")
        bench.check()
        standby.signal(signal.SIGTERM)
        bench.desk.until(lambda: standby.process.poll() is not None, "the core to end")
        assert standby.code() == 0


@pytest.mark.parametrize("where", ["elsewhere", "in the same place", "with its FIX process"])
def test_a_frozen_leader_is_taken_over_and_does_nothing_when_it_wakes(
    bench: Bench, tmp_path: Path, where: str
) -> None:
    desk = bench.desk
    bench.orders(3)
    elsewhere = where != "in the same place"
    port = free_port() if elsewhere else desk.port
    own: dict[str, object] = {"core__metrics_port": 0}
    if elsewhere:
        own |= {"acceptor__port": port, "core__data_dir": desk.directory / "other"}
    with oms(tmp_path, "core", desk.config, **own) as standby:
        eventually(lambda: "waits_for_leadership" in standby.said(), "the standby to wait")
        frozen = desk.core
        assert frozen is not None
        stopped = [frozen.pid]
        if where == "with its FIX process":
            stopped.append(fix_process_of(frozen.pid))
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        seen = len(bench.venue.messages)
        leads(standby)
        desk.until(lambda: not bench.client.is_connected, "the client to be cut off")
        move(bench, port)
        answer_resync(desk, bench.venue, seen)
        bench.orders(3)
        [(tip,)] = desk.rows("SELECT max(seq) FROM journal WHERE leader_epoch = 1")
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        desk.until(lambda: frozen.poll() is not None, "the old leader to end")
        assert frozen.returncode == FAULT, desk.log()
        bench.orders(3)
        assert desk.rows("SELECT max(seq) FROM journal WHERE leader_epoch = 1") == [(tip,)]
        bench.client.kill()
        desk.client()
        bench.check()
        faults = bench.client.faults + bench.venue.faults
        assert not faults


def test_lost_stores_cost_no_report_and_no_number(bench: Bench) -> None:
    bench.orders(3)
    names = bench.unseen(5)
    assert bench.desk.core is not None
    bench.desk.kill_core()
    shutil.rmtree(bench.desk.directory / "core")
    before = bench.client.session.next_in
    seen = len(bench.venue.messages)
    bench.desk.start_core()
    bench.desk.client()
    answer_resync(bench.desk, bench.venue, seen)
    for name in names:
        report_of(bench.client, name, "0")
    assert bench.client.messages[-1].seq > before
    bench.check()
    assert bench.client.session.next_in > 10_000


def test_stores_that_another_core_is_ahead_of_are_not_trusted(bench: Bench) -> None:
    bench.orders(3)
    old = bench.desk.directory / "core"
    kept = bench.desk.directory / "kept"
    assert bench.desk.stop_core() == 0
    shutil.copytree(old, kept)
    restart(bench)
    bench.orders(5)
    heartbeats(bench, 50)
    names = bench.unseen(3)
    bench.desk.kill_core()
    shutil.rmtree(old)
    kept.rename(old)
    restart(bench)
    for name in names:
        report_of(bench.client, name, "0")
    bench.check()


def test_numbers_of_heartbeats_are_not_used_again_where_nothing_else_was_sent(
    bench: Bench,
) -> None:
    heartbeats(bench, 50)
    bench.desk.kill_core()
    shutil.rmtree(bench.desk.directory / "core")
    restart(bench)
    assert max(one.seq for one in bench.client.messages if one.msg_type == "A") > 10_000
    bench.check()


def heartbeats(bench: Bench, count: int) -> None:
    """So many messages that no journal knows, to the client and to the venue."""
    for peer in (bench.client, bench.venue):
        for number in range(count):
            peer.send("1", [(112, f"T{number}")])
        peer.wait_for(lambda m: m.get(112) == f"T{count - 1}")


def restart(bench: Bench) -> None:
    seen = len(bench.venue.messages)
    bench.desk.start_core()
    bench.desk.client()
    answer_resync(bench.desk, bench.venue, seen)
