"""Orders over REST through a real core to a real venue and back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fix_sessions.light_session import Message
from tests.integration.api.core_rig import PATIENCE_S, Server, whole_server
from tests.integration.api.rig import problem
from tests.support.postgres import Databases
from tests.support.processes import eventually

ORDER = {
    "account": "ALPHA-1",
    "symbol": "ACME",
    "side": "BUY",
    "order_qty": "100",
    "ord_type": "LIMIT",
    "price": "99.50",
}


def order_fields(cl_ord_id: str) -> list[tuple[int, str]]:
    """The NewOrderSingle (D) that is the same order as ORDER at 95.00."""
    return [
        (11, cl_ord_id),
        (1, "ALPHA-1"),
        (55, "ACME"),
        (54, "1"),
        (60, "20260101-00:00:00.000"),
        (38, "100"),
        (40, "2"),
        (44, "95.00"),
        (59, "0"),
    ]


@pytest.fixture(scope="module")
def server(
    migrated_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    url = migrated_databases.take()
    with whole_server(url, Path(tmp_path_factory.mktemp("server"))) as server:
        yield server
    migrated_databases.drop(url)


def test_an_order_rests_is_replaced_and_cancelled(server: Server) -> None:
    alpha = server.api.alpha
    answer = alpha.post("/v1/orders", json=ORDER | {"cl_ord_id": "rest-1"})
    assert answer.status_code == 201, answer.text
    order_id = answer.json()["order_id"]
    assert answer.headers["location"] == f"/v1/orders/{order_id}"
    shown = server.until(
        alpha,
        order_id,
        lambda one: one["children"] and one["children"][0]["status"] == "NEW",
        "rests",
    )
    assert (shown["status"], shown["leaves_qty"], shown["price"]) == ("NEW", "100", "99.50")
    assert shown["children"][0]["venue"] == "XSIM"

    change = {"cl_ord_id": "rest-2", "order_qty": "150", "price": "99.60"}
    answer = alpha.put(f"/v1/orders/{order_id}", json=change)
    assert answer.status_code == 200, answer.text
    shown = server.until(alpha, order_id, lambda one: one["order_qty"] == "150", "replaced")
    assert (shown["cl_ord_id"], shown["price"]) == ("rest-2", "99.60")

    for _ in range(2):  # the second time it is answered as the first
        answer = alpha.post(f"/v1/orders/{order_id}/cancel", json={"cl_ord_id": "rest-3"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["order_id"] == order_id
    shown = server.until(alpha, order_id, lambda one: not one["is_open"], "cancelled")
    assert (shown["status"], shown["cum_qty"], shown["leaves_qty"]) == ("CANCELED", "0", "0")
    assert shown["cl_ord_ids"][-1] == "rest-3"

    late = alpha.post(f"/v1/orders/{order_id}/cancel", json={"cl_ord_id": "rest-4"})
    body = problem(late, 409, "refused:too-late")
    assert (body["reason"], body["transient"], body["order_id"]) == ("TOO_LATE", False, order_id)


def test_the_same_order_sent_again_is_the_same_order(server: Server) -> None:
    alpha = server.api.alpha
    body = ORDER | {"cl_ord_id": "twice", "price": "99.01"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alpha.post("/v1/orders", json=body), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert sum("idempotent-replay" not in answer.headers for answer in answers) == 1
    other = alpha.post("/v1/orders", json=body | {"order_qty": "101"})
    problem(other, 409, "invalid-request")
    found = alpha.get("/v1/orders", params={"cl_ord_id": "twice"}).json()["items"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("change", "status", "reason", "text"),
    [
        (
            {"order_qty": "5001"},
            422,
            "MAX_ORDER_QTY",
            "MAX_ORDER_QTY at FIRM *: limit 5000, measured 5001",
        ),
        (
            {"order_qty": "0"},
            422,
            "QUANTITY_NOT_POSITIVE",
            "OrderQty (38) = 0: must be greater than zero",
        ),
        (
            {"price": "99.505"},
            422,
            "OFF_TICK",
            "Price (44) = 99.505: must be a multiple of tick 0.01",
        ),
        ({"price": None}, 422, "PRICE_MISSING", "Price (44): required on a limit order"),
        (
            {"symbol": "NONE"},
            422,
            "UNKNOWN_INSTRUMENT",
            "Symbol (55) = NONE: not a known instrument",
        ),
        (
            {"account": "BETA-1"},
            403,
            "ACCOUNT_NOT_PERMITTED",
            "Account (1) = BETA-1: not permitted for ALPHA",
        ),
    ],
)
def test_what_the_core_refuses_is_named(
    server: Server, change: dict[str, object], status: int, reason: str, text: str
) -> None:
    order = ORDER | {"cl_ord_id": f"bad-{reason}"} | change
    answer = server.api.alpha.post("/v1/orders", json=order)
    body = problem(answer, status, f"refused:{reason.lower().replace('_', '-')}")
    assert (body["reason"], body["detail"]) == (reason, text)
    again = server.api.alpha.post("/v1/orders", json=order)
    assert again.json() == body
    refusals = server.api.admin.get("/v1/refusals", params={"reason": reason}).json()["items"]
    assert refusals[0]["cl_ord_id"] == order["cl_ord_id"]


def test_a_market_order_fills_and_moves_the_position(server: Server) -> None:
    beta = server.api.beta
    server.venue.control()
    order = {
        "cl_ord_id": "resting-sell",
        "account": "ALPHA-2",
        "symbol": "ACME",
        "side": "SELL",
        "order_qty": "40",
        "ord_type": "LIMIT",
        "price": "100.10",
    }
    sold = server.api.alpha.post("/v1/orders", json=order).json()["order_id"]
    alpha = server.api.alpha
    server.until(
        alpha, sold, lambda one: one["children"] and one["children"][0]["status"] == "NEW", "rests"
    )
    bought = beta.post(
        "/v1/orders",
        json={
            "cl_ord_id": "taker",
            "account": "BETA-1",
            "symbol": "ACME",
            "side": "BUY",
            "order_qty": "40",
            "ord_type": "LIMIT",
            "price": "100.10",
        },
    ).json()["order_id"]
    shown = server.until(beta, bought, lambda one: one["status"] == "FILLED", "filled")
    assert (shown["cum_qty"], shown["avg_px"], shown["leaves_qty"]) == ("40", "100.1", "0")
    assert [one["last_qty"] for one in shown["executions"]] == ["40"]
    server.until(alpha, sold, lambda one: one["status"] == "FILLED", "filled")
    (position,) = beta.get("/v1/positions", params={"account": "BETA-1"}).json()["items"]
    assert (position["quantity"], position["avg_px"]) == ("40", "100.1")
    assert beta.get("/v1/executions").json()["items"][0]["parent_id"] == bought


def test_limits_and_kill_switch_take_effect_at_once(server: Server) -> None:
    api = server.api
    limit = {
        "rule": "MAX_ORDER_QTY",
        "level": "ACCOUNT",
        "subject": "ALPHA-3",
        "value": "10",
        "reason": "test",
    }
    assert api.compliance.put("/v1/risk/limits", json=limit).status_code == 200
    order = ORDER | {"account": "ALPHA-3", "order_qty": "11", "cl_ord_id": "limited"}
    assert problem(api.alpha.post("/v1/orders", json=order), 422, "refused:max-order-qty")
    wrong = api.compliance.put("/v1/risk/limits", json=limit | {"rule": "MAX_FUN"})
    assert problem(wrong, 422, "refused:unsupported-value")["detail"].startswith("rule = MAX_FUN")
    misspelt = api.compliance.put("/v1/risk/limits", json=limit | {"subject": "ALPHA-33"})
    assert problem(misspelt, 422, "invalid-request")["errors"][0]["field"] == "subject"
    gone = api.compliance.put("/v1/risk/limits", json=limit | {"value": None})
    assert gone.status_code == 200
    assert all(
        one["subject"] != "ALPHA-3" for one in api.admin.get("/v1/risk/limits").json()["items"]
    )

    scope = {"level": "ACCOUNT", "subject": "ALPHA-3", "reason": "test"}
    misspelt = api.operations.post("/v1/kill-switch/engage", json=scope | {"subject": "ALPHA-33"})
    problem(misspelt, 422, "invalid-request")
    assert api.operations.post("/v1/kill-switch/engage", json=scope).status_code == 200
    order = ORDER | {"account": "ALPHA-3", "cl_ord_id": "killed"}
    problem(api.alpha.post("/v1/orders", json=order), 422, "refused:kill-switch")
    (switch,) = api.admin.get("/v1/kill-switch").json()["items"]
    assert (switch["user_name"], switch["reason"]) == ("operations", "test")
    assert api.compliance.post("/v1/kill-switch/release", json=scope).status_code == 200
    order["cl_ord_id"] = "alive"
    assert api.alpha.post("/v1/orders", json=order).status_code == 201


def test_a_date_far_from_today_is_refused_by_name(server: Server) -> None:
    operations = server.api.operations
    before = operations.get("/v1/status").json()["leader_epoch"]
    for what in ("open", "close"):
        for day in ("9999-12-31", "0001-01-01"):
            answer = operations.post(f"/v1/trading-day/{what}", json={"trade_date": day})
            told = problem(answer, 422, "refused:unsupported-value")
            assert told["reason"] == "UNSUPPORTED_VALUE"
            assert told["detail"].startswith(f"trade_date = {day}: must be from ")
    for day in ("9999-12-31", "0001-01-01"):
        told = server.api.compliance.get(f"/v1/audit/export/{day}")
        assert (told.status_code, len(told.text.splitlines())) == (200, 2)
        body = {"trade_date": day, "venue": "XSIM"}
        told = problem(operations.post("/v1/recon/runs", json=body), 422, "invalid-request")
        assert told["errors"][0]["rule"].startswith("must be from 2000-01-01 to today, ")
    assert operations.get("/v1/status").json()["leader_epoch"] == before


def test_mass_cancel_and_status(server: Server) -> None:
    api = server.api
    for n in range(3):
        order = ORDER | {"account": "ALPHA-2", "cl_ord_id": f"mass-{n}", "price": f"98.0{n}"}
        assert api.alpha.post("/v1/orders", json=order).status_code == 201
    answer = api.alpha.post(
        "/v1/orders/mass-cancel", json={"cl_ord_id": "mass-x", "account": "ALPHA-2"}
    )
    assert answer.status_code == 200, answer.text
    for n in range(3):
        found = api.alpha.get("/v1/orders", params={"cl_ord_id": f"mass-{n}"}).json()["items"]
        server.until(api.alpha, found[0]["order_id"], lambda one: not one["is_open"], "cancelled")
    figures = api.operations.get("/v1/status").json()
    assert figures["led"] is True
    assert figures["journal_seq"] > 0
    assert figures["unknown_orders"] == 0


def kinds_of(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["kind"], one["type"]) for one in lines]


def test_an_orders_life_and_the_proof_of_the_record(server: Server) -> None:
    api = server.api
    body = ORDER | {"cl_ord_id": "story", "time_in_force": "IOC", "price": "90.00"}
    order_id = api.alpha.post("/v1/orders", json=body).json()["order_id"]
    server.until(api.alpha, order_id, lambda one: not one["is_open"], "expired or cancelled")

    def story() -> list[dict[str, Any]] | None:
        """The life, once it tells what went out: that is noted a little later."""
        found: list[dict[str, Any]] = api.compliance.get(url).json()["items"]
        return found if ("FIX_OUT", "D") in kinds_of(found) else None

    url = f"/v1/orders/{order_id}/audit"
    lines = eventually(story, "the story of the order")
    assert lines is not None
    kinds = kinds_of(lines)
    assert kinds[:2] == [("COMMAND", "NewOrderSingle"), ("EVENT", "OrderAccepted")]
    assert ("FIX_IN", "8") in kinds
    assert "user alpha" in lines[0]["who"]
    assert [one["seq"] for one in lines] == sorted(one["seq"] for one in lines)
    assert api.compliance.get("/v1/orders/story/audit").json()["items"] == lines
    problem(api.alpha.get(f"/v1/orders/{order_id}/audit"), 403, "forbidden")
    problem(api.compliance.get("/v1/orders/nothing/audit"), 404, "not-found")

    report = api.compliance.post("/v1/audit/verify").json()
    assert report["ok"] is True, report
    assert report["entries"] == report["last_seq"] > 0
    assert report["rows"]["orders"] > 0

    today = datetime.now(UTC).date()
    export = [
        line
        for day in (today - timedelta(days=1), today)
        for line in api.compliance.get(f"/v1/audit/export/{day}").text.splitlines()
    ]
    entries = [one for one in map(json.loads, export) if "seq" in one]
    assert [one["seq"] for one in entries[:3]] == [1, 2, 3]


def test_a_day_is_reconciled_on_request(server: Server) -> None:
    day = datetime.now(UTC).date().isoformat()
    body = {"trade_date": day, "venue": "XSIM"}
    answer = server.api.operations.post("/v1/recon/runs", json=body)
    assert answer.status_code == 201, answer.text
    run = answer.json()
    assert run["state"] == "failed"
    assert "trade_file_dir" in run["error"]
    assert server.api.compliance.get(answer.headers["location"]).json() == run
    again = server.api.operations.post("/v1/recon/runs", json=body).json()
    assert again["run_id"] > run["run_id"]
    problem(server.api.compliance.post("/v1/recon/runs", json=body), 403, "forbidden")
    wrong = server.api.operations.post("/v1/recon/runs", json=body | {"venue": "NONE"})
    problem(wrong, 422, "invalid-request")


def test_fix_and_rest_share_one_space_of_ids(server: Server) -> None:
    alpha = server.api.alpha
    body = ORDER | {"price": "95.00"}
    with server.fix_client() as peer:

        def fix_order(cl_ord_id: str) -> Message:
            since = len(peer.messages)
            peer.send("D", order_fields(cl_ord_id))
            return peer.wait_for(
                lambda m: m.msg_type == "8" and m.get(11) == cl_ord_id, PATIENCE_S, since
            )

        first = alpha.post("/v1/orders", json=body | {"cl_ord_id": "shared-1"})
        assert first.status_code == 201, first.text
        report = fix_order("shared-1")
        assert (report.get(150), report.get(103), report.get(37)) == (
            "8",
            "6",
            first.json()["order_id"],
        )

        report = fix_order("shared-2")
        order_id = report.get(37)
        assert report.get(39) in {"A", "0"}
        same = alpha.post("/v1/orders", json=body | {"cl_ord_id": "shared-2"})
        assert (same.status_code, same.json()["order_id"]) == (201, order_id)
        other = {"cl_ord_id": "shared-1", "order_qty": "50", "price": "95.00"}
        answer = alpha.put(f"/v1/orders/{order_id}", json=other)
        assert problem(answer, 409, "invalid-request")

        since = len(peer.messages)
        assert alpha.delete(f"/v1/orders/{order_id}", params={"cl_ord_id": "gone"}).is_success
        told = peer.wait_for(
            lambda m: m.msg_type == "8" and m.get(39) == "4" and m.get(37) == order_id,
            PATIENCE_S,
            since,
        )
        assert told.get(11) == "gone"


def test_events_can_be_resumed(server: Server) -> None:
    def read(after: int, count: int) -> list[int]:
        numbers: list[int] = []
        with server.api.admin.stream("GET", "/v1/events", params={"after": after}) as answer:
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    numbers.append(int(line[4:]))
                if len(numbers) == count:
                    break
        return numbers

    # What a stream begins with is where it stands, for who loses it before the first event.
    first = read(0, 7)
    assert first == sorted(set(first))
    assert first[0] == 0
    assert read(first[3], 4) == first[3:]


def test_an_order_sent_while_no_core_leads_is_taken_by_the_next(server: Server) -> None:
    api = server.api
    server.core.kill()
    settings_wait = server.settings.api.answer_wait_ms
    assert settings_wait >= 10_000
    order = ORDER | {"cl_ord_id": "meanwhile", "price": "97.00"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.alpha.post, "/v1/orders", json=order)
        server.core.start()
        answer = waiting.result(timeout=60)
    if answer.status_code == 202:  # a slow machine: it is asked for
        answer = api.alpha.post("/v1/orders", json=order)
    assert answer.status_code == 201, answer.text
    server.wait_ready()
    found = api.alpha.get("/v1/orders", params={"cl_ord_id": "meanwhile"}).json()["items"]
    assert len(found) == 1
    assert server.core.stop() == 0
