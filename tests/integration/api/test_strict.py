"""No wish is silently dropped: unknown parameters and fields, and bodies that are no plain JSON."""

import json
import re
from typing import Any

import pytest

from oms.api.values import PATTERNS, PRINTABLE
from tests.integration.api.rig import ORDER, problem
from tests.support.api import Api

JSON = {"content-type": "application/json"}


def operations(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """Every method and path of the document, with what it says of it."""
    paths = api.anonymous.get("/openapi.json").json()["paths"]
    found = [
        (method.upper(), path, route)
        for path, methods in paths.items()
        for method, route in methods.items()
    ]
    assert len(found) > 30
    return found


def place(path: str) -> str:
    """The path with something in its gaps."""
    return re.sub(r"\{\w+\}", "1", path)


def test_every_route_refuses_an_unknown_parameter(api: Api) -> None:
    for method, path, route in operations(api):
        known = sorted(one["name"] for one in route.get("parameters", ()) if one["in"] == "query")
        answer = api.admin.request(method, place(path), params={"colour": "red"})
        allowed = f"must be one of {', '.join(known)}" if known else "this route takes none"
        fault = {"field": "colour", "value": "red", "rule": f"unknown parameter: {allowed}"}
        assert problem(answer, 422, "invalid-request")["errors"] == [fault], (method, path)
    for path in ("/docs", "/openapi.json"):
        problem(api.anonymous.get(path, params={"colour": "red"}), 422, "invalid-request")


def test_a_misspelt_filter_shows_nobodys_orders(api: Api) -> None:
    body = problem(api.operations.get("/v1/positions?acount=X"), 422, "invalid-request")
    assert body["detail"] == (
        "acount = X: unknown parameter: must be one of account, cursor, limit, only_open, symbol"
    )


def test_a_parameter_given_twice(api: Api) -> None:
    body = problem(api.alpha.get("/v1/orders?account=A&account=B"), 422, "invalid-request")
    assert body["errors"] == [{"field": "account", "value": "B", "rule": "must be given once"}]


def test_every_route_refuses_an_unknown_field_or_a_body_where_none_is_taken(api: Api) -> None:
    content = json.dumps({"colour": "red"})
    for method, path, route in operations(api):
        answer = api.admin.request(method, place(path), content=content, headers=JSON)
        errors = problem(answer, 422, "invalid-request")["errors"]
        if "requestBody" in route:
            fault = {"field": "colour", "value": "red", "rule": "unknown field"}
        else:
            rule = "must be empty: this route takes none"
            fault = {"field": "body", "value": content, "rule": rule}
        assert fault in errors, (method, path, errors)


@pytest.mark.parametrize(
    ("content", "status", "field", "rule"),
    [
        (b'{"cl_ord_id": "a", "cl_ord_id": "b"}', 422, "cl_ord_id", "must be given once"),
        (b"{not json", 400, "body", "must be JSON: Expecting property name enclosed in double"),
        (b'{"cl_ord_id": "\xff"}', 400, "body", "must be JSON: is not UTF-8"),
        (b"[" * 60_000, 400, "body", "must be JSON: is nested too deep"),
        (b'{"order_qty": ' + b"9" * 5_000 + b"}", 400, "body", "must be JSON: holds a number with"),
        (b"", 422, "body", "is missing"),
    ],
)
def test_a_body_that_is_no_plain_document(
    api: Api, content: bytes, status: int, field: str, rule: str
) -> None:
    answer = api.alpha.post("/v1/orders", content=content, headers=JSON)
    error = problem(answer, status, "invalid-request")["errors"][0]
    assert error["field"] == field
    assert error["rule"].startswith(rule)


@pytest.mark.parametrize("said", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind(api: Api, said: str) -> None:
    headers = {"content-type": said} if said else {}
    answer = api.alpha.post("/v1/orders", content=json.dumps(ORDER).encode(), headers=headers)
    body = problem(answer, 415, "invalid-request")
    rule = "must be application/json"
    assert body["errors"] == [{"field": "Content-Type", "value": said, "rule": rule}]


def test_the_document_tells_how_bodies_are_refused(api: Api) -> None:
    for method, path, route in operations(api):
        if "requestBody" in route:
            assert {"400", "413", "415", "422"} <= set(route["responses"]), (method, path)


@pytest.mark.parametrize(
    ("path", "change", "value", "rule"),
    [
        ("orders", {"text": "a\nb"}, "a\nb", "must be printable ASCII characters"),
        (
            "orders",
            {"text": "x" * 201},
            "x" * 97 + "...",
            "must have at most 200 characters",
        ),
        ("orders", {"symbol": 7}, "7", "must be a string"),
        ("orders", {"symbol": None}, "null", "must be a string"),
        ("orders", {"symbol": ["A"]}, '["A"]', "must be a string"),
        ("orders", {"symbol": "\ud800"}, "\\ud800", "must be Unicode text"),
        ("orders/X/resolve", {"outcome": 3}, "3", "must be one of CANCELED, REJECTED, NEW"),
        ("orders/X/resolve", {"reason": ""}, "", "must not be empty"),
        (
            "orders/X/resolve",
            {"reason": "a\x7fb"},
            "a\x7fb",
            "must be one line of text without control characters",
        ),
        ("kill-switch/engage", {"cancel_open_orders": 1}, "1", "must be true or false"),
        ("kill-switch/engage", {"cancel_open_orders": "no"}, "no", "must be true or false"),
        ("trading-day/close", {"trade_date": 20261120}, "20261120", "must be a date, as"),
        ("trading-day/close", {"trade_date": "2026-02-30"}, "2026-02-30", "must be a date"),
        ("trading-day/close", {"trade_date": float("inf")}, "Infinity", "must be a date"),
    ],
)
def test_the_rule_of_a_field_is_told_in_our_words(
    api: Api, path: str, change: dict[str, object], value: str, rule: str
) -> None:
    content = json.dumps(change)
    answer = api.admin.post(f"/v1/{path}", content=content, headers=JSON)
    (field,) = change
    faults = problem(answer, 422, "invalid-request")["errors"]
    (fault,) = [one for one in faults if one["field"] == field]
    assert fault["value"] == value
    assert fault["rule"].startswith(rule)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("limit=x", "must be a whole number"),
        ("limit=0", "must be at least 1"),
        ("limit=501", "must be at most 500"),
        ("is_open=1", "must be true or false"),
        ("trade_date=0", "must be a date, as 2026-11-20"),
        ("trade_date=20261120", "must be a date, as 2026-11-20"),
        ("since=1700000000", "must be a moment with its zone, as 2026-11-20T10:00:00Z"),
        ("since=2026-11-20T10:00:00", "must be a moment with its zone, as 2026-11-20T10:00:00Z"),
        ("until=2026-11-20T25:00:00Z", "must be a moment with its zone, as 2026-11-20T10:00:00Z"),
        ("status=FILED", "must be one of NEW, PARTIALLY_FILLED, FILLED"),
        ("cursor=%2b%2b", "must be the `next` of a page of this list"),
    ],
)
def test_the_rule_of_a_parameter_is_told_in_our_words(api: Api, query: str, rule: str) -> None:
    (fault,) = problem(api.alpha.get(f"/v1/orders?{query}"), 422, "invalid-request")["errors"]
    name, _, value = query.partition("=")
    assert (fault["field"], fault["value"]) == (name, value.replace("%2b", "+"))
    assert fault["rule"].startswith(rule)


def test_a_body_that_is_no_object(api: Api) -> None:
    body = problem(api.alpha.post("/v1/orders", json=[1]), 422, "invalid-request")
    assert body["detail"] == "body = [1]: must be a JSON object"


def test_every_pattern_of_the_document_has_its_words(api: Api) -> None:
    text = api.anonymous.get("/openapi.json").text
    patterns = {
        json.loads(f'"{one}"') for one in re.findall(r'"pattern":"((?:[^"\\]|\\.)*)"', text)
    }
    amounts = {one for one in patterns if "\\." in one}
    assert len(amounts) == 1
    assert patterns - amounts <= set(PATTERNS)
    assert PRINTABLE in patterns
