"""`oms demo`: everything agrees in the end, and where it does not, the demo says so."""

import re
from pathlib import Path

import httpx

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub
from tests.e2e.demo_process import DemoProcess

RUN_S = 100.0
LINES = 20


def test_a_small_run_passes_every_line(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, "--orders", "300", "--seed", "7") as demo:
        code = demo.wait(RUN_S)
        lines = demo.lines()
        assert (code, set(lines.values())) == (0, {"pass"}), demo.said
        assert len(lines) == LINES, demo.said
        assert demo.said.count("SIGKILL of the core") == 2
        assert demo.said.count("SIGKILL of XSIM2") == 1


def test_a_lost_fill_fails_the_run_and_is_named(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, lose_a_fill=True) as demo:
        code = demo.wait(RUN_S)
        lines = demo.lines()
        assert code == 1, demo.said
        assert lines["Trades: server = venues, each once"] == "FAIL (1)", demo.said
        assert lines["Reconciliation: the injected breaks"] != "pass", demo.said
        assert lines["Positions = sum of the fills"] != "pass", demo.said
        assert lines["Chain and tables verified"] == "pass", demo.said
        lost = re.search(r"XSIM1 (XSIM1-\S+): lost, not in executions", demo.said)
        assert lost is not None, demo.said
        assert f"MISSING_HERE of trade {lost[1]}" in demo.said


def test_it_stays_up_for_a_fix_session_and_rest_until_interrupted(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "cl_ord_id,account,symbol,side,order_qty,ord_type,price,time_in_force\n"
        "MINE-1,MY-FUND,TSLA,BUY,100,LIMIT,251.15,DAY\n"
        "MINE-2,ALPHA-1,AAPL,SELL,50,MARKET,,IOC\n"
    )
    with DemoProcess(tmp_path, "--keep", "--orders", str(orders)) as demo:
        demo.await_text("Logs  ", RUN_S)
        assert set(demo.lines().values()) == {"pass"}, demo.said
        assert "0 found, 0 injected" in demo.said
        for act in ("busts", "corrects", "late", "unasked", "rejects", "loses", "falsifying"):
            assert act not in demo.said
        assert "/s in 0.0 s" not in demo.said
        told = dict(re.findall(r"^  +(\S.*?)  +(\S+)$", demo.said, re.MULTILINE))
        assert httpx.get(told["REST, with documentation"], trust_env=False).status_code == 200
        assert "plumbline_" in httpx.get(told["Metrics of the core"], trust_env=False).text
        headers = {"X-API-Key": told["X-API-Key, operations"]}
        url = told["REST, with documentation"].replace("/docs", "/v1/orders")
        listed = httpx.get(url, headers=headers, trust_env=False).json()["items"]
        assert {one["cl_ord_id"] for one in listed} == {"MINE-1", "MINE-2"}
        assert _order_is_answered(told)
        demo.interrupt()
        assert demo.wait(RUN_S) == 0, demo.said


def _order_is_answered(told: dict[str, str]) -> bool:
    """Log on by what the demo printed, send an order, and have it acknowledged."""
    host, _, port = told["A FIX 4.4 session for you"].partition(":")
    settings = LightSettings(
        sender_comp_id=told["SenderCompID (49)"],
        target_comp_id=told["TargetCompID (56)"],
        username=told["Username (553)"],
        password=told["Password (554)"],
    )
    with Hub() as hub:
        peer = hub.client(host, int(port), settings)
        peer.logon()
        fields = [(11, "G1"), (1, told["Account (1)"]), (21, "1"), (55, "KO"), (54, "1")]
        fields += [(60, "20260101-00:00:00.000"), (38, "10"), (40, "2"), (44, "60.00"), (59, "0")]
        peer.send("D", fields)
        report = peer.wait_for(lambda one: one.msg_type == "8" and one.get(11) == "G1")
        return report.get(39) == "0"


def test_a_bad_orders_file_sends_nothing(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "cl_ord_id,account,symbol,side,order_qty,ord_type,price,time_in_force\n"
        "MINE-1,ALPHA-1,AAPL,BUY,-5,LIMIT,251.15,DAY\n"
    )
    with DemoProcess(tmp_path, "--orders", str(orders)) as demo:
        assert demo.wait(RUN_S) == 2
        assert "row 2: order_qty = '-5': must be greater than zero" in demo.said
        assert not (tmp_path / "var").exists()
