"""Reports read over REST are those that FIX brought, from any point on, each once."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.domain.fix import ExecType, OrdStatus
from tests.integration.api.core_rig import PATIENCE_S, Server, whole_server
from tests.integration.api.rig import problem
from tests.integration.api.test_core import ORDER, order_fields
from tests.support.postgres import Databases
from tests.support.processes import eventually

Told = tuple[str | None, ...]


@pytest.fixture(scope="module")
def server(
    migrated_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    url = migrated_databases.take()
    directory = Path(tmp_path_factory.mktemp("server"))
    with whole_server(url, directory, liquidity={"depth": 3}) as server:
        yield server
    migrated_databases.drop(url)


@pytest.fixture(scope="module")
def peer(server: Server) -> Iterator[LightPeer]:
    with server.fix_client() as peer:
        yield peer


def pages(client: httpx.Client, after: int, limit: int = 200) -> tuple[list[dict[str, Any]], int]:
    """All reports behind that token, and the token behind them."""
    found: list[dict[str, Any]] = []
    for _ in range(1_000):
        answer = client.get("/v1/reports", params={"after": after, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        after = page["next"]
        if not page["more"]:
            return found, after
    raise AssertionError("no end of pages")


def by_fix(message: Message) -> Told:
    """What a report says, as the client had it."""
    if message.msg_type == "9":
        return ("9", *(message.get(tag) for tag in (11, 41, 39, 434, 102)))
    tags = (17, 11, 41, 150, 39, 38, 14, 151, 32, 31, 6, 103, 58)
    return ("8", *(_plain(message.get(tag)) for tag in tags))


def by_rest(report: dict[str, Any]) -> Told:
    """The same of a report over REST."""
    status = OrdStatus[report["ord_status"]].value
    if report["msg_type"] == "9":
        ids = (report["cl_ord_id"], report["orig_cl_ord_id"])
        return ("9", *ids, status, report["cxl_rej_response_to"], report["cxl_rej_reason"])
    exec_type = ExecType[report["exec_type"]].value
    names = (report["exec_id"], report["cl_ord_id"], report["orig_cl_ord_id"])
    quantities = ("order_qty", "cum_qty", "leaves_qty", "last_qty", "last_px", "avg_px")
    figures = [report[name] for name in quantities]
    told = (*names, exec_type, status, *figures, report["ord_rej_reason"], report["text"])
    return ("8", *(_plain(one) for one in told))


def _plain(value: str | None) -> str | None:
    if not value:
        return None
    try:
        return str(Decimal(value).normalize())
    except ArithmeticError:
        return value


def had(peer: LightPeer) -> list[Told]:
    """Every report that the client has had, but for resends of the session layer."""
    told = [m for m in peer.messages if m.msg_type in {"8", "9"} and m.get(150) != "I"]
    return [by_fix(m) for m in told if not m.poss_dup]


def report_on(peer: LightPeer, name: str, exec_type: str) -> Message:
    return peer.wait_for(
        lambda m: m.msg_type == "8" and m.get(11) == name and m.get(150) == exec_type, PATIENCE_S
    )


def fields(name: str, **more: str) -> list[tuple[int, str]]:
    changed = {int(tag[1:]): value for tag, value in more.items()}
    return [(tag, changed.get(tag, value)) for tag, value in order_fields(name)]


def a_busy_hour(peer: LightPeer) -> None:
    """Orders that rest, trade, are replaced, cancelled, refused."""
    peer.send("D", fields("r1"))
    report_on(peer, "r1", "0")
    peer.send("D", fields("r1"))  # a duplicate
    report_on(peer, "r1", "8")
    replace = {"t11": "r2", "t38": "200"}
    peer.send("G", [(41, "r1"), *fields("r1", **replace)])
    report_on(peer, "r2", "5")
    peer.send("F", [(11, "r3"), (41, "r2"), (55, "ACME"), (54, "1"), (38, "200")])
    report_on(peer, "r3", "4")
    peer.send("F", [(11, "r4"), (41, "r3"), (55, "ACME"), (54, "1"), (38, "200")])
    peer.wait_for(lambda m: m.msg_type == "9" and m.get(11) == "r4", PATIENCE_S)
    peer.send("D", fields("t1", t44="110.00"))
    peer.wait_for(lambda m: m.get(11) == "t1" and m.get(39) == "2", PATIENCE_S)
    peer.send("D", fields("x1", t38="999999"))
    report_on(peer, "x1", "8")


def test_what_fix_told_rest_tells_too(server: Server, peer: LightPeer) -> None:
    alpha = server.api.alpha
    a_busy_hour(peer)
    expected = had(peer)
    found, after = pages(alpha, 0)
    assert [by_rest(one) for one in found] == expected
    one_by_one, later = pages(alpha, 0, limit=1)
    assert one_by_one == found
    assert int(later) >= int(after)  # the journal goes on: what was sent is noted in it
    assert [one["seq"] for one in found] == sorted({one["seq"] for one in found})
    middle = found[len(found) // 2]["seq"]
    rest, _ = pages(alpha, middle)
    assert rest == [one for one in found if one["seq"] > middle]
    assert pages(server.api.beta, 0)[0] == []
    assert pages(server.api.compliance, 0)[0] == found


def test_who_was_away_gets_what_was_missed_once(server: Server, peer: LightPeer) -> None:
    alpha, operations = server.api.alpha, server.api.operations
    peer.send("D", fields("m1"))
    order_id = report_on(peer, "m1", "0").get(37)
    eventually(
        lambda: server.order(alpha, str(order_id))["children"][0]["status"] == "NEW",
        "the order to work at its venue",
    )
    _, token = pages(alpha, 0)
    peer.kill()
    answer = operations.post(f"/v1/orders/{order_id}/cancel", json={"cl_ord_id": "m2"})
    assert answer.status_code == 200, answer.text
    server.until(alpha, str(order_id), lambda one: not one["is_open"], "the cancel")
    missed, token = pages(alpha, token)
    assert [one["exec_type"] for one in missed] == ["PENDING_CANCEL", "CANCELED"]
    assert pages(alpha, token) == ([], token)
    seen = len(peer.messages)
    peer.reconnect()
    peer.wait_for(lambda m: m.get(150) == "4" and m.get(11) == "m2", PATIENCE_S, seen)
    again = [m.get(17) for m in peer.messages[seen:] if m.msg_type == "8"]
    assert again == [one["exec_id"] for one in missed]


def test_orders_by_rest_are_told_of_too(server: Server) -> None:
    alpha = server.api.alpha
    _, token = pages(alpha, 0)
    answer = alpha.post("/v1/orders", json=ORDER | {"cl_ord_id": "o1", "price": "110.00"})
    assert answer.status_code == 201, answer.text

    def told() -> list[dict[str, Any]]:
        page = alpha.get("/v1/reports", params={"after": token, "wait_ms": 5_000}).json()
        items: list[dict[str, Any]] = page["items"]
        return items if items and items[-1]["ord_status"] == "FILLED" else []

    reports = eventually(told, "the fill to be told")
    assert reports is not None
    assert reports[0]["exec_type"] == "NEW"
    assert {one["cl_ord_id"] for one in reports} == {"o1"}
    assert sum(Decimal(one["last_qty"] or 0) for one in reports) == Decimal(100)


def test_a_token_is_a_number_of_ours(server: Server) -> None:
    for wrong in ("-1", "x", str(1 << 63)):
        problem(
            server.api.alpha.get("/v1/reports", params={"after": wrong}), 422, "invalid-request"
        )
    far = server.api.alpha.get("/v1/reports", params={"after": (1 << 62)}).json()
    assert far == {"items": [], "next": 1 << 62, "more": False}
