"""No wish is silently dropped: unknown parameters and fields, and bodies that are no plain JSON."""

import json
import re
from typing import Any

import pytest

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
