"""Disputed executions over REST: who sees them, and who settles them."""

from typing import Any

import psycopg
import pytest

from tests.integration.api.rig import problem
from tests.support.api import Api


def add_dispute(
    rows: psycopg.Connection[tuple[Any, ...]], seq: int, resolved_at: str | None
) -> None:
    rows.execute(
        "INSERT INTO disputes (seq, at, client, order_id, child_id, venue, exec_id, report_id,"
        " dk_reason, resolved_at) VALUES (%s, '2026-11-20T10:00:00Z', 'ALPHA', 'O-1', 'O-1-1',"
        " 'XSIM', %s, 'E7', 'C', %s)",
        (seq, f"X-{seq}", resolved_at),
    )


def test_staff_lists_them_newest_first_open_ones_or_settled_ones(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_dispute(rows, 7, None)
    add_dispute(rows, 9, "2026-11-20T11:00:00Z")

    def seen(**params: str) -> list[int]:
        answer = api.operations.get("/v1/disputes", params=params)
        assert answer.status_code == 200, answer.text
        return [one["seq"] for one in answer.json()["items"]]

    assert seen() == [9, 7]
    assert seen(is_open="true") == [7]
    assert seen(is_open="false") == [9]
    assert seen(venue="NONE") == []
    assert seen(order_id="O-1", limit="1") == [9]
    [shown] = api.operations.get("/v1/disputes", params={"is_open": True}).json()["items"]
    assert (shown["client"], shown["exec_id"], shown["report_id"]) == ("ALPHA", "X-7", "E7")
    assert (shown["dk_reason"], shown["resolved_at"], shown["resolution"]) == ("C", None, "")


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("alpha", "GET", "/v1/disputes", None),
        ("alpha", "POST", "/v1/disputes/7/resolve", {"reason": "r"}),
        ("compliance", "POST", "/v1/disputes/7/resolve", {"reason": "r"}),
    ],
)
def test_it_is_for_staff_and_operators(
    api: Api, name: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    problem(getattr(api, name).request(method, path, json=body), 403, "forbidden")


def test_a_resolution_goes_to_the_core_with_who_and_why(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    answer = api.operations.post("/v1/disputes/7/resolve", json={"reason": "it is theirs"})
    assert answer.status_code == 202, answer.text
    query = "SELECT convert_from(body, 'UTF8') FROM command_inbox WHERE command_type = %s"
    [(told,)] = rows.execute(query, ("ResolveDispute",)).fetchall()
    assert '"dispute":7,"reason":"it is theirs"' in told
    problem(
        api.operations.post("/v1/disputes/0/resolve", json={"reason": "r"}), 422, "invalid-request"
    )
