"""A venue's drop copy beside its order session: every trade once, over real FIX, kills included."""

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from fix_sessions.tls_files import server_context
from tests.integration.exchange_process import VenueProcess, order_fields
from tests.support.desk import (
    PATIENCE_S,
    Desk,
    cl_ord_id,
    desk_with_exchange,
    new_order,
    report_of,
)
from tests.support.processes import ROOT
from tests.support.tls import LOCALHOST, Authority, TlsFront, server_files

COPY = "XSIM-DC"
SETTLED = (
    "SELECT count(*) FROM journal WHERE type = 'TradeMatched'",
    "SELECT count(*) FROM executions WHERE exec_id NOT LIKE 'XSIM-DC:%%'",
)

Floor = tuple[Desk, VenueProcess, LightPeer, LightPeer]


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[Floor]:
    """The desk, its venue, a client, and a rival at the venue."""
    venue = {"target_comp_ids": ["OMS", "RIVAL"], "drop_copies": {"OMS-DC": "OMS"}}
    quiet = {"liquidity": {"depth": 0}}
    with desk_with_exchange(tmp_path, database_url, **venue, **quiet) as (desk, exchange):
        copied(desk, exchange.port)
        desk.start_core()
        client = desk.client()
        settings = LightSettings(sender_comp_id="RIVAL", target_comp_id="XSIM", heartbeat_s=10)
        rival = desk.hub.client("127.0.0.1", exchange.port, settings)
        rival.logon()
        sessions_up(desk)
        yield desk, exchange, client, rival


def copied(desk: Desk, port: int, more: str = "") -> None:
    """The configuration with a drop copy of the venue at that port."""
    with desk.config.open("a") as config:
        config.write(
            f'[[drop_copies]]\nname = "{COPY}"\nvenue = "XSIM"\nhost = "127.0.0.1"\n'
            f'port = {port}\nsender_comp_id = "OMS-DC"\ntarget_comp_id = "XSIM"\n{more}'
        )


def sessions_up(desk: Desk) -> None:
    query = "SELECT count(*) FROM sessions WHERE name IN ('XSIM', %s) AND logged_on"
    desk.until(lambda: desk.rows(query, COPY) == [(2,)], "both sessions of the venue to be up")
    query = "SELECT ready FROM sessions WHERE name = 'XSIM'"
    desk.until(lambda: desk.rows(query) == [(True,)], "the venue to be in step")


def resting(desk: Desk, client: LightPeer) -> str:
    """An order of 100 that the venue has on its book; its ClOrdID."""
    order = new_order()
    name = cl_ord_id(order)
    client.send("D", order)
    report_of(client, name, "0")
    query = "SELECT count(*) FROM child_orders WHERE cl_ord_id LIKE '%%' AND venue_order_id <> ''"
    query += " AND parent_id = (SELECT order_id FROM orders WHERE cl_ord_id = %s)"
    desk.until(lambda: desk.rows(query, name) == [(1,)], "the venue to have the order")
    return name


_rivals = iter(range(1, 1_000))


def hit(rival: LightPeer, qty: str) -> None:
    """The rival sells so much to whoever buys at 100."""
    rival.send("D", order_fields(f"R-{next(_rivals)}", side="2", qty=qty, tif="3"))


def booked(desk: Desk) -> tuple[object, int]:
    """Position of the account, and the number of its executions."""
    query = "SELECT quantity FROM positions WHERE account = 'ALPHA-1' AND symbol = 'ACME'"
    [(count,)] = desk.rows("SELECT count(*) FROM executions WHERE NOT busted")
    return next((row[0] for row in desk.rows(query)), 0), int(str(count))


def fills(client: LightPeer, name: str) -> list[tuple[str | None, str | None]]:
    """LastQty and PossResend of every fill that the client was told."""
    found = [one for one in client.messages if one.get(11) == name and one.get(150) == "F"]
    return [(one.get(32), one.get(97)) for one in found]


