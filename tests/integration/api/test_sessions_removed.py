"""A client that is not configured, and for whom messages wait, is shown to operations."""

from typing import Any

import psycopg

from tests.support.api import Api

Rows = psycopg.Connection[tuple[Any, ...]]


def test_what_waits_for_a_client_that_is_gone_is_shown_until_it_has_left(
    api: Api, rows: Rows
) -> None:
    rows.execute(
        "INSERT INTO sessions (name, epoch, inbound, outbound, updated_at, logged_on,"
        " undelivered, undelivered_from, undelivered_since)"
        " VALUES ('GONE', 0, 3, 4, now(), true, 3, 7, now())"
    )
    shown = api.operations.get("/v1/sessions/GONE").json()
    assert shown["kind"] == "removed"
    assert shown["status"] == "NOT_CONFIGURED"
    assert shown["logged_on"] is False
    assert shown["undelivered"] == 3
    assert shown["undelivered_since"]
    listed = api.operations.get("/v1/sessions").json()["items"]
    assert listed[-1] == shown
    assert api.alpha.get("/v1/sessions/GONE").status_code == 404
    assert "GONE" not in [one["name"] for one in api.alpha.get("/v1/sessions").json()["items"]]
    rows.execute("UPDATE sessions SET undelivered = 0 WHERE name = 'GONE'")
    assert api.operations.get("/v1/sessions/GONE").status_code == 404
    assert len(api.operations.get("/v1/sessions").json()["items"]) == len(listed) - 1
