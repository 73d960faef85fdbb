"""A day with a real core and a real venue, and the operators' commands on what came of it."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from fix_sessions.light_socket import LightPeer
from tests.integration.exchange_process import VenueProcess
from tests.support.desk import Desk, cl_ord_id, desk_with_exchange, new_order, report_of
from tests.support.processes import ROOT

PATIENCE_S = 60.0


def oms(desk: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What came of it. Peers are served meanwhile: a session that falls silent is ended."""
    command = [sys.executable, "-m", "oms", *arguments, "--config", str(desk.config)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            said, complained = process.communicate(timeout=0.02)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                process.kill()
                raise
            desk.hub.pump(0.0)
        else:
            return subprocess.CompletedProcess(command, process.returncode, said, complained)


def not_at_midnight() -> None:
    """A venue's files are of one UTC date, so the day of a test may not turn."""
    now = datetime.now(UTC)
    turn = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if (turn - now) < timedelta(seconds=90):
        time.sleep((turn - now).total_seconds())


def trade(desk: Desk, client: LightPeer, quantity: str = "10", price: str = "105") -> str:
    """An order that trades at once; its ClOrdID."""
    order = new_order(t38=quantity, t44=price, t59="3")
    client.send("D", order)
    name = cl_ord_id(order)
    desk.until(
        lambda: any(m.get(11) == name and m.get(39) in {"2", "4"} for m in client.messages),
        f"{name} to end",
    )
    return name


def statement(desk: Desk, venue: VenueProcess) -> tuple[str, str]:
    """The venue's trade file of the day, and the day."""
    with venue.control() as control:
        path = control.write_trade_file()["trades"]
        day = control.trades()[0]["transact_time"][:10]
    desk.hub.pump(0.01)
    return path, day


def found(desk: Desk, path: str, day: str) -> tuple[int, int, Counter[tuple[str, str, str]]]:
    """Exit code, run, and breaks by kind, ExecID and field."""
    asked = ("recon", "run", "--date", day, "--venue", "XSIM", "--source", path, "--json")
    result = oms(desk, *asked)
    assert result.stdout, result.stderr
    run = json.loads(result.stdout)
    told = Counter((one["kind"], one["exec_id"], one["field"]) for one in run["found"])
    assert run["breaks"] == len(run["found"])
    return result.returncode, run["run_id"], told


def lie_and_err(desk: Desk, venue: VenueProcess) -> Counter[tuple[str, str, str]]:
    """The venue's file lies about seven trades; a bust, a fill of nobody's order, a silent one.

    What must be found: a bust that was told is no break.
    """
    client = desk.client()
    with venue.control() as control:
        trades = [row["exec_id"] for row in control.trades()]
        kinds = ("omit", "quantity", "price", "side", "duplicate", "extra", "unknown_order")
        for kind, exec_id in zip(kinds, trades, strict=False):
            control.falsify(kind, exec_id)
        busted = control.bust(trades[7])
        unknown = control.unknown_fill("ACME", "1", Decimal(5), Decimal(100), session="OMS")
        control.drop_fills_next(1)
        client.send("D", new_order(t38="10", t44="105"))
        desk.until(lambda: len(control.trades()) > len(trades) + 1, "the silent fill")
        silent = control.trades()[-1]["exec_id"]
    desk.until(lambda: desk.rows("SELECT 1 FROM orphans"), "the stranger's fill to be kept")
    desk.until(
        lambda: desk.rows("SELECT 1 FROM executions WHERE exec_id = %s AND busted", busted),
        "the bust to be booked",
    )
    return Counter(
        {
            ("MISSING_THERE", trades[0], ""): 1,
            ("QUANTITY", trades[1], "last_qty"): 1,
            ("PRICE", trades[2], "last_px"): 1,
            ("SIDE", trades[3], "side"): 1,
            ("DUPLICATE", trades[4], "exec_id"): 1,
            ("MISSING_HERE", f"{trades[5]}-X", ""): 1,
            ("UNKNOWN_ORDER", f"{trades[6]}-U", "cl_ord_id"): 1,
            ("UNKNOWN_ORDER", unknown, "cl_ord_id"): 1,
            ("MISSING_HERE", silent, ""): 1,
        }
    )


def test_exactly_what_the_venue_did_is_found(tmp_path: Path, database_url: str) -> None:
    not_at_midnight()
    with desk_with_exchange(tmp_path, database_url) as (desk, venue):
        desk.start_core()
        client = desk.client()
        desk.until(lambda: venue_ready(desk), "the venue to be in step")
        for _ in range(8):
            trade(desk, client)
        working = new_order(t38="10", t44="90")
        client.send("D", working)
        report_of(client, cl_ord_id(working), "0")
        path, day = statement(desk, venue)
        code, first, breaks = found(desk, path, day)
        assert (code, breaks) == (0, Counter())

        expected = lie_and_err(desk, venue)
        path, day = statement(desk, venue)
        code, second, breaks = found(desk, path, day)
        assert code == 1
        assert breaks == expected
        assert found(desk, path, day)[1:] == (second + 1, breaks)
        assert second == first + 1
        shown = oms(desk, "recon", "show", str(second))
        assert "MISSING_THERE" in shown.stdout
        assert f"Run {second}: XSIM {day}, done" in shown.stdout
        assert desk.stop_core() == 0


def venue_ready(desk: Desk) -> bool:
    return desk.rows("SELECT 1 FROM sessions WHERE name = 'XSIM' AND ready") != []


def test_operators_command_the_core_and_ask_the_record(tmp_path: Path, database_url: str) -> None:
    with desk_with_exchange(tmp_path, database_url) as (desk, _):
        desk.start_core()
        client = desk.client()
        desk.until(lambda: venue_ready(desk), "the venue to be in step")
        name = trade(desk, client)
        check_limits(desk, client)
        check_switches(desk, client)
        refused = oms(desk, "order", "resolve", "X", "CANCELED", "--reason", "asked the venue")
        assert (refused.returncode, refused.stderr) == (
            1,
            "oms: refused: order_id = X: must be a child order\n",
        )
        check_audit(desk, name, tmp_path)
        assert desk.stop_core() == 0


def check_limits(desk: Desk, client: LightPeer) -> None:
    limit = ("risk", "set", "MAX_ORDER_QTY", "ACCOUNT", "ALPHA-1")
    done = oms(desk, *limit, "50", "--reason", "smaller for today")
    assert (done.returncode, done.stderr) == (0, "")
    order = new_order(t38="51")
    client.send("D", order)
    assert "MAX_ORDER_QTY" in (report_of(client, cl_ord_id(order), "8").get(58) or "")
    shown = oms(desk, "risk", "show").stdout
    assert "smaller for today" in shown
    assert "No kill switch is engaged." in shown
    assert oms(desk, *limit, "none", "--reason", "as before").returncode == 0
    assert "ALPHA-1" not in oms(desk, "risk", "show").stdout
    wrong = oms(desk, *limit, "1e3", "--reason", "a try")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "oms: value = 1e3: must be a decimal number without exponent, or none\n",
    )
    wrong = oms(desk, "risk", "set", "MAX_FUN", "FIRM", "*", "1", "--reason", "a try")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("oms: refused: rule = MAX_FUN: must be one of MAX_ORDER_QTY, ")


