"""Gate, FIX process and core: who goes around the gate, and what happens when one of them dies."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from tests.support.desk import (
    PASSWORD,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)
from tests.support.processes import eventually, fix_process_of, running_below

FAULT = 8
LISTENING = "0A"


class Bench:
    """A running desk with a client that has traded."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        desk.start_core()
        self.client = desk.client()
        answer_resync(desk, venue)
        self.order()

    @property
    def core(self) -> int:
        assert self.desk.core is not None
        return self.desk.core.pid

    def order(self) -> None:
        fields = new_order()
        self.client.send("D", fields)
        report_of(self.client, cl_ord_id(fields), "0")

    def unseen(self) -> str:
        """An order whose report the client has not had when its connection ends."""
        self.client.reads = False
        fields = new_order()
        self.client.send("D", fields)
        query = "SELECT 1 FROM fix_messages WHERE direction = 'out' AND text LIKE %s"
        like = f"%\x0111={cl_ord_id(fields)}\x01%\x01150=0\x01%"
        self.desk.until(lambda: self.desk.rows(query, like), "the report to be sent and noted")
        self.client.kill()
        self.client.reads = True
        return cl_ord_id(fields)


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        yield Bench(desk, venue)


def engine_port(bench: Bench) -> int:
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == LISTENING and words[9] in inodes_of(fix_process_of(bench.core)):
            found.append(int(words[1].partition(":")[2], 16))
    [port] = set(found)
    return port


def inodes_of(pid: int) -> set[str]:
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            links.append(str(entry.readlink()))
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def gates_of(bench: Bench) -> list[int]:
    return running_below(bench.core, "fix_sessions.gate")


def gate_of(bench: Bench) -> int:
    [gate] = gates_of(bench)
    return gate


@pytest.mark.parametrize("name", ["ALPHA", "BETA"])
def test_who_goes_around_the_gate_is_refused_and_resets_nothing(bench: Bench, name: str) -> None:
    unseen = bench.unseen()
    settings = LightSettings(
        sender_comp_id=name,
        target_comp_id="PLUMBLINE",
        username=name,
        password=PASSWORD,
        reset_on_logon=True,
    )
    port = engine_port(bench)
    for one in (settings, replace(settings, reset_on_logon=False)):
        stranger = bench.desk.hub.client("127.0.0.1", port, one)
        with pytest.raises((ConnectionError, TimeoutError)):
            stranger.logon(5.0)
        stranger.kill()
    bench.desk.client()
    report = report_of(bench.client, unseen, "0")
    assert report.poss_dup, "what the stranger's Logon would have reset"
    bench.order()
    assert bench.desk.rows("SELECT epoch FROM sessions WHERE name = 'ALPHA'") == [(0,)]
    assert "fix.reset_refused" in bench.desk.log()


def test_a_core_that_is_killed_takes_its_gate_along(bench: Bench) -> None:
    gate = gate_of(bench)
    bench.desk.kill_core()
    eventually(lambda: not Path(f"/proc/{gate}").exists(), "the gate to end")
    bench.desk.start_core()
    bench.desk.client()
    bench.order()


def test_a_gate_that_is_killed_is_replaced_and_sessions_live_on(bench: Bench) -> None:
    bench.desk.until(lambda: "fix.taken_over" in bench.desk.log(), "the hand-over")
    gate = gate_of(bench)
    os.kill(gate, signal.SIGKILL)
    bench.order()
    bench.desk.until(lambda: gates_of(bench) not in ([], [gate]), "another gate")
    bench.order()
    assert "core.gate_ended" in bench.desk.log()
    unseen = bench.unseen()
    bench.desk.client()
    report_of(bench.client, unseen, "0")
    bench.order()
    bench.desk.client("BETA")


def test_a_gate_that_does_not_live_ends_the_core_which_recovers(bench: Bench) -> None:
    unseen = bench.unseen()
    core = bench.desk.core
    assert core is not None

    def has_ended() -> bool:
        for gate in gates_of(bench):
            with suppress(ProcessLookupError):
                os.kill(gate, signal.SIGKILL)
        return core.poll() is not None

    bench.desk.until(has_ended, "the core to end")
    assert core.returncode == FAULT
    assert "the FIX gate ended" in bench.desk.log()
    bench.desk.start_core()
    bench.desk.client()
    report_of(bench.client, unseen, "0")
    bench.order()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_fix_process_that_dies_or_freezes_ends_the_core_which_recovers(
    bench: Bench, number: signal.Signals
) -> None:
    unseen = bench.unseen()
    core = bench.desk.core
    assert core is not None
    gate, fix_process = gate_of(bench), fix_process_of(bench.core)
    os.kill(fix_process, number)
    bench.desk.until(lambda: core.poll() is not None, "the core to end")
    assert core.returncode == FAULT
    for pid in (fix_process, gate):
        eventually(lambda pid=pid: not Path(f"/proc/{pid}").exists(), "it to end")  # type: ignore[misc]
    bench.desk.start_core()
    bench.desk.client()
    report_of(bench.client, unseen, "0")
    bench.order()


def test_a_frozen_core_loses_its_sessions(bench: Bench) -> None:
    """Clients and venues are free to go where another core leads."""
    fix_process = fix_process_of(bench.core)
    os.kill(bench.core, signal.SIGSTOP)
    bench.desk.until(lambda: not bench.client.is_logged_on, "the client to be cut off")
    bench.desk.until(lambda: "fix.core_frozen" in bench.desk.log(), "a word of it")
    os.kill(bench.core, signal.SIGCONT)
    eventually(lambda: not Path(f"/proc/{fix_process}").exists(), "the FIX process to end")
