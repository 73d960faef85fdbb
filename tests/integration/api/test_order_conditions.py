"""Orders with conditions over REST: asked for, shown, replaced and withdrawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api.core_rig import Server, whole_server
from tests.integration.api.test_core import ORDER
from tests.support.postgres import Databases


@pytest.fixture
def server(migrated_databases: Databases, tmp_path: Path) -> Iterator[Server]:
    url = migrated_databases.take()
    with whole_server(url, tmp_path) as server:
        yield server
    migrated_databases.drop(url)


def test_an_order_with_conditions_is_shown_and_told_as_it_was_asked(server: Server) -> None:
    api = server.api
    asked = {"ord_type": "STOP_LIMIT", "stop_px": "150", "exec_inst": ["NOT_HELD"]}
    body = ORDER | asked | {"cl_ord_id": "stop", "price": "151", "account": "ALPHA-2"}
    answer = api.alpha.post("/v1/orders", json=body)
    assert answer.status_code == 201, answer.text
    order = answer.json()
    shown = {name: order[name] for name in asked}
    assert shown == asked
    assert (order["triggered_at"], order["min_qty"], order["status"]) == (None, None, "NEW")
    assert api.alpha.post("/v1/orders", json=body).json()["order_id"] == order["order_id"]
    url = f"/v1/orders/{order['order_id']}"
    assert api.alpha.get(url).json()["stop_px"] == "150"
    found = api.alpha.get("/v1/orders", params={"cl_ord_id": "stop"}).json()["items"]
    assert [one["exec_inst"] for one in found] == [["NOT_HELD"]]
    changed = {"cl_ord_id": "stop-2", "order_qty": "5", "price": "149", "stop_px": "148"}
    assert api.alpha.put(url, json=changed).status_code == 200
    assert api.alpha.get(url).json()["stop_px"] == "148"
    assert api.alpha.delete(url, params={"cl_ord_id": "stop-3"}).status_code == 200
    neither = {name: value for name, value in ORDER.items() if name != "order_qty"}
    told = api.alpha.post("/v1/orders", json=neither | {"cl_ord_id": "none"}).json()
    assert told["errors"][0]["rule"] == "is required, or cash_order_qty in its place"
    cash = neither | {"cl_ord_id": "cash", "cash_order_qty": "1000", "price": "90.00"}
    answer = api.alpha.post("/v1/orders", json=cash)
    assert answer.status_code == 201, answer.text
    bought = answer.json()
    assert (bought["order_qty"], bought["cash_px"], bought["cash_px_source"]) == (
        "11",
        "90.00",
        "Price (44)",
    )
    reports = api.alpha.get("/v1/reports", params={"after": 0, "limit": 100}).json()["items"]
    told = [one for one in reports if one["order_id"] == order["order_id"]]
    kinds = ["NEW", "PENDING_REPLACE", "REPLACED", "PENDING_CANCEL", "CANCELED"]
    assert [one["exec_type"] for one in told] == kinds
    assert [one["stop_px"] for one in told] == ["150", "150", "148", "148", "148"]
    assert (told[0]["exec_inst"], told[0]["day_cum_qty"]) == (["NOT_HELD"], None)
