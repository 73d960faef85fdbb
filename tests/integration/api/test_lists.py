"""Lists of orders over REST: which there are, how they stand, and who sees them."""

from typing import Any

import psycopg
import pytest

from tests.integration.api.rig import add_order, problem
from tests.support.api import Api

Rows = psycopg.Connection[tuple[Any, ...]]
AT = "2026-11-20T10:00:00Z"


def add_list(rows: Rows, seq: int, name: str = "L-1", **more: object) -> None:
    """A list as the projector writes it, with an order of each account that is given."""
    values: dict[str, object] = {
        "seq": seq,
        "at": AT,
        "client": "ALPHA",
        "list_id": name,
        "session": "ALPHA",
        "trade_date": "2026-11-20",
        "tot_no_orders": 2,
        "begun_at": AT,
    } | more
    marks = ", ".join(["%s"] * len(values))
    query = f"INSERT INTO order_lists ({', '.join(values)}) VALUES ({marks})"
    rows.execute(query.encode(), list(values.values()))


def add_listed(rows: Rows, seq: int, number: int, order_id: str | None, account: str) -> None:
    rows.execute(
        "INSERT INTO list_orders VALUES (%s, %s, %s, %s, 'AAPL', '1', 10, %s, %s)",
        (seq, number, f"c{number}", account, order_id, seq),
    )


def test_a_list_is_shown_with_its_orders(api: Api, rows: Rows) -> None:
    add_list(rows, 5)
    add_list(rows, 9)
    add_order(rows, "O-1")
    add_listed(rows, 9, 1, "O-1", "ALPHA-1")
    add_listed(rows, 9, 2, None, "ALPHA-1")
    shown = api.alpha.get("/v1/lists/L-1").json()
    assert (shown["seq"], shown["status"], shown["open_orders"]) == (9, "EXECUTING", 1)
    first, second = shown["orders"]
    assert (first["order_id"], first["status"], first["cum_qty"]) == (
        *("O-1", "PARTIALLY_FILLED", "4"),
    )
    assert (first["side"], first["ord_status"], first["leaves_qty"]) == (
        *("BUY", "PARTIALLY_FILLED", "6"),
    )
    assert (second["cl_ord_id"], second["order_id"], second["ord_status"]) == ("c2", None, None)


@pytest.mark.parametrize(
    ("more", "is_open", "status"),
    [
        ({"begun_at": None}, True, "WAITING"),
        ({"begun_at": None, "canceled_at": AT, "done_at": AT}, True, "ALL_DONE"),
        ({}, True, "EXECUTING"),
        ({"canceled_at": AT}, True, "CANCELLING"),
        ({"done_at": AT}, False, "ALL_DONE"),
    ],
)
def test_how_a_list_stands(
    api: Api, rows: Rows, more: dict[str, object], is_open: bool, status: str
) -> None:
    add_list(rows, 5, **more)
    add_order(rows, "O-1", is_open=is_open)
    add_listed(rows, 5, 1, "O-1", "ALPHA-1")
    assert api.alpha.get("/v1/lists/L-1").json()["status"] == status


def test_lists_are_found_and_paged(api: Api, rows: Rows) -> None:
    for seq in range(5, 10):
        add_list(rows, seq, f"L/{seq % 2}", trade_date=f"2026-11-1{seq % 3}")

    def seen(**params: str) -> list[int]:
        answer = api.operations.get("/v1/lists", params=params)
        assert answer.status_code == 200, answer.text
        return [one["seq"] for one in answer.json()["items"]]

    assert seen() == [9, 8, 7, 6, 5]
    assert seen(list_id="L/1") == [9, 7, 5]
    assert seen(trade_date="2026-11-10") == [9, 6]
    assert seen(client="BETA") == []
    page = api.operations.get("/v1/lists", params={"limit": "2"}).json()
    assert seen(limit="2", cursor=page["next"]) == [7, 6]
    assert api.operations.get("/v1/lists/L%2F0").json()["seq"] == 8
    assert api.operations.get("/v1/lists/L/1", params={"client": "ALPHA"}).json()["seq"] == 9
    problem(api.operations.get("/v1/lists/L-0"), 404, "not-found")


def test_a_client_sees_its_own_lists_and_a_key_the_orders_of_its_accounts(
    api: Api, rows: Rows
) -> None:
    add_list(rows, 5)
    add_listed(rows, 5, 1, None, "ALPHA-1")
    for seq, accounts in ((6, ("BETA-1", "BETA-3")), (7, ("BETA-3", "BETA-3"))):
        add_list(rows, seq, f"B-{seq}", client="BETA")
        for number, account in enumerate(accounts, start=1):
            add_listed(rows, seq, number, None, account)
    assert [one["seq"] for one in api.alpha.get("/v1/lists").json()["items"]] == [5]
    assert [one["seq"] for one in api.beta.get("/v1/lists").json()["items"]] == [6]
    shown = api.beta.get("/v1/lists/B-6").json()
    assert [one["account"] for one in shown["orders"]] == ["BETA-1"]
    for name in ("L-1", "B-7"):
        problem(api.beta.get(f"/v1/lists/{name}"), 404, "not-found")
    assert len(api.compliance.get("/v1/lists/B-7").json()["orders"]) == 2
