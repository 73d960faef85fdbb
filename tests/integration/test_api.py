"""The API before any core answers: keys, validation, pages, the way of a command into the inbox."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from oms.domain.commands import Channel, NewOrderSingle
from oms.store.codec import decode
from tests.support.api import Api, running_api, settings_for_api
from tests.support.postgres import Databases

ORDER = {
    "cl_ord_id": "A-1",
    "account": "ALPHA-1",
    "symbol": "AAPL",
    "side": "BUY",
    "order_qty": "300",
    "ord_type": "LIMIT",
    "price": "227.50",
}


@pytest.fixture(scope="module")
def module_url(migrated_databases: Databases) -> Iterator[str]:
    url = migrated_databases.take()
    yield url
    migrated_databases.drop(url)


@pytest.fixture(scope="module")
def api(module_url: str) -> Iterator[Api]:
    with running_api(settings_for_api(), module_url) as api:
        yield api


@pytest.fixture
def rows(module_url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to the API's database, whose tables are empty again afterwards."""
    with psycopg.connect(module_url, autocommit=True) as connection:
        yield connection
        connection.execute(
            "TRUNCATE orders, child_orders, executions, positions, order_cl_ord_ids, refusals,"
            " orphans, risk_limits, kill_switches, recon_runs, recon_breaks, sessions"
        )


def add_order(
    rows: psycopg.Connection[tuple[Any, ...]], order_id: str, minute: int = 0, **more: object
) -> None:
    """A row of the blotter, as the projector writes it."""
    columns: dict[str, object] = {
        "order_id": order_id,
        "client": "ALPHA",
        "session": "ALPHA",
        "cl_ord_id": f"C-{order_id}",
        "account": "ALPHA-1",
        "symbol": "AAPL",
        "side": "1",
        "ord_type": "2",
        "price": "100.50",
        "time_in_force": "0",
        "order_qty": "10",
        "cum_qty": "4",
        "leaves_qty": "6",
        "avg_px": "100.1234567891",
        "ord_status": "1",
        "status": "PARTIALLY_FILLED",
        "is_open": True,
        "trade_date": "2026-11-20",
        "created_at": f"2026-11-20T10:{minute:02}:00Z",
        "updated_at": f"2026-11-20T10:{minute:02}:01Z",
        "last_seq": 7,
    } | more
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * len(columns))
    rows.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", list(columns.values()))


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document that the answer must be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:plumbline:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    return body


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
            "nan",
            "must be a decimal number in a string, as a JSON number loses digits",
        ),
        (
            {"price": True},
            "price",
            "True",
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
        ({"ord_type": "STOP"}, "ord_type", "STOP", "must be one of MARKET, LIMIT"),
        ({"time_in_force": None}, "time_in_force", "None", "must be one of DAY, IOC, FOK"),
        ({"colour": "red"}, "colour", "red", "unknown field"),
        (
            {"cl_ord_id": "a\x01b"},
            "cl_ord_id",
            "a\x01b",
            "String should match pattern '^[!-~]([ -~]*[!-~])?$'",
        ),
        (
            {"cl_ord_id": "\x00"},
            "cl_ord_id",
            "\x00",
            "String should match pattern '^[!-~]([ -~]*[!-~])?$'",
        ),
        (
            {"cl_ord_id": "x" * 65},
            "cl_ord_id",
            "x" * 65,
            "String should have at most 64 characters",
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
    problem(api.alpha.get("/v1/nothing"), 404, "not-found")
    problem(api.alpha.patch("/v1/orders", json={}), 405, "method-not-allowed")


def test_an_order_that_no_core_takes_is_kept_and_answered_with_202(
    api: Api, module_url: str
) -> None:
    answer = api.alpha.post("/v1/orders", json=ORDER)
    assert answer.status_code == 202
    where = answer.headers["location"]
    assert answer.json()["state"] == "new"
    again = api.alpha.post("/v1/orders", json=dict(reversed(ORDER.items())))
    assert (again.status_code, again.headers["location"]) == (202, where)
    assert again.headers["idempotent-replay"] == "true"

    state = api.alpha.get(where).json()
    assert (state["state"], state["accepted"], state["seq"]) == ("new", None, None)
    problem(api.beta.get(where), 404, "not-found")
    assert api.operations.get(where).status_code == 200

    with psycopg.connect(module_url) as connection:
        found = connection.execute(
            "SELECT command_type, body FROM command_inbox WHERE counterparty = 'ALPHA'"
        ).fetchall()
    assert len(found) == 1
    command = decode(found[0][0], bytes(found[0][1]))
    assert isinstance(command, NewOrderSingle)
    assert command.origin.channel is Channel.REST
    assert (command.origin.counterparty, command.origin.user) == ("ALPHA", "alpha")
    assert command.origin.accounts == ("ALPHA-1", "ALPHA-2", "ALPHA-3")
    assert str(command.price) == "227.50"


def test_the_same_id_with_another_body_is_a_conflict(api: Api) -> None:
    order = ORDER | {"cl_ord_id": "A-conflict"}
    assert api.alpha.post("/v1/orders", json=order).status_code == 202
    answer = api.alpha.post("/v1/orders", json=order | {"order_qty": "301"})
    body = problem(answer, 409, "invalid-request")
    assert body["errors"][0]["field"] == "cl_ord_id"
    # Another client's ids are its own.
    mine = order | {"account": "BETA-1"}
    assert api.beta.post("/v1/orders", json=mine).status_code == 202


def test_one_id_sent_many_times_at_once_is_one_command(api: Api, module_url: str) -> None:
    order = ORDER | {"cl_ord_id": "A-many"}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: api.alpha.post("/v1/orders", json=order), range(48)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["location"] for answer in answers}) == 1
    with psycopg.connect(module_url) as connection:
        count = connection.execute("SELECT count(*) FROM command_inbox WHERE key = 'A-many'")
        assert count.fetchone() == (1,)


