"""Orphans over REST: who sees them, and who decides about them."""

from typing import Any

import psycopg
import pytest

from tests.integration.api.rig import problem
from tests.support.api import Api

Rows = psycopg.Connection[tuple[Any, ...]]


def add_orphan(rows: Rows, seq: int, *, is_open: bool) -> None:
    rows.execute(
        "INSERT INTO orphans (seq, at, venue, session, cl_ord_id, exec_id, exec_type, ord_status,"
        " symbol, side, last_qty, last_px, is_open, settlement) VALUES (%s,"
        " '2026-11-20T10:00:00Z', 'XSIM', 'XSIM', 'whose', %s, 'F', '1', 'ACME', '1', 5, 9.5, %s,"
        " %s)",
        (seq, f"X-{seq}", is_open, "" if is_open else "ADOPTED"),
    )


def test_staff_lists_those_that_wait_or_those_that_do_not(api: Api, rows: Rows) -> None:
    add_orphan(rows, 7, is_open=True)
    add_orphan(rows, 9, is_open=False)

    def seen(**params: str) -> list[int]:
        answer = api.operations.get("/v1/orphans", params=params)
        assert answer.status_code == 200, answer.text
        return [one["seq"] for one in answer.json()["items"]]

    assert seen() == [9, 7]
    assert seen(is_open="true") == [7]
    assert seen(is_open="false", venue="XSIM") == [9]
    [shown] = api.operations.get("/v1/orphans", params={"is_open": True}).json()["items"]
    assert (shown["kind"], shown["last_px"], shown["settled_at"]) == ("UNKNOWN", "9.5", None)


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("alpha", "GET", "/v1/orphans", None),
        ("alpha", "POST", "/v1/orphans/7/adopt", {"reason": "r"}),
        ("compliance", "POST", "/v1/orphans/7/refuse", {"reason": "r"}),
    ],
)
def test_it_is_for_staff_and_operators(
    api: Api, name: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    problem(getattr(api, name).request(method, path, json=body), 403, "forbidden")


def test_a_decision_goes_to_the_core_with_who_and_why(api: Api, rows: Rows) -> None:
    adopt = {"reason": "ours", "account": "ALPHA-1"}
    refuse = {"reason": "not ours", "tell_venue": True}
    for path, body in (("adopt", adopt), ("refuse", refuse)):
        answer = api.operations.post(f"/v1/orphans/7/{path}", json=body)
        assert answer.status_code == 202, answer.text
    query = "SELECT convert_from(body, 'UTF8') FROM command_inbox WHERE command_type = %s"
    found = rows.execute(f"{query} ORDER BY id", ("DecideOrphan",)).fetchall()
    wanted = [
        '"orphan":7,"verdict":"ADOPT","reason":"ours","account":"ALPHA-1","tell_venue":false',
        '"orphan":7,"verdict":"REFUSE","reason":"not ours","account":"","tell_venue":true',
    ]
    assert [want in told for (told,), want in zip(found, wanted, strict=True)] == [True, True]
    problem(api.operations.post("/v1/orphans/7/adopt", json={}), 422, "invalid-request")