def check_switches(desk: Desk, client: LightPeer) -> None:
    assert oms(desk, "kill", "engage", "FIRM", "*", "--reason", "drill").returncode == 0
    order = new_order()
    client.send("D", order)
    assert "KILL_SWITCH" in (report_of(client, cl_ord_id(order), "8").get(58) or "")
    assert "drill" in oms(desk, "risk", "show").stdout
    released = ("kill", "release", "FIRM", "*", "--reason", "over")
    assert oms(desk, *released).returncode == 0
    again = oms(desk, *released)
    assert (again.returncode, again.stderr) == (
        1,
        "oms: refused: no kill switch is engaged at FIRM *\n",
    )


def check_audit(desk: Desk, name: str, directory: Path) -> None:
    told = oms(desk, "audit", "order", name).stdout
    for part in (
        "<- D from ALPHA",
        "?  NewOrderSingle by ALPHA",
        "!  OrderAccepted",
        "risk ",
        "quote",
    ):
        assert part in told, told
    for part in (
        "!  OrderRouted",
        "-> D to XSIM",
        "<- 8 from XSIM",
        "!  TradeExecuted",
        "-> 8 to ALPHA",
    ):
        assert part in told, told
    unknown = oms(desk, "audit", "order", "nobody")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "oms: nobody: no order has this OrderID or ClOrdID\n",
    )
    verified = oms(desk, "audit", "verify")
    assert verified.returncode == 0, verified.stderr
    assert "The chain is whole" in verified.stdout
    day = str(desk.rows("SELECT (max(at) AT TIME ZONE 'UTC')::date FROM journal")[0][0])
    file = directory / "day.jsonl"
    assert oms(desk, "audit", "export", day, "--out", str(file)).returncode == 0
    checked = subprocess.run(
        [sys.executable, "-m", "oms", "audit", "check", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "each as it was chained" in checked.stdout
