"""Every request that changes something, its answer lost, sent again: one takes effect, and is told.

Answers get lost because the database is frozen, the API is killed, or the sender's connection ends.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from oms.api import deadline
from oms.app.free_ports import free_port
from tests.integration.api.core_rig import PATIENCE_S, Server, whole_server
from tests.integration.api.test_core import ORDER
from tests.integration.api.test_deadline import frozen
from tests.support.cores import oms
from tests.support.postgres import Databases
from tests.support.processes import eventually

# These change nothing that a second one would change again: each run is a run of its own.
RUNS = {("POST", "/v1/recon/runs"), ("POST", "/v1/audit/verify")}
SWITCH = {"level": "ACCOUNT", "subject": "ALPHA-2"}
LIMIT_S = 1.0
UNSURE = {202, 503}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request by the holder of a key. template: its path in the document, {x} for what varies."""

    method: str
    template: str
    key: str
    who: str = "operations"
    varies: str = ""
    body: dict[str, Any] | None = None

    def send(self, base_url: str, timeout_s: float = PATIENCE_S) -> httpx.Response:
        path = self.template.replace("{x}", self.varies)
        named = self.body is not None and "cl_ord_id" in self.body
        by_path = {"cl_ord_id": self.key} if self.method == "DELETE" else None
        headers = {"X-API-Key": f"example-key-{self.who}"}
        if not named and by_path is None:
            headers["Idempotency-Key"] = self.key
        return httpx.request(
            self.method,
            base_url + path,
            json=self.body,
            params=by_path,
            headers=headers,
            timeout=timeout_s,
            trust_env=False,
        )


