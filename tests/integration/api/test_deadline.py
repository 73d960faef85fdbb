"""A database that is frozen: every request is told so in time, and nothing is lost."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import httpx
import psycopg
import pytest

from oms.api import deadline
from oms.app.free_ports import free_port
from tests.integration.api.rig import ORDER, problem
from tests.integration.api.test_process import start
from tests.support.api import running_api, settings_for_api
from tests.support.processes import eventually

_BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'plumbline api%'
"""


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """The API's part of the database stands still."""
    with psycopg.connect(url, autocommit=True) as connection:
        pids = [pid for (pid,) in connection.execute(_BACKENDS)]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_who_asks_a_frozen_database_is_told_in_time(
    module_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "LIMIT_S", 1.0)
    with running_api(settings_for_api(), module_url) as api:
        assert api.alpha.get("/v1/positions").status_code == 200
        assert api.alpha.post("/v1/orders", json=ORDER).status_code == 202, "no core leads"
        with frozen(module_url):
            answers: list[httpx.Response] = [
                api.alpha.get("/v1/positions"),
                api.alpha.post("/v1/orders", json={**ORDER, "cl_ord_id": "frozen-1"}),
            ]
            for answer in answers:
                problem(answer, 503, "database-unavailable")
                assert answer.headers["retry-after"] == "1"
            assert api.anonymous.get("/health").status_code == 200
        assert eventually(
            lambda: api.alpha.get("/v1/positions").status_code == 200, "an answer again"
        )
        again = api.alpha.post("/v1/orders", json={**ORDER, "cl_ord_id": "frozen-1"})
        assert again.status_code == 202
    with psycopg.connect(module_url) as connection:
        taken = connection.execute("SELECT count(*) FROM command_inbox WHERE key = 'frozen-1'")
        assert taken.fetchone() == (1,)


def test_who_waits_for_reports_is_not_told_of_a_database_that_is_well(
    module_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "LIMIT_S", 1.0)
    with running_api(settings_for_api(), module_url) as api:
        waited = api.alpha.get("/v1/reports", params={"after": 1 << 40, "wait_ms": 3_000})
        assert waited.status_code == 200, waited.text
        assert waited.json()["items"] == []


def test_the_process_ends_when_told_though_its_database_is_frozen(module_url: str) -> None:
    port = free_port()
    process = start(module_url, port)
    headers = {"X-API-Key": "example-key-alpha"}
    url = f"http://127.0.0.1:{port}/v1/positions"
    try:
        eventually(lambda: _answers(url, headers), "the API serves")
        with frozen(module_url):
            with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as waiting:
                waiting.request("GET", "/v1/positions", headers=headers)
                # It was read before what came after it.
                assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
                process.send_signal(signal.SIGTERM)
                # What became of a command nobody would know, and a 500 does not say so.
                answer = waiting.getresponse()
                assert answer.status == 503
                assert json.loads(answer.read())["type"].endswith("database-unavailable")
            assert process.wait(25) == 0
    finally:
        process.kill()
        process.communicate()


def _answers(url: str, headers: dict[str, str]) -> bool:
    try:
        return httpx.get(url, headers=headers, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
