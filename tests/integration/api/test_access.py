"""Keys, roles, validation, and what every answer has in common."""

import json
import threading

import httpx
import pytest

from oms.api.routers import health
from tests.integration.api.rig import ORDER, problem
from tests.support.api import Api
from tests.support.processes import eventually


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "x" * 10_000},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic ZXhhbXBsZS1rZXktYWxwaGE6"},
    ],
)
def test_without_a_good_key_nothing_is_answered(api: Api, headers: dict[str, str]) -> None:
    for path in ("/v1/orders", "/v1/nothing", "/v1/orders/x"):
        answer = api.anonymous.get(path, headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    answer = api.anonymous.post("/v1/orders", content=b"{" * 200_000, headers=headers)
    problem(answer, 401, "unauthorized")


def test_a_key_may_come_as_bearer_token(api: Api) -> None:
    headers = {"Authorization": "Bearer example-key-alpha"}
    assert api.anonymous.get("/v1/positions", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        (
            "alpha",
            "PUT",
            "/v1/risk/limits",
            {"rule": "R", "level": "L", "value": "1", "reason": "r"},
        ),
        (
            "operations",
            "PUT",
            "/v1/risk/limits",
            {"rule": "R", "level": "L", "value": "1", "reason": "r"},
        ),
        ("alpha", "POST", "/v1/kill-switch/engage", {"level": "FIRM", "reason": "r"}),
        ("operations", "POST", "/v1/kill-switch/release", {"level": "FIRM", "reason": "r"}),
        ("compliance", "POST", "/v1/trading-day/close", {"trade_date": "2026-11-20"}),
        ("compliance", "POST", "/v1/orders", ORDER),
        ("operations", "POST", "/v1/orders", ORDER),
        ("alpha", "GET", "/v1/recon/runs", None),
        ("alpha", "GET", "/v1/status", None),
        ("alpha", "GET", "/v1/orphans", None),
        ("compliance", "POST", "/v1/orders/X/resolve", {"outcome": "CANCELED", "reason": "r"}),
    ],
)
def test_what_a_role_may_not_do(
    api: Api, name: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    client: httpx.Client = getattr(api, name)
    problem(client.request(method, path, json=body), 403, "forbidden")


@pytest.mark.parametrize(
    ("change", "field", "value", "rule"),
    [
        (
            {"order_qty": 1.5},
            "order_qty",
            "1.5",
            "must be a decimal number in a string, as a JSON number loses digits",
        ),
        (
            {"order_qty": float("nan")},
            "order_qty",
            "NaN",
            "must be a decimal number in a string, as a JSON number loses digits",
        ),
        (
            {"price": True},
            "price",
            "true",
            "must be a decimal number in a string, as a JSON number loses digits",
        ),
        (
            {"order_qty": "1e5"},
            "order_qty",
            "1e5",
            "must be a decimal number without exponent",
        ),
        ({"price": "NaN"}, "price", "NaN", "must be a decimal number without exponent"),
        (
            {"price": "1.00000000001"},
            "price",
            "1.00000000001",
            "must have at most 10 decimals",
        ),
        (
            {"order_qty": "9" * 40},
            "order_qty",
            "9" * 40,
            "must have at most 15 digits before the point",
        ),
        ({"order_qty": 10**30}, "order_qty", str(10**30), "has too many digits"),
        ({"side": "1"}, "side", "1", "must be one of BUY, SELL, SELL_SHORT"),
        (
            {"ord_type": "TRAIL"},
            "ord_type",
            "TRAIL",
            "must be one of MARKET, LIMIT, STOP, STOP_LIMIT, PEGGED",
        ),
        (
            {"time_in_force": None},
            "time_in_force",
            "null",
            "must be one of DAY, GTC, OPG, IOC, FOK, GTD, CLS",
        ),
        ({"cash_order_qty": "5"}, "cash_order_qty", "5", "must not stand together with order_qty"),
        (
            {"exec_inst": ["ASAP"]},
            "exec_inst.0",
            "ASAP",
            (
                "must be one of NOT_HELD, ALL_OR_NONE, MIDPOINT_PEG,"
                " CANCEL_ON_SYSTEM_FAILURE, PRIMARY_PEG, REINSTATE_ON_TRADING_HALT,"
                " CANCEL_ON_TRADING_HALT, CANCEL_IF_NOT_BEST"
            ),
        ),
        ({"colour": "red"}, "colour", "red", "unknown field"),
        (
            {"cl_ord_id": "a\x01b"},
            "cl_ord_id",
            "a\x01b",
            "must be printable ASCII characters, the first and the last no blank",
        ),
        (
            {"cl_ord_id": "\x00"},
            "cl_ord_id",
            "\x00",
            "must be printable ASCII characters, the first and the last no blank",
        ),
        (
            {"cl_ord_id": "x" * 65},
            "cl_ord_id",
            "x" * 65,
            "must have at most 64 characters",
        ),
    ],
)
def test_a_wrong_field_is_named_with_value_and_rule(
    api: Api, change: dict[str, object], field: str, value: str, rule: str
) -> None:
    text = json.dumps(ORDER | change)
    answer = api.alpha.post(
        "/v1/orders", content=text, headers={"content-type": "application/json"}
    )
    body = problem(answer, 422, "invalid-request")
    assert body["errors"] == [{"field": field, "value": value, "rule": rule}]
    assert body["detail"] == f"{field} = {value}: {rule}"
    assert body["instance"] == "/v1/orders"


def test_a_missing_field_and_a_wrong_body(api: Api) -> None:
    lacking = {key: value for key, value in ORDER.items() if key != "symbol"}
    body = problem(api.alpha.post("/v1/orders", json=lacking), 422, "invalid-request")
    assert body["errors"] == [{"field": "symbol", "value": "", "rule": "is missing"}]
    header = {"content-type": "application/json"}
    answer = api.alpha.post("/v1/orders", content=b"{not json", headers=header)
    assert problem(answer, 400, "invalid-request")["errors"][0]["rule"].startswith("must be JSON")
    answer = api.alpha.post("/v1/orders", content=b"[" * 60_000, headers=header)
    assert answer.status_code in {400, 422}
    answer = api.alpha.post("/v1/orders", content=b'{"cl_ord_id": "\xff"}', headers=header)
    assert answer.status_code in {400, 422}
    answer = api.alpha.post("/v1/orders", content=b'{"cl_ord_id": "\\ud800"}', headers=header)
    problem(answer, 422, "invalid-request")


def test_two_megabytes_of_text_are_refused(api: Api) -> None:
    answer = api.alpha.post("/v1/orders", json=ORDER | {"text": "x" * 2_000_000})
    problem(answer, 413, "request-entity-too-large")
    assert api.alpha.get("/v1/orders").status_code == 200


def test_no_such_path_or_method(api: Api) -> None:
    told = problem(api.alpha.get("/v1/nothing"), 404, "not-found")
    assert told["detail"] == "/v1/nothing: no such path; GET /openapi.json lists them all"
    answer = api.alpha.patch("/v1/orders", json={})
    told = problem(answer, 405, "method-not-allowed")
    assert told["detail"] == "PATCH /v1/orders: must be one of GET, POST"
    assert answer.headers["allow"] == "GET, POST"
    answer = api.anonymous.delete("/health")
    told = problem(answer, 405, "method-not-allowed")
    assert told["detail"] == "DELETE /health: must be one of GET"
    answer = api.alpha.post("/v1/orders/X-1", json={})
    assert problem(answer, 405, "method-not-allowed")["detail"].endswith("of DELETE, GET, PUT")


def test_health_without_a_leader(api: Api) -> None:
    assert api.anonymous.get("/health").json() == {"status": "ok"}
    ready = api.anonymous.get("/ready")
    assert ready.status_code == 503
    assert ready.json() == {"ready": False, "database": True, "leader": False}
    figures = api.operations.get("/v1/status").json()
    assert (figures["led"], figures["journal_seq"]) == (False, 0)
    metrics = api.anonymous.get("/metrics").text
    assert 'plumbline_api_requests_total{method="GET",route="/ready",status="503"}' in metrics


def test_a_database_that_does_not_answer_keeps_nobody_waiting(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen it neither answers nor refuses, and whoever balances the load has to be told."""
    thawed = threading.Event()
    monkeypatch.setattr(health, "is_led", lambda *_: thawed.wait(60))
    try:
        for _ in range(2):
            ready = api.anonymous.get("/ready")
            assert ready.status_code == 503
            assert ready.json() == {"ready": False, "database": False, "leader": False}
    finally:
        thawed.set()
    monkeypatch.undo()
    assert eventually(lambda: api.anonymous.get("/ready").json()["database"], "an answer again")


def test_methods_that_nothing_has_make_no_metrics_of_their_own(api: Api) -> None:
    for method in ("LOCK", "PROPFIND"):
        assert api.anonymous.request(method, "/ready").status_code == 405
    metrics = api.anonymous.get("/metrics").text
    assert 'plumbline_api_requests_total{method="other",route=' in metrics
    assert "PROPFIND" not in metrics


def test_the_openapi_document_is_complete(api: Api) -> None:
    document = api.anonymous.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"api_key", "bearer"}
    schemas = document["components"]["schemas"]
    assert schemas["NewOrder"]["properties"]["order_qty"]["anyOf"][0]["type"] == "string"
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["summary"], (path, method)
            if not path.startswith("/v1/"):
                continue
            problems = [answer for code, answer in route["responses"].items() if code >= "4"]
            assert problems, (path, method)
            for answer in problems:
                assert "application/problem+json" in answer["content"], (path, method)
            body = route.get("requestBody")
            if body is not None:
                name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert schemas[name].get("examples"), name


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "trade_date=2026-13-01",
        "since=2026-11-20T10:00:00",
        "account=%00",
    ],
)
def test_wrong_filters_are_named(api: Api, query: str) -> None:
    body = problem(api.alpha.get(f"/v1/orders?{query}"), 422, "invalid-request")
    assert body["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "eA", "8J-SqQ", "LTEKeA", "MjAyNi0xMS0yMAp4"])
def test_a_made_up_cursor_is_refused(api: Api, cursor: str) -> None:
    for path in ("/v1/orders", "/v1/executions", "/v1/positions"):
        answer = api.operations.get(path, params={"cursor": cursor})
        if answer.status_code != 200:
            body = problem(answer, 422, "invalid-request")
            assert body["errors"][0]["field"] == "cursor"


def test_the_reference_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = api.anonymous.get("/docs").text
    assert "/v1/orders/{order_id}/cancel" in page
    assert "cl_ord_id&quot;: &quot;A-20261121-0001" in page
    assert "<script" not in page
    assert "http" not in page.replace("HTTP", "")