class Rig:
    """The server, and for each round requests that do not depend on each other."""

    def __init__(self, server: Server, url: str, config: Path) -> None:
        self.server = server
        self.url = url
        self.config = config
        self.rounds = 0

    def asks(self) -> list[Ask]:
        """One of each kind, and all that they need is there."""
        self.rounds += 1
        tag = f"again{self.rounds}"
        self._undo(tag)
        return [*self._of_orders(tag), *self._of_operations(tag)]

    def _undo(self, tag: str) -> None:
        """What the last round has left, if there was one and it came so far."""
        api = self.server.api
        for name in ("ALPHA", "BETA"):
            api.operations.post(f"/v1/sessions/{name}/start", json={"reason": tag})
        api.compliance.post("/v1/kill-switch/release", json=SWITCH | {"reason": tag})

    def _of_orders(self, tag: str) -> list[Ask]:
        changed, cancelled, deleted = (self._order(f"{tag}-old{n}", "ALPHA-1") for n in range(3))
        self._order(f"{tag}-old3", "ALPHA-2")

        def ask(method: str, template: str, n: int, varies: str = "", **body: object) -> Ask:
            key = f"{tag}-o{n}"
            named = None if method == "DELETE" else {"cl_ord_id": key, **body}
            return Ask(
                method=method, template=template, key=key, who="alpha", varies=varies, body=named
            )

        one = "/v1/orders/{x}"
        return [
            ask("POST", "/v1/orders", 1, **ORDER),
            ask("PUT", one, 2, changed, order_qty="150", price="99.40"),
            ask("POST", f"{one}/cancel", 3, cancelled),
            ask("DELETE", one, 4, deleted),
            ask("POST", "/v1/orders/mass-cancel", 5, account="ALPHA-2"),
            Ask(
                method="POST",
                template=f"{one}/resolve",
                key=f"{tag}-resolve",
                varies=changed,
                body={"outcome": "CANCELED", "reason": f"{tag}-resolve"},
            ),
        ]

    def _of_operations(self, tag: str) -> list[Ask]:
        operations = self.server.api.operations
        kept = SWITCH | {"reason": tag, "cancel_open_orders": False}
        assert operations.post("/v1/kill-switch/engage", json=kept).status_code == 200
        assert operations.post("/v1/sessions/ALPHA/stop", json={"reason": tag}).status_code == 200
        split = {"action_id": f"{tag}-split", "symbol": "ACME", "new_shares": 2, "old_shares": 1}
        today = operations.get("/v1/orders", params={"limit": 1}).json()["items"][0]["trade_date"]
        asks: list[tuple[str, str, dict[str, Any]]] = [
            ("/v1/kill-switch/engage", "", {"level": "ACCOUNT", "subject": "ALPHA-3"}),
            ("/v1/sessions/reload", "", {}),
            ("/v1/sessions/{x}/stop", "BETA", {}),
            ("/v1/sessions/{x}/start", "ALPHA", {}),
            ("/v1/sessions/{x}/reset", "BETA", {}),
            ("/v1/sessions/{x}/reset/approve", "ALPHA", {"request": 999_999}),
            ("/v1/sessions/{x}/discard", "GONE", {}),
            ("/v1/sessions/{x}/discard/approve", "GONE", {"request": 999_999}),
            ("/v1/orphans/{x}/adopt", "999999", {"account": "ALPHA-1"}),
            ("/v1/orphans/{x}/refuse", "999999", {}),
            ("/v1/disputes/{x}/resolve", "999999", {}),
            ("/v1/corporate-actions/preview", "", split | {"effective_date": today}),
            ("/v1/corporate-actions/apply", "", {"action_id": "none", "preview": 999_999}),
        ]
        return [
            *self._of_compliance(tag),
            *(
                Ask(
                    method="POST",
                    template=template,
                    key=f"{tag}-p{n}",
                    varies=varies,
                    body=body | {"reason": f"{tag}-p{n}"},
                )
                for n, (template, varies, body) in enumerate(asks)
            ),
            *(
                Ask(
                    method="POST",
                    template=f"/v1/trading-day/{what}",
                    key=f"{tag}-{what}",
                    body={"trade_date": self._past()},
                )
                for what in ("open", "close")
            ),
        ]

    def _of_compliance(self, tag: str) -> list[Ask]:
        return [
            Ask(
                method="POST",
                template="/v1/kill-switch/release",
                key=f"{tag}-release",
                who="compliance",
                body=SWITCH | {"reason": f"{tag}-release"},
            ),
            Ask(
                method="PUT",
                template="/v1/risk/limits",
                key=f"{tag}-limit",
                who="compliance",
                body={"rule": "MAX_ORDER_QTY", "level": "ACCOUNT", "subject": "ALPHA-3"}
                | {"value": str(4000 + self.rounds), "reason": f"{tag}-limit"},
            ),
        ]

    def _past(self) -> str:
        """A date of which there are no orders, another for each round."""
        [(today,)] = self.rows("SELECT current_date")
        return str(today - timedelta(days=100 + self.rounds))

    def _order(self, name: str, account: str) -> str:
        """An order that rests at the venue."""
        alpha = self.server.api.alpha
        answer = alpha.post("/v1/orders", json=ORDER | {"cl_ord_id": name, "account": account})
        assert answer.status_code == 201, answer.text
        order_id = str(answer.json()["order_id"])
        self.server.until(
            alpha,
            order_id,
            lambda one: one["children"] and one["children"][0]["status"] == "NEW",
            "rests",
        )
        return order_id

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    @contextmanager
    def journal_held(self) -> Iterator[None]:
        """The core takes commands and answers none."""
        with psycopg.connect(self.url) as connection:
            connection.execute("LOCK TABLE journal IN EXCLUSIVE MODE")
            yield

    def until_handed_over(self, asks: list[Ask]) -> None:
        """Until every one is in the inbox, so that its answer is all that is missing."""

        def look() -> bool:
            keys = [ask.key for ask in asks]
            query = "SELECT count(*) FROM command_inbox WHERE key = ANY(%s)"
            return self.rows(query, keys) == [(len(asks),)]

        eventually(look, "every command in the inbox")

    def check(self, ask: Ask, base_url: str) -> None:
        """Sent again until it is answered: the core took it once, and that is what is told."""

        def final() -> httpx.Response | None:
            answer = ask.send(base_url)
            return None if answer.status_code in UNSURE else answer

        first = eventually(final, f"{ask} to be answered")
        assert first is not None
        found = self.rows(
            "SELECT id, state, accepted, reason, order_id, answer_text, first_seq, command_type"
            " FROM command_inbox WHERE key = %s",
            ask.key,
        )
        assert len(found) == 1, f"{ask}: {first.text}"
        [(number, state, accepted, reason, order_id, text, seq, kind)] = found
        assert state == "done"
        # Every command of these bears its key, but for dates.
        mark = f'%"{ask.body["trade_date"]}"%' if "trading-day" in ask.template else f"%{ask.key}%"  # type: ignore[index]
        taken = self.rows(
            "SELECT count(*) FROM journal_json WHERE kind = 'C' AND type = %s"
            " AND payload::text LIKE %s",
            kind,
            mark,
        )
        assert taken == [(1,)], f"{ask} was taken {taken}"
        again = ask.send(base_url)
        assert again.headers["idempotent-replay"] == "true"
        for answer in (first, again):
            said = answer.json()
            if not accepted:
                assert answer.is_client_error, f"{ask}: {answer.text}"
                assert (said["reason"], said["detail"]) == (reason, text or reason)
            elif order_id:
                assert answer.is_success, f"{ask}: {answer.text}"
                assert said["order_id"] == order_id
            else:
                assert answer.is_success, f"{ask}: {answer.text}"
                if "id" in said:
                    told = (number, "done", True, text, seq)
                    wanted = ("id", "state", "accepted", "text", "seq")
                    assert tuple(said[one] for one in wanted) == told


