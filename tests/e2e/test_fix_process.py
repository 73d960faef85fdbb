"""The FIX process beside the core: signals to all, a journal that stands still, huge numbers."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fix_sessions.light_socket import LightPeer
from tests.support.desk import (
    Desk,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)
from tests.support.processes import ROOT, eventually, fix_process_of, running_below

FAULT = 8
FLOOD = 4_000
BEATS = 6


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    with desk_with_light_venue(tmp_path, database_url) as (found, _):
        yield found


def beating(desk: Desk, name: str) -> LightPeer:
    """A client that is gone where it hears nothing for two seconds."""
    settings = replace(desk.settings_of(name), heartbeat_s=1)
    peer = desk.hub.client("127.0.0.1", desk.port, settings)
    desk._clients[name] = peer
    return desk.client(name)


@pytest.mark.timeout(180)
def test_a_journal_that_stands_still_costs_no_session_and_bounded_memory(desk: Desk) -> None:
    desk.start_core()
    quiet, client = beating(desk, "BETA"), beating(desk, "ALPHA")
    names = [cl_ord_id(new_order()) for _ in range(FLOOD)]
    with psycopg.connect(desk.database_url) as connection:
        connection.execute("LOCK TABLE journal")
        for name in names:
            client.send("D", new_order(t11=name))
        assert desk.core is not None
        began = rss_kb(desk.core.pid)
        seen = len(quiet.messages)
        desk.until(lambda: len(quiet.messages) >= seen + BEATS, "heartbeats go on")
        assert rss_kb(desk.core.pid) - began < 60_000
        assert not quiet.session.close_reason
        assert not client.session.close_reason
    waiting = set(names)
    position = 0

    def all_told() -> bool:
        nonlocal position
        waiting.difference_update(m.get(11) or "" for m in client.messages[position:])
        position = len(client.messages)
        return not waiting

    desk.until(all_told, "every order answered once the journal goes on")
    assert desk.rows("SELECT count(*) FROM orders") == [(FLOOD,)]
    assert not quiet.session.close_reason
    assert not client.session.close_reason


def rss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_while_the_fix_process_starts_is_an_orderly_stop(
    desk: Desk, number: signal.Signals
) -> None:
    """As Ctrl-C in a terminal, and as a service manager stops a service."""
    with (desk.directory / "core.log").open("ab") as log:
        desk.core = core = subprocess.Popen(
            [sys.executable, "-m", "oms", "core", "--config", str(desk.config)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    eventually(lambda: fix_process_of(core.pid), "the FIX process to begin")
    os.killpg(core.pid, number)
    assert core.wait(30) == 0, desk.log()
    assert "core.fault" not in desk.log()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_end_of_the_fix_process_ends_the_core_which_leaves_nobody_behind(
    desk: Desk, number: signal.Signals
) -> None:
    desk.start_core()
    desk.client("ALPHA")
    core = desk.core
    assert core is not None
    fix = fix_process_of(core.pid)
    os.kill(fix, number)
    desk.until(lambda: core.poll() is not None, "the core to end")
    assert core.returncode == FAULT
    said = "ended (exit code -9)" if number == signal.SIGKILL else "was stopped by a signal"
    assert f"oms: stopped, and recovers by replay: the FIX process {said}\n" in desk.log()
    eventually(lambda: not Path(f"/proc/{fix}").exists(), "the FIX process to be gone")
    desk.start_core()
    desk.client("ALPHA")


@pytest.mark.parametrize("gap_fill", ["Y", ""])
@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
def test_a_sequence_reset_to_a_number_that_nobody_can_hold_ends_only_its_session(
    desk: Desk, gap_fill: str, number: int
) -> None:
    desk.start_core()
    client, other = desk.client("ALPHA"), desk.client("BETA")
    fields = [(36, str(number))]
    client.send("4", [(123, gap_fill), *fields] if gap_fill else fields)
    desk.until(lambda: not client.is_connected, "the session to end")
    assert f"NewSeqNo (36) = {number}: " in client.session.close_reason
    order = new_order(t1="BETA-1")
    other.send("D", order)
    report_of(other, cl_ord_id(order), "0")
    desk.client("ALPHA")
    assert desk.rows("SELECT count(*) FROM journal WHERE type = 'EpochOpened'") == [(0,)]


def test_sessions_and_gate_may_have_more_descriptors_than_the_usual_ones(desk: Desk) -> None:
    """Each session takes four files, each new one of a reload ten descriptors."""
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = min(512, most - 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    try:
        desk.start_core()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))
    desk.client("ALPHA")
    assert desk.core is not None
    assert resource.prlimit(desk.core.pid, resource.RLIMIT_NOFILE) == (few, most)
    [gate] = running_below(desk.core.pid, "fix_sessions.gate")
    for one in (fix_process_of(desk.core.pid), gate):
        assert resource.prlimit(one, resource.RLIMIT_NOFILE) == (most, most)