def oms(desk: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oms", *arguments, "--config", str(desk.config)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )


def nothing_was_sent_and_the_record_is_true(desk: Desk) -> None:
    query = "SELECT count(*) FROM fix_messages WHERE session = %s AND direction = %s"
    assert desk.rows(query, COPY, "out") == [(0,)]
    assert desk.rows(query, COPY, "in") != [(0,)]
    verified = oms(desk, "audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def reconciled(desk: Desk, exchange: VenueProcess) -> list[str]:
    """The kinds of the breaks against the venue's own file of the day, the rival's left out."""
    with exchange.control() as control:
        path = control.write_trade_file()["trades"]
        day = control.trades()[0]["transact_time"][:10]
    asked = ("recon", "run", "--date", day, "--venue", "XSIM", "--source", path, "--json")
    done = oms(desk, *asked)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)["found"]
    return [one["kind"] for one in found if not one["cl_ord_id"].startswith("R-")]


def test_whoever_tells_a_trade_first_it_is_booked_once(floor: Floor) -> None:
    """Both sessions up; the order session late, and the bust with it; and the core killed."""
    desk, exchange, client, rival = floor
    name = resting(desk, client)
    hit(rival, "10")
    desk.until(lambda: desk.rows(SETTLED[0]) == [(1,)], "both to have told the first fill")
    assert booked(desk) == (10, 1)
    with exchange.control() as control:
        control.silent(on=True)
        hit(rival, "20")
        desk.until(lambda: booked(desk) == (30, 2), "the drop copy to tell the second fill")
        query = "SELECT exec_id FROM executions ORDER BY seq DESC LIMIT 1"
        [(told_as,)] = desk.rows(query)
        assert str(told_as).startswith(f"{COPY}:C-")
        control.bust(str(told_as).removeprefix(f"{COPY}:C-"))
        desk.until(lambda: booked(desk) == (10, 1), "the drop copy to tell of the bust")
        desk.kill_core()
        desk.start_core()
        client = desk.client()
        control.silent(on=False)
    sessions_up(desk)
    desk.until(lambda: desk.rows(SETTLED[0]) == [(3,)], "the order session to tell both too")
    assert desk.rows(SETTLED[1]) == [(2,)]
    assert booked(desk) == (10, 1)
    assert [qty for qty, again in fills(client, name) if again != "Y"] == ["10", "20"]
    assert desk.rows("SELECT count(*) FROM orphans") == [(0,)]
    nothing_was_sent_and_the_record_is_true(desk)


def test_the_drop_copy_is_the_only_one(floor: Floor) -> None:
    """The order session is stopped, and then loses its report of a fill for good."""
    desk, exchange, client, rival = floor
    name = resting(desk, client)
    sessions = oms(desk, "session", "list", "--json").stdout
    assert f'"name":"{COPY}","kind":"drop copy"' in sessions, sessions
    assert oms(desk, "session", "show", COPY).returncode == 0
    stopped = oms(desk, "session", "stop", "XSIM", "--reason", "drill")
    assert stopped.returncode == 0, stopped.stderr
    query = "SELECT in_doubt FROM orders WHERE cl_ord_id = %s"
    desk.until(lambda: desk.rows(query, name) == [(True,)], "the order to be in doubt")
    with exchange.control() as control:
        hit(rival, "10")
        report_of(client, name, "F")
        control.drop_fills_next(2)  # the rival's too
        hit(rival, "30")
        desk.until(lambda: booked(desk) == (40, 2), "the drop copy to tell of both")
    assert desk.rows(query, name) == [(True,)]
    oms(desk, "session", "start", "XSIM", "--reason", "over")
    sessions_up(desk)
    desk.until(lambda: desk.rows(SETTLED[1]) == [(1,)], "the order session to tell of the first")
    desk.until(lambda: desk.rows(query, name) == [(False,)], "the doubt to end")
    hit(rival, "60")
    desk.until(lambda: desk.rows(SETTLED[0]) == [(2,)], "both to have told of the last")
    assert booked(desk) == (100, 3)
    assert fills(client, name) == [("10", None), ("30", None), ("60", None)]
    assert desk.rows("SELECT count(*) FROM discrepancies") == [(0,)]
    told_by = "SELECT last_qty FROM executions WHERE told_by = %s"
    assert desk.rows(told_by, COPY) == [(30,)]
    assert reconciled(desk, exchange) == []
    nothing_was_sent_and_the_record_is_true(desk)


def test_an_operator_adopts_what_nobody_sent(floor: Floor) -> None:
    desk, exchange, _, _ = floor
    with exchange.control() as control:
        for quantity in (5, 7):
            control.unknown_fill("ACME", "1", Decimal(quantity), Decimal(100), session="OMS")
    desk.until(lambda: desk.rows(SETTLED[0]) == [(2,)], "both sessions to tell of both")
    listed = oms(desk, "orphans", "list", "--json")
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [one["kind"] for one in found] == ["UNKNOWN", "UNKNOWN"], listed.stdout + listed.stderr
    first, second = sorted(str(one["seq"]) for one in found)
    adopt = ("orphans", "adopt", first, "--reason", "by phone", "--account", "BETA-1")
    refuse = ("orphans", "refuse", second, "--reason", "not ours")
    shown = oms(desk, "orphans", "list").stdout
    assert all(one in shown for one in (first, second, "ACME", "open")), shown
    assert oms(desk, *adopt[:5]).returncode != 0
    for arguments in (adopt, adopt, refuse):
        done = oms(desk, *arguments)
        assert done.returncode == 0, done.stderr
    desk.kill_core()
    desk.start_core()
    desk.client()
    sessions_up(desk)
    assert oms(desk, *adopt).returncode == 0
    assert oms(desk, "orphans", "refuse", first, "--reason", "no").returncode != 0
    assert "No orphan waits" in oms(desk, "orphans", "list").stdout
    everything = oms(desk, "orphans", "list", "--all").stdout
    assert "ADOPTED" in everything
    assert "not ours" in everything
    query = "SELECT quantity FROM positions WHERE account = 'BETA-1'"
    assert desk.rows(query) == [(5,)]
    query = "SELECT client, cl_ord_id, account, status FROM orders"
    assert desk.rows(query) == [("EXTERNAL", "", "BETA-1", "FILLED")]
    query = "SELECT settlement, settled_text FROM orphans ORDER BY seq"
    assert desk.rows(query) == [("ADOPTED", "by phone"), ("REFUSED", "not ours")]
    # The venue's file has the trade that was refused, of an order that is not ours.
    assert reconciled(desk, exchange) == ["UNKNOWN_ORDER"]
    [(order_id,)] = desk.rows("SELECT order_id FROM orders")
    timeline = oms(desk, "audit", "order", str(order_id)).stdout
    assert "ExternalOrderAdopted" in timeline
    assert "by phone" in timeline
    nothing_was_sent_and_the_record_is_true(desk)


def test_cores_are_killed_while_both_sessions_tell(floor: Floor) -> None:
    """Each time the two are at another place, and the venue may be silent by its order session."""
    desk, exchange, client, rival = floor
    name = resting(desk, client)
    with exchange.control() as control:
        for number in range(1, 4):
            control.silent(on=number % 2 == 0)
            for _ in range(3):
                hit(rival, "5")
            desk.until(lambda n=number: booked(desk)[1] >= 3 * n - 2, "a fill or more")  # type: ignore[misc]
            desk.kill_core()
            hit(rival, "5")
            desk.start_core()
            client = desk.client()
        control.silent(on=False)
        sessions_up(desk)
        theirs = [one for one in control.trades() if one["owner"] == "OMS"]
    assert len(theirs) == 12
    desk.until(lambda: desk.rows(SETTLED[0]) == [(12,)], "both to have told all of it")
    assert booked(desk) == (60, 12)
    known = {str(one) for (one,) in desk.rows("SELECT exec_id FROM executions")}
    assert known == {one["exec_id"] for one in theirs}

    def told() -> set[str | None]:
        trades = [one for one in client.messages if one.get(11) == name and one.get(150) == "F"]
        return {one.get(17) for one in trades}

    desk.until(lambda: len(told()) >= 12, "the client to be told all of it")
    assert len(told()) == 12
    assert desk.rows("SELECT count(*) FROM orphans") == [(0,)]
    assert desk.rows("SELECT count(*) FROM discrepancies") == [(0,)]
    nothing_was_sent_and_the_record_is_true(desk)


def test_a_drop_copy_over_tls(tmp_path: Path, database_url: str) -> None:
    authority = Authority(tmp_path / "tls")
    files, ours = (
        server_files(authority.issue(LOCALHOST), authority),
        authority.issue("oms.example"),
    )
    tls = f'[drop_copies.tls]\nca_file = "{authority.file}"\n'
    tls += f'certificate_file = "{ours.certificate}"\nkey_file = "{ours.key}"\n'
    venue = {"target_comp_ids": ["OMS"], "drop_copies": {"OMS-DC": "OMS"}}
    with desk_with_exchange(tmp_path, database_url, **venue) as (desk, exchange):
        front = TlsFront(server_context(files), exchange.port)
        try:
            copied(desk, front.port, tls)
            desk.start_core()
            client = desk.client()
            sessions_up(desk)
            order = new_order(t40="1", t44="", t38="10")
            client.send("D", order)
            report_of(client, cl_ord_id(order), "F")
            desk.until(lambda: desk.rows(SETTLED[0]) != [(0,)], "the drop copy to tell it too")
            assert booked(desk)[0] == 10
        finally:
            front.close()