@pytest.fixture(scope="module")
def rig(migrated_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    url = migrated_databases.take()
    directory = Path(tmp_path_factory.mktemp("server"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadline, "LIMIT_S", LIMIT_S)
        with whole_server(url, directory, answer_wait_ms=500) as server:
            yield Rig(server, url, directory / "oms.toml")
    migrated_databases.drop(url)


def all_at_once(asks: list[Ask], send: Callable[[Ask], object]) -> list[object]:
    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(send, asks))


def test_what_is_tried_here_is_all_that_changes_anything(rig: Rig) -> None:
    paths = rig.server.api.anonymous.get("/openapi.json").json()["paths"]
    changing = {
        (method.upper(), re.sub(r"\{\w+\}", "{x}", path))
        for path, methods in paths.items()
        for method in methods
        if method != "get"
    }
    assert {(ask.method, ask.template) for ask in rig.asks()} == changing - RUNS


def test_who_was_told_that_the_database_is_silent_sends_again(rig: Rig) -> None:
    asks = rig.asks()
    base_url = rig.server.api.base_url
    with frozen(rig.url):
        first = all_at_once(asks, lambda ask: ask.send(base_url).status_code)
    assert 503 in first
    for ask in asks:
        rig.check(ask, base_url)


def test_who_hung_up_before_the_answer_sends_again(rig: Rig) -> None:
    asks = rig.asks()
    base_url = rig.server.api.base_url

    def hang_up(ask: Ask) -> None:
        with pytest.raises(httpx.ReadTimeout):
            ask.send(base_url, timeout_s=0.4)

    with rig.journal_held():
        all_at_once(asks, hang_up)
        rig.until_handed_over(asks)
    for ask in asks:
        rig.check(ask, base_url)


def test_whose_answer_died_with_the_api_sends_again_to_the_next(rig: Rig, tmp_path: Path) -> None:
    asks = rig.asks()
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"

    def serves() -> bool:
        try:
            return httpx.get(f"{base_url}/health", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    more: dict[str, object] = {"api__port": port, "api__answer_wait_ms": 30_000}
    with rig.journal_held(), oms(tmp_path, "api", rig.config, **more) as api:
        eventually(serves, "the API")

        def lose(ask: Ask) -> None:
            with pytest.raises(httpx.TransportError):
                ask.send(base_url)

        with ThreadPoolExecutor(len(asks)) as pool:
            lost = [pool.submit(lose, ask) for ask in asks]
            rig.until_handed_over(asks)
            os.kill(api.pid, signal.SIGKILL)
            for one in lost:
                one.result(PATIENCE_S)
    with oms(tmp_path, "api", rig.config, api__port=port):
        eventually(serves, "the next API")
        for ask in asks:
            rig.check(ask, base_url)


def test_a_core_killed_with_the_answers_in_its_hands(rig: Rig) -> None:
    asks = rig.asks()
    base_url = rig.server.api.base_url
    with rig.journal_held():
        all_at_once(asks, lambda ask: ask.send(base_url).status_code)
        rig.until_handed_over(asks)
        rig.server.core.kill()
    rig.server.core.start()
    for ask in asks:
        rig.check(ask, base_url)
