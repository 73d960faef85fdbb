"""The way of a command into the inbox, before any core answers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from oms.domain.commands import Channel, NewOrderSingle
from oms.store.codec import decode
from tests.integration.api.rig import ORDER, add_order, problem
from tests.support.api import Api, running_api, settings_for_api


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


def test_mass_cancel_needs_to_know_whose_orders(api: Api) -> None:
    body = problem(
        api.operations.post("/v1/orders/mass-cancel", json={"cl_ord_id": "m-1"}),
        422,
        "invalid-request",
    )
    assert body["errors"][0]["field"] == "client"
    misspelt = {"cl_ord_id": "m-1", "client": "ALPAH"}
    body = problem(
        api.operations.post("/v1/orders/mass-cancel", json=misspelt), 422, "invalid-request"
    )
    assert body["detail"] == "client = ALPAH: must be one of ALPHA, BETA"
    narrowed = api.beta.post("/v1/orders/mass-cancel", json={"cl_ord_id": "m-2"})
    assert problem(narrowed, 422, "invalid-request")["errors"][0]["field"] == "account"
    foreign = {"cl_ord_id": "m-3", "account": "BETA-3"}
    problem(api.beta.post("/v1/orders/mass-cancel", json=foreign), 403, "invalid-request")
    theirs = {"cl_ord_id": "m-4", "client": "ALPHA", "account": "BETA-1"}
    problem(api.beta.post("/v1/orders/mass-cancel", json=theirs), 403, "invalid-request")
    own = {"cl_ord_id": "m-5", "account": "BETA-1"}
    assert api.beta.post("/v1/orders/mass-cancel", json=own).status_code == 202


def test_an_idempotency_key_used_for_another_content_is_a_conflict(api: Api) -> None:
    ask = {"level": "ACCOUNT", "subject": "ALPHA-1", "reason": "test"}
    key = {"Idempotency-Key": "twice"}
    path = "/v1/kill-switch/engage"
    assert api.operations.post(path, json=ask, headers=key).status_code == 202
    again = api.operations.post(path, json=ask | {"reason": "other"}, headers=key)
    (fault,) = problem(again, 409, "invalid-request")["errors"]
    assert (fault["field"], fault["value"]) == ("Idempotency-Key", "twice")


def test_lost_connections_are_mended_unseen(api: Api, module_url: str) -> None:
    order = ORDER | {"cl_ord_id": "A-lost-1"}
    assert api.alpha.post("/v1/orders", json=order).status_code == 202
    with psycopg.connect(module_url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name LIKE 'plumbline api%' AND datname = current_database()"
        ).fetchone()
    assert ended is not None
    assert ended[0] >= 2
    assert api.alpha.get("/v1/orders").status_code == 200
    again = api.alpha.post("/v1/orders", json=order)
    assert (again.status_code, again.headers["idempotent-replay"]) == (202, "true")


def test_without_a_database_every_answer_is_503(module_url: str) -> None:
    away = module_url.replace("/migrated", "/gone")
    with running_api(settings_for_api(), away) as api:
        ready = api.anonymous.get("/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, False)
        assert api.anonymous.get("/health").status_code == 200
        for answer in (
            api.alpha.get("/v1/orders"),
            api.alpha.post("/v1/orders", json=ORDER),
            api.alpha.get("/v1/reports"),
            # Not a stream that ends at once: whoever follows it would come back without a pause.
            api.admin.get("/v1/events", params={"after": 0}),
        ):
            problem(answer, 503, "database-unavailable")
            assert answer.headers["retry-after"] == "1"
