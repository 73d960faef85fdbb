"""What the read tables say, to whom it may be said."""

from typing import Any

import httpx
import psycopg

from oms.store.leader import lock_key
from tests.integration.api.rig import add_order, problem
from tests.support.api import Api


def test_an_order_shows_exact_amounts_and_names(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    add_order(rows, "O-2", in_doubt=True, status="UNKNOWN", doubt_since="2026-11-20T10:00:00Z")
    shown = api.alpha.get("/v1/orders/O-1").json()
    assert (shown["price"], shown["avg_px"], shown["order_qty"]) == (
        "100.50",
        "100.1234567891",
        "10",
    )
    assert (shown["side"], shown["ord_type"], shown["time_in_force"]) == ("BUY", "LIMIT", "DAY")
    assert (shown["ord_status"], shown["status"]) == ("PARTIALLY_FILLED", "PARTIALLY_FILLED")
    assert (shown["children"], shown["executions"], shown["cl_ord_ids"]) == ([], [], [])
    doubtful = api.alpha.get("/v1/orders", params={"in_doubt": True}).json()["items"]
    assert [one["status"] for one in doubtful] == ["UNKNOWN"]


def test_a_client_sees_its_own_orders_and_a_key_its_own_accounts(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    add_order(rows, "O-2", client="BETA", account="BETA-1")
    add_order(rows, "O-3", client="BETA", account="BETA-3")

    def seen(client: httpx.Client) -> set[str]:
        return {one["order_id"] for one in client.get("/v1/orders").json()["items"]}

    assert seen(api.alpha) == {"O-1"}
    assert seen(api.beta) == {"O-2"}
    assert seen(api.compliance) == {"O-1", "O-2", "O-3"}
    problem(api.beta.get("/v1/orders/O-3"), 404, "not-found")
    problem(api.beta.get("/v1/orders/O-1"), 404, "not-found")
    for name, answer in (
        ("cancel", api.beta.post("/v1/orders/O-1/cancel", json={"cl_ord_id": "B-c"})),
        ("replace", api.beta.put("/v1/orders/O-3", json={"cl_ord_id": "B-r", "order_qty": "1"})),
        ("delete", api.beta.delete("/v1/orders/O-1", params={"cl_ord_id": "B-d"})),
    ):
        assert problem(answer, 404, "not-found"), name


def test_pages_are_whole_and_disjoint(api: Api, rows: psycopg.Connection[tuple[Any, ...]]) -> None:
    names = [f"O-{n:02}" for n in range(25)]
    for n, name in enumerate(names):
        add_order(rows, name, minute=n // 3)  # several of the same moment
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        answer = api.alpha.get("/v1/orders", params={"limit": 4, "cursor": cursor}).json()
        seen += [one["order_id"] for one in answer["items"]]
        cursor = answer["next"]
        if len(seen) == 8:
            add_order(rows, "O-late", minute=59)  # arrives in front of what is read already
        if not cursor:
            break
    assert seen == sorted(names, reverse=True)


def test_orders_are_found_by_any_name_of_their_chain(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1", cl_ord_id="second")
    add_order(rows, "O-2")
    rows.execute(
        "INSERT INTO order_cl_ord_ids (counterparty, cl_ord_id, order_id, seq) VALUES"
        " ('ALPHA', 'first', 'O-1', 1), ('ALPHA', 'second', 'O-1', 2)"
    )
    for name in ("first", "second"):
        found = api.alpha.get("/v1/orders", params={"cl_ord_id": name}).json()["items"]
        assert [one["order_id"] for one in found] == ["O-1"]
    assert api.alpha.get("/v1/orders/O-1").json()["cl_ord_ids"] == ["first", "second"]
    assert api.beta.get("/v1/orders", params={"cl_ord_id": "first"}).json()["items"] == []


def test_executions_and_positions_are_exact_and_scoped(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    rows.execute(
        "INSERT INTO executions (venue, exec_id, order_id, parent_id, account, symbol, side,"
        " last_qty, last_px, at, trade_date, excess, late, early, busted, latest_exec_id, seq)"
        " VALUES ('XSIM1', 'E1', 'O-1-1', 'O-1', 'ALPHA-1', 'AAPL', '1', 4, 100.10,"
        " now(), '2026-11-20', false, false, false, false, 'E1', 9)"
    )
    rows.execute(
        "INSERT INTO positions VALUES ('ALPHA-1', 'AAPL', 4, 100.10, 400.40, -0.000000000001,"
        " 4, 0, 400.40, 0, now(), 9)"
    )
    (trade,) = api.alpha.get("/v1/executions", params={"order_id": "O-1"}).json()["items"]
    assert (trade["last_qty"], trade["last_px"], trade["side"]) == ("4", "100.10", "BUY")
    assert len(api.alpha.get("/v1/orders/O-1").json()["executions"]) == 1
    assert api.beta.get("/v1/executions").json()["items"] == []
    (position,) = api.alpha.get("/v1/positions", params={"only_open": True}).json()["items"]
    assert (position["quantity"], position["realised"]) == ("4", "-0.000000000001")
    assert api.beta.get("/v1/positions", params={"account": "ALPHA-1"}).json()["items"] == []


def test_reference_data_and_sessions(api: Api, rows: psycopg.Connection[tuple[Any, ...]]) -> None:
    items = api.alpha.get("/v1/instruments").json()["items"]
    assert len(items) == 20
    sap = api.alpha.get("/v1/instruments/SAP").json()
    assert (sap["tick"], sap["currency"], sap["venues"]) == ("0.02", "EUR", ["XSIM1", "XSIM2"])
    problem(api.alpha.get("/v1/instruments/NONE"), 404, "not-found")
    rows.execute(
        "INSERT INTO sessions (name, epoch, inbound, outbound, logged_on, updated_at)"
        " VALUES ('XSIM1', 2, 30, 40, true, now())"
    )
    key = [lock_key("main")]
    rows.execute("SELECT pg_advisory_lock(%s)", key)
    sessions = {one["name"]: one for one in api.operations.get("/v1/sessions").json()["items"]}
    assert list(sessions) == ["ALPHA", "BETA", "XSIM1", "XSIM2", "XSIM3"]
    assert (sessions["XSIM1"]["logged_on"], sessions["XSIM1"]["inbound"]) == (True, 30)
    assert sessions["XSIM2"]["logged_on"] is False
    assert api.operations.get("/v1/status").json()["sessions_up"] == 1
    rows.execute("SELECT pg_advisory_unlock(%s)", key)
    # The core has died, so nobody has written that its sessions are down.
    shown = api.operations.get("/v1/sessions/XSIM1").json()
    assert (shown["status"], shown["logged_on"], shown["inbound"]) == ("DOWN", False, 30)
    assert shown["closed_text"] == "no core leads"
    status = api.operations.get("/v1/status").json()
    assert (status["sessions_up"], status["sessions_down"]) == (0, 1)
    assert [one["name"] for one in api.alpha.get("/v1/sessions").json()["items"]] == ["ALPHA"]


def test_limits_are_shown_to_those_whom_they_concern(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    rows.execute(
        "INSERT INTO risk_limits (rule, level, subject, value, at, seq) VALUES"
        " ('MAX_POSITION', 'FIRM', '*', 10, now(), 1),"
        " ('MAX_POSITION', 'ACCOUNT', 'ALPHA-1', 9, now(), 2),"
        " ('MAX_POSITION', 'SESSION', 'BETA', 8, now(), 3)"
    )

    def values(client: httpx.Client) -> set[str]:
        return {one["value"] for one in client.get("/v1/risk/limits").json()["items"]}

    assert values(api.alpha) == {"10", "9"}
    assert values(api.beta) == {"10", "8"}
    assert values(api.compliance) == {"10", "9", "8"}


def test_recon_runs_and_breaks(api: Api, rows: psycopg.Connection[tuple[Any, ...]]) -> None:
    run_id = rows.execute(
        "INSERT INTO recon_runs (trade_date, venue, started_at, state, breaks, journal_seq)"
        " VALUES ('2026-11-20', 'XSIM1', now(), 'done', 2, 5) RETURNING run_id"
    ).fetchone()
    assert run_id is not None
    rows.execute(
        "INSERT INTO recon_breaks (run_id, n, venue, kind, evidence) VALUES"
        " (%(run)s, 1, 'XSIM1', 'PRICE', '{\"ours\": {\"last_px\": \"1.10\"}}'),"
        " (%(run)s, 2, 'XSIM1', 'QUANTITY', '{}')",
        {"run": run_id[0]},
    )
    (run,) = api.compliance.get("/v1/recon/runs").json()["items"]
    assert (run["state"], run["breaks"]) == ("done", 2)
    breaks = api.compliance.get(f"/v1/recon/runs/{run['run_id']}/breaks").json()["items"]
    assert [one["kind"] for one in breaks] == ["PRICE", "QUANTITY"]
    assert breaks[0]["evidence"] == {"ours": {"last_px": "1.10"}}
    problem(api.compliance.get("/v1/recon/runs/999999"), 404, "not-found")


def test_what_the_database_refuses_is_our_fault_and_not_told_as_its_absence(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    """A 503 would be repeated for ever."""
    rows.execute("ALTER TABLE disputes RENAME TO disputes_away")
    try:
        answer = api.operations.get("/v1/disputes")
    finally:
        rows.execute("ALTER TABLE disputes_away RENAME TO disputes")
    problem(answer, 500, "internal")
    assert "retry-after" not in answer.headers
    assert api.operations.get("/v1/disputes").status_code == 200