def test_an_order_shows_exact_amounts_and_names(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    add_order(rows, "O-2", in_doubt=True, status="UNKNOWN", doubt_since="2026-11-20T10:00:00Z")
    shown = api.alpha.get("/v1/orders/O-1").json()
    assert (shown["price"], shown["avg_px"], shown["order_qty"]) == (
        "100.50",
        "100.1234567891",
        "10",
    )
    assert (shown["side"], shown["ord_type"], shown["time_in_force"]) == ("BUY", "LIMIT", "DAY")
    assert (shown["ord_status"], shown["status"]) == ("PARTIALLY_FILLED", "PARTIALLY_FILLED")
    assert (shown["children"], shown["executions"], shown["cl_ord_ids"]) == ([], [], [])
    doubtful = api.alpha.get("/v1/orders", params={"in_doubt": True}).json()["items"]
    assert [one["status"] for one in doubtful] == ["UNKNOWN"]


def test_a_client_sees_its_own_orders_and_a_key_its_own_accounts(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    add_order(rows, "O-2", client="BETA", account="BETA-1")
    add_order(rows, "O-3", client="BETA", account="BETA-3")

    def seen(client: httpx.Client) -> set[str]:
        return {one["order_id"] for one in client.get("/v1/orders").json()["items"]}

    assert seen(api.alpha) == {"O-1"}
    assert seen(api.beta) == {"O-2"}
    assert seen(api.compliance) == {"O-1", "O-2", "O-3"}
    problem(api.beta.get("/v1/orders/O-3"), 404, "not-found")
    problem(api.beta.get("/v1/orders/O-1"), 404, "not-found")
    for name, answer in (
        ("cancel", api.beta.post("/v1/orders/O-1/cancel", json={"cl_ord_id": "B-c"})),
        ("replace", api.beta.put("/v1/orders/O-3", json={"cl_ord_id": "B-r", "order_qty": "1"})),
        ("delete", api.beta.delete("/v1/orders/O-1", params={"cl_ord_id": "B-d"})),
    ):
        assert problem(answer, 404, "not-found"), name


def test_staff_cancels_in_the_clients_name(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    answer = api.operations.post("/v1/orders/O-1/cancel", json={"cl_ord_id": "desk-1"})
    assert answer.status_code == 202
    found = rows.execute(
        "SELECT counterparty, command_type, body FROM command_inbox WHERE key = 'desk-1'"
    ).fetchone()
    assert found is not None
    assert found[:2] == ("ALPHA", "OrderCancelRequest")
    origin = decode(found[1], bytes(found[2])).origin  # type: ignore[union-attr]
    assert (origin.channel, origin.user) == (Channel.OPERATOR, "operations")


def test_pages_are_whole_and_disjoint(api: Api, rows: psycopg.Connection[tuple[Any, ...]]) -> None:
    names = [f"O-{n:02}" for n in range(25)]
    for n, name in enumerate(names):
        add_order(rows, name, minute=n // 3)  # several of the same moment
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        answer = api.alpha.get("/v1/orders", params={"limit": 4, "cursor": cursor}).json()
        seen += [one["order_id"] for one in answer["items"]]
        cursor = answer["next"]
        if len(seen) == 8:
            add_order(rows, "O-late", minute=59)  # arrives in front of what is read already
        if not cursor:
            break
    assert seen == sorted(names, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "eA", "8J-SqQ", "LTEKeA", "MjAyNi0xMS0yMAp4"])
def test_a_made_up_cursor_is_refused(api: Api, cursor: str) -> None:
    for path in ("/v1/orders", "/v1/executions", "/v1/positions"):
        answer = api.operations.get(path, params={"cursor": cursor})
        if answer.status_code != 200:
            body = problem(answer, 422, "invalid-request")
            assert body["errors"][0]["field"] == "cursor"


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


def test_orders_are_found_by_any_name_of_their_chain(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1", cl_ord_id="second")
    add_order(rows, "O-2")
    rows.execute(
        "INSERT INTO order_cl_ord_ids (counterparty, cl_ord_id, order_id, seq) VALUES"
        " ('ALPHA', 'first', 'O-1', 1), ('ALPHA', 'second', 'O-1', 2)"
    )
    for name in ("first", "second"):
        found = api.alpha.get("/v1/orders", params={"cl_ord_id": name}).json()["items"]
        assert [one["order_id"] for one in found] == ["O-1"]
    assert api.alpha.get("/v1/orders/O-1").json()["cl_ord_ids"] == ["first", "second"]
    assert api.beta.get("/v1/orders", params={"cl_ord_id": "first"}).json()["items"] == []


def test_executions_and_positions_are_exact_and_scoped(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    add_order(rows, "O-1")
    rows.execute(
        "INSERT INTO executions (venue, exec_id, order_id, parent_id, account, symbol, side,"
        " last_qty, last_px, at, trade_date, excess, late, early, busted, latest_exec_id, seq)"
        " VALUES ('XSIM1', 'E1', 'O-1-1', 'O-1', 'ALPHA-1', 'AAPL', '1', 4, 100.10,"
        " now(), '2026-11-20', false, false, false, false, 'E1', 9)"
    )
    rows.execute(
        "INSERT INTO positions VALUES ('ALPHA-1', 'AAPL', 4, 100.10, 400.40, -0.000000000001,"
        " 4, 0, 400.40, 0, now(), 9)"
    )
    (trade,) = api.alpha.get("/v1/executions", params={"order_id": "O-1"}).json()["items"]
    assert (trade["last_qty"], trade["last_px"], trade["side"]) == ("4", "100.10", "BUY")
    assert len(api.alpha.get("/v1/orders/O-1").json()["executions"]) == 1
    assert api.beta.get("/v1/executions").json()["items"] == []
    (position,) = api.alpha.get("/v1/positions", params={"only_open": True}).json()["items"]
    assert (position["quantity"], position["realised"]) == ("4", "-0.000000000001")
    assert api.beta.get("/v1/positions", params={"account": "ALPHA-1"}).json()["items"] == []


def test_mass_cancel_needs_to_know_whose_orders(api: Api) -> None:
    body = problem(
        api.operations.post("/v1/orders/mass-cancel", json={"cl_ord_id": "m-1"}),
        422,
        "invalid-request",
    )
    assert body["errors"][0]["field"] == "client"
    narrowed = api.beta.post("/v1/orders/mass-cancel", json={"cl_ord_id": "m-2"})
    assert problem(narrowed, 422, "invalid-request")["errors"][0]["field"] == "account"
    foreign = {"cl_ord_id": "m-3", "account": "BETA-3"}
    problem(api.beta.post("/v1/orders/mass-cancel", json=foreign), 403, "invalid-request")
    theirs = {"cl_ord_id": "m-4", "client": "ALPHA", "account": "BETA-1"}
    problem(api.beta.post("/v1/orders/mass-cancel", json=theirs), 403, "invalid-request")
    own = {"cl_ord_id": "m-5", "account": "BETA-1"}
    assert api.beta.post("/v1/orders/mass-cancel", json=own).status_code == 202


def test_reference_data_and_sessions(api: Api, rows: psycopg.Connection[tuple[Any, ...]]) -> None:
    items = api.alpha.get("/v1/instruments").json()["items"]
    assert len(items) == 20
    sap = api.alpha.get("/v1/instruments/SAP").json()
    assert (sap["tick"], sap["currency"], sap["venues"]) == ("0.02", "EUR", ["XSIM1", "XSIM2"])
    problem(api.alpha.get("/v1/instruments/NONE"), 404, "not-found")
    rows.execute(
        "INSERT INTO sessions (name, epoch, inbound, outbound, logged_on, updated_at)"
        " VALUES ('XSIM1', 2, 30, 40, true, now())"
    )
    sessions = {one["name"]: one for one in api.operations.get("/v1/sessions").json()["items"]}
    assert list(sessions) == ["ALPHA", "BETA", "XSIM1", "XSIM2", "XSIM3"]
    assert (sessions["XSIM1"]["logged_on"], sessions["XSIM1"]["inbound"]) == (True, 30)
    assert sessions["XSIM2"]["logged_on"] is False
    assert [one["name"] for one in api.alpha.get("/v1/sessions").json()["items"]] == ["ALPHA"]


def test_limits_are_shown_to_those_whom_they_concern(
    api: Api, rows: psycopg.Connection[tuple[Any, ...]]
) -> None:
    rows.execute(
        "INSERT INTO risk_limits (rule, level, subject, value, at, seq) VALUES"
        " ('MAX_POSITION', 'FIRM', '*', 10, now(), 1),"
        " ('MAX_POSITION', 'ACCOUNT', 'ALPHA-1', 9, now(), 2),"
        " ('MAX_POSITION', 'SESSION', 'BETA', 8, now(), 3)"
    )

    def values(client: httpx.Client) -> set[str]:
        return {one["value"] for one in client.get("/v1/risk/limits").json()["items"]}

    assert values(api.alpha) == {"10", "9"}
    assert values(api.beta) == {"10", "8"}
    assert values(api.compliance) == {"10", "9", "8"}


def test_recon_runs_and_breaks(api: Api, rows: psycopg.Connection[tuple[Any, ...]]) -> None:
    run_id = rows.execute(
        "INSERT INTO recon_runs (trade_date, venue, started_at, state, breaks, journal_seq)"
        " VALUES ('2026-11-20', 'XSIM1', now(), 'done', 2, 5) RETURNING run_id"
    ).fetchone()
    assert run_id is not None
    rows.execute(
        "INSERT INTO recon_breaks (run_id, n, venue, kind, evidence) VALUES"
        " (%(run)s, 1, 'XSIM1', 'PRICE', '{\"ours\": {\"last_px\": \"1.10\"}}'),"
        " (%(run)s, 2, 'XSIM1', 'QUANTITY', '{}')",
        {"run": run_id[0]},
    )
    (run,) = api.compliance.get("/v1/recon/runs").json()["items"]
    assert (run["state"], run["breaks"]) == ("done", 2)
    breaks = api.compliance.get(f"/v1/recon/runs/{run['run_id']}/breaks").json()["items"]
    assert [one["kind"] for one in breaks] == ["PRICE", "QUANTITY"]
    assert breaks[0]["evidence"] == {"ours": {"last_px": "1.10"}}
    problem(api.compliance.get("/v1/recon/runs/999999"), 404, "not-found")


def test_health_without_a_leader(api: Api) -> None:
    assert api.anonymous.get("/health").json() == {"status": "ok"}
    ready = api.anonymous.get("/ready")
    assert ready.status_code == 503
    assert ready.json() == {"ready": False, "database": True, "leader": False}
    figures = api.operations.get("/v1/status").json()
    assert (figures["led"], figures["journal_seq"]) == (False, 0)
    metrics = api.anonymous.get("/metrics").text
    assert 'oms_api_requests_total{method="GET",route="/ready",status="503"}' in metrics


def test_the_openapi_document_is_complete(api: Api) -> None:
    document = api.anonymous.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"api_key", "bearer"}
    schemas = document["components"]["schemas"]
    assert schemas["NewOrder"]["properties"]["order_qty"]["type"] == "string"
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
