"""A database that went back: no core leads it unasked; what was lost is found, not repeated."""

import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.app.exits import Exit
from oms.app.lost_entries import NUMBERS_LEFT_OUT
from oms.audit.verify import verify
from oms.store.postgres_urls import OWNER_ROLE, SUPERUSER, database_url, role_url
from tests.support.desk import PATIENCE_S, Desk, cl_ord_id, desk_with_exchange, new_order
from tests.support.processes import ROOT


def copy_database(url: str, source: str, target: str) -> None:
    """A copy under another name, in place of what has it; nobody is connected to either."""
    admin = database_url(role_url(url, SUPERUSER), SUPERUSER)
    names = sql.Identifier(target), sql.Identifier(OWNER_ROLE), sql.Identifier(source)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*names))


def oms(desk: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oms", *arguments, "--config", str(desk.config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )


def sent(desk: Desk, client: LightPeer, exec_type: str, **more: str) -> str:
    """The ClOrdID of a new order that has come so far."""
    order = new_order(**more)
    client.send("D", order)
    name = cl_ord_id(order)
    found: list[Message] = []

    def comes() -> bool:
        found[:] = [m for m in client.messages if m.get(11) == name and m.get(150) == exec_type]
        return bool(found)

    desk.until(comes, f"{name} comes to {exec_type}")
    return name


def children(desk: Desk) -> set[str]:
    return {str(name) for (name,) in desk.rows("SELECT cl_ord_id FROM child_orders")}


def told_of_what_is_not_known(desk: Desk, client: LightPeer, lost: list[str]) -> None:
    """It was asked for these orders again, and they were neither taken nor denied."""
    told: list[str | None] = []

    def is_told() -> bool:
        told[:] = [m.get(379) for m in client.messages if m.msg_type == "j"]
        return set(lost) <= set(told)

    desk.until(is_told, "the client is told what is not known of its orders")
    assert sorted(map(str, told)) == sorted(lost)


def found_out(desk: Desk, lost: set[str]) -> None:
    """The venue has sent the trade again, and told of the order that stands there."""
    trades = "SELECT cl_ord_id, last_qty FROM orphans WHERE is_open"
    desk.until(lambda: desk.rows(trades), "the lost trade comes again")
    [(of, last_qty)] = desk.rows(trades)
    assert (of in lost, last_qty) == (True, 100)
    standing = "SELECT cl_ord_id FROM orphans WHERE cl_ord_id <> %s AND exec_type = 'I'"
    desk.until(lambda: desk.rows(standing, of), "the venue's lost order is told of")
    assert {of, *(name for (name,) in desk.rows(standing, of))} == lost


@pytest.mark.parametrize("machine", ["the same", "another"])
def test_a_backup_that_lacks_the_last_orders(
    tmp_path: Path, database_url: str, machine: str
) -> None:
    with desk_with_exchange(tmp_path, database_url) as (desk, _):
        name = database_url.partition("?")[0].rpartition("/")[2]
        backup = f"{name}_backup"
        desk.start_core()
        client = desk.client()
        kept = sent(desk, client, "0", t44="90")
        assert desk.stop_core() == Exit.OK
        copy_database(database_url, name, backup)
        desk.start_core()
        client = desk.client()
        lost = [sent(desk, client, "F", t44="110"), sent(desk, client, "0", t44="91")]
        in_use = children(desk)
        desk.kill_core()
        copy_database(database_url, backup, name)
        if machine == "another":
            shutil.rmtree(tmp_path / "core")
        else:
            refused = oms(desk, "core")
            assert refused.returncode == Exit.JOURNAL_LOST, refused.stderr
            assert "the database went back" in refused.stderr
            assert "core.journal_went_back" in refused.stdout + refused.stderr
        answer = oms(desk, "db", "restored", "--reason", "the disk of db1 is lost")
        assert (answer.returncode, answer.stderr) == (0, "")
        assert f"journal entry {NUMBERS_LEFT_OUT}" in answer.stdout
        desk.start_core()
        client = desk.client()
        told_of_what_is_not_known(desk, client, lost)
        found_out(desk, in_use - children(desk))
        later = sent(desk, client, "0", t44="92")
        [number] = children(desk) - in_use
        assert int(number.split("-")[1]) > NUMBERS_LEFT_OUT
        known = {name for (name,) in desk.rows("SELECT cl_ord_id FROM orders")}
        assert known == {kept, later}
        assert desk.stop_core() == Exit.OK
        report = verify(database_url)
        assert report.ok, report
        [left_out] = report.restored
        assert "the disk of db1 is lost" in left_out
