"""How a core ends: the exit code, the one line that says why, and what an orderly stop leaves."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

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
from tests.support.processes import eventually

OK, CONFIG, PORT, DATABASE, SCHEMA, NOT_LEADER, FAULT = 0, 3, 4, 5, 6, 7, 8


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    with desk_with_light_venue(tmp_path, database_url) as (found, _):
        yield found


def ended(run: Run) -> tuple[int, list[str]]:
    code = run.code()
    assert "Traceback" not in run.said() or code == 8, run.said()
    return code, run.complaints()


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"acceptor__port": 70000}, "acceptor.port = 70000"),
        ({"core__shard": ""}, "core.shard = "),
        ({"core__leader_wait_s": -1}, "core.leader_wait_s = -1"),
        ({"database__url": "mysql://x"}, "database"),
        ({"core__no_such_key": 1}, "core.no_such_key"),
    ],
)
def test_a_bad_configuration(tmp_path: Path, variables: dict[str, object], line: str) -> None:
    config = tmp_path / "oms.toml"
    config.write_text('[database]\nurl = "postgresql:///nowhere"\n')
    with oms(tmp_path, "core", config, **variables) as run:
        code, lines = ended(run)
    assert code == CONFIG
    assert len(lines) == 1, lines
    assert line in lines[0]


def test_a_full_disk_is_a_fault_of_the_place_and_no_defect(desk: Desk, tmp_path: Path) -> None:
    stores = desk.directory / "core" / "main" / "fix"
    stores.mkdir(parents=True)
    spare = stores / "leader_epoch.new"
    spare.symlink_to("/dev/full")
    with oms(tmp_path, "core", desk.config) as run:
        code, lines = ended(run)
    assert (code, len(lines)) == (FAULT, 1), lines
    assert "No space left on device" in lines[0]
    assert "defect" not in run.said()
    spare.unlink()
    desk.start_core()
    assert desk.client().is_logged_on


def test_ports_in_use(desk: Desk, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", desk.port)):
        with oms(tmp_path, "core", desk.config) as run:
            code, lines = ended(run)
        where = f"127.0.0.1:{desk.port}"
        assert (code, lines) == (
            PORT,
            [f"acceptor.port = {desk.port}: FIX port {where} is in use by another process"],
        )
    with socket.create_server(("127.0.0.1", desk.metrics_port)):
        with oms(tmp_path, "core", desk.config) as run:
            code, lines = ended(run)
        text = f"core.metrics_port = {desk.metrics_port}: Address already in use"
        assert (code, lines) == (PORT, [text])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with oms(tmp_path, "api", desk.config, api__port=port) as run:
            code, lines = ended(run)
        assert code == PORT
        assert len(lines) == 1
        assert f"api.port = {port}" in lines[0] or f":{port}" in lines[0]


def test_a_database_that_is_down_or_is_not_ours(desk: Desk, tmp_path: Path) -> None:
    wrong = {
        "down": f"postgresql://plumbline_app@127.0.0.1:{free_port()}/plumbline",
        "no such database": desk.database_url.replace("/migrated", "/nowhere"),
        "no such role": desk.database_url.replace("plumbline@", "stranger@"),
    }
    for url in wrong.values():
        variables = {"database__url": url, "database__owner_url": url}
        with oms(tmp_path, "core", desk.config, **variables) as run:
            code, lines = ended(run)
        assert code == DATABASE, (lines, run.said())
        assert len(lines) == 1
        assert lines[0].startswith("database: cannot be reached: ")


def test_a_schema_of_a_newer_program(desk: Desk, tmp_path: Path) -> None:
    with psycopg.connect(desk.database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with oms(tmp_path, "core", desk.config) as run:
        code, lines = ended(run)
    assert code == SCHEMA
    assert len(lines) == 1
    assert lines[0].startswith("database schema version 9999: unknown to this program")


def test_an_empty_database_is_migrated_and_a_second_core_stands_by(
    tmp_path: Path, empty_database_url: str
) -> None:
    with desk_with_light_venue(tmp_path, empty_database_url) as (desk, _):
        desk.start_core()
        desk.client()
        with oms(tmp_path, "core", desk.config, core__leader_wait_s=1) as run:
            code, lines = ended(run)
        assert code == NOT_LEADER
        assert len(lines) == 1
        assert lines[0].startswith("core.shard = main: shard 'main' is led by ")
        assert desk.core is not None
        assert f":{desk.core.pid} with epoch 1" in lines[0]
        assert desk.core.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_stop_logs_out_and_leaves_nothing_to_send_again(
    tmp_path: Path, database_url: str, number: signal.Signals
) -> None:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        desk.start_core()
        client = desk.client()
        answer_resync(desk, venue)
        fields = new_order()
        client.send("D", fields)
        report_of(client, cl_ord_id(fields), "0")
        burst = [new_order() for _ in range(50)]
        for one in burst:
            client.send("D", one)
        assert desk.core is not None
        core = desk.core
        core.send_signal(number)
        desk.until(lambda: core.poll() is not None, "the core to end")
        assert core.returncode == OK, desk.log()
        for peer in (client, venue):
            assert peer.session.close_reason == "Logout: the server is stopping"
        told = {m.get(11) for m in client.messages if m.msg_type == "8"}
        recovered(desk, client, venue, told)


def recovered(desk: Desk, client: LightPeer, venue: LightPeer, told: set[str | None]) -> None:
    """The next core takes up where the last one ended: what was told is not told again."""
    [(orders,)] = desk.rows("SELECT count(*) FROM orders")
    assert orders == len(told)
    seen, seen_there = len(client.messages), len(venue.messages)
    desk.start_core()
    desk.client()
    answer_resync(desk, venue, seen_there)
    last = new_order()
    client.send("D", last)
    report_of(client, cl_ord_id(last), "0")
    again = [m.get(11) for m in client.messages[seen:] if m.msg_type == "8"]
    assert not told.intersection(again)
    [(open_at_venue,)] = desk.rows(
        "SELECT count(*) FROM fix_messages WHERE msg_type = 'D' "
        "AND direction = 'out' AND text LIKE '%%97=Y%%'"
    )
    sent_again = [m for m in venue.messages[seen_there:] if m.get(97) == "Y"]
    assert all(m.msg_type == "D" for m in sent_again)
    assert open_at_venue == len(sent_again)


def test_a_core_that_waits_to_lead_stops_at_once(desk: Desk, tmp_path: Path) -> None:
    desk.start_core()
    desk.client()
    with oms(tmp_path, "core", desk.config) as standby:
        eventually(lambda: "waits_for_leadership" in standby.said(), "the standby to wait")
        standby.signal(signal.SIGTERM)
        assert standby.code() == OK, standby.said()
    assert desk.core is not None
    assert desk.core.poll() is None


def test_a_core_without_clients_and_venues_leads_and_stops(
    tmp_path: Path, database_url: str
) -> None:
    """Its API may be all that is used at first."""
    desk = Desk(tmp_path, database_url, {})
    before, _, rest = desk.config.read_text().partition("[[clients]]")
    desk.config.write_text(before + "[[instruments]]" + rest.partition("[[instruments]]")[2])
    try:
        desk.start_core()
        desk.until(lambda: "core.leads" in desk.log(), "the core to lead")
        assert desk.stop_core() == OK, desk.log()
    finally:
        desk.close()
