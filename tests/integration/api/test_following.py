"""The API and the jobs go by what the core has reloaded, without a restart of theirs."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from oms.app.operate import operator
from oms.app.side import rereading
from oms.domain.session_commands import ReloadSessions
from oms.jobs.core_commands import send, wait_answer
from oms.jobs.metrics import JobMetrics
from oms.jobs.once import jobs_engine
from oms.jobs.stopping import Stopping
from oms.jobs.trading_day import Pace, TradingDay
from oms.queries.calendars import sessions_of
from oms.settings import load
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.integration.api.core_rig import PATIENCE_S, Server, whole_server
from tests.support.postgres import Databases
from tests.support.processes import eventually

GAMMA = """
[[clients]]
name = "GAMMA"
sender_comp_id = "GAMMA"
target_comp_id = "PLUMBLINE"
password_hash = "{hashed}"
allowed_addresses = ["127.0.0.1"]
accounts = ["GAMMA-1"]
[[venues]]
name = "YSIM"
host = "127.0.0.1"
port = 1
sender_comp_id = "OMS"
target_comp_id = "YSIM"
[[api.keys]]
name = "gamma"
key_hash = "{key_hash}"
role = "trader"
client = "GAMMA"
"""


class Rig:
    def __init__(self, server: Server, config: Path, url: str) -> None:
        self.server = server
        self.config = config
        self.url = url
        self.before = config.read_text()
        key_hash = sha256(b"key-of-gamma").hexdigest()
        hashed = server.settings.clients[0].password_hash
        self.with_gamma = self.before + GAMMA.format(key_hash=key_hash, hashed=hashed)

    def by_gamma(self) -> int:
        """What its key is answered with."""
        url = f"{self.server.api.base_url}/v1/orders"
        return httpx.get(url, headers={"X-API-Key": "key-of-gamma"}, timeout=30).status_code

    def restart(self, written: str) -> None:
        """A core that dies, and one that begins with that file; nobody asks for a reload."""
        self.server.core.kill()
        self.config.write_text(written)
        self.server.core.start()
        self.server.wait_ready()

    def reload(self, **asked: bool) -> None:
        """By another process than the API."""
        engine = jobs_engine(self.url)
        command = ReloadSessions(origin=operator(), reason="test", **asked)
        number = send(engine, command, key=f"r-{datetime.now(UTC)}")
        answer = wait_answer(engine, number, timeout_s=PATIENCE_S)
        engine.dispose()
        assert answer is not None
        assert answer.accepted, answer.text


@pytest.fixture
def rig(migrated_databases: Databases, tmp_path: Path) -> Iterator[Rig]:
    url = migrated_databases.take()
    with whole_server(url, tmp_path) as server:
        yield Rig(server, tmp_path / "oms.toml", role_url(url, APP_ROLE))
    migrated_databases.drop(url)


def test_keys_and_sessions_of_a_reload_are_the_apis_too(rig: Rig) -> None:
    api = rig.server.api
    # From here on the API has seen this core begin: it reads the file for reloads alone.
    seen = api.operations.post("/v1/sessions/reload", json={"reason": "test"})
    assert seen.status_code == 200, seen.text
    assert rig.by_gamma() == 401
    rig.config.write_text(rig.with_gamma)
    dry = api.operations.post("/v1/sessions/reload", json={"reason": "test", "dry_run": True})
    assert dry.status_code == 200, dry.text
    assert dry.json()["text"] == "added: GAMMA, YSIM", "the keys wait for no restart"
    assert rig.by_gamma() == 401, "nothing was done"
    done = api.operations.post("/v1/sessions/reload", json={"reason": "test"})
    assert done.status_code == 200, done.text
    assert rig.by_gamma() == 200
    names = [one["name"] for one in api.admin.get("/v1/sessions").json()["items"]]
    assert {"GAMMA", "YSIM"} <= set(names)
    assert api.admin.get("/v1/sessions/YSIM").status_code == 200

    rig.config.write_text(rig.before)
    rig.reload()
    eventually(lambda: rig.by_gamma() == 401, "the key is gone")
    assert api.admin.get("/v1/sessions/YSIM").status_code == 404


def test_a_core_that_starts_with_another_file_is_followed_without_a_reload(rig: Rig) -> None:
    api = rig.server.api
    for written, answer, count in ((rig.with_gamma, 200, 1), (rig.before, 401, 0)):
        rig.restart(written)
        eventually(lambda answer=answer: rig.by_gamma() == answer, "the keys of the core's file")
        names = [one["name"] for one in api.admin.get("/v1/sessions").json()["items"]]
        assert [names.count(one) for one in ("ALPHA", "GAMMA", "YSIM")] == [1, count, count]


def test_a_file_with_a_fault_leaves_the_api_as_it_is(rig: Rig) -> None:
    rig.reload()
    rig.config.write_text("[clients")
    refused = rig.server.api.operations.post("/v1/sessions/reload", json={"reason": "test"})
    assert refused.status_code == 422
    assert rig.server.api.alpha.get("/v1/orders").status_code == 200


@pytest.mark.parametrize("restarted", [False, True])
def test_the_jobs_know_the_venues_of_a_reload_and_of_a_core_that_starts(
    rig: Rig, *, restarted: bool
) -> None:
    settings = load(rig.config)
    stopping = Stopping()
    day = TradingDay(
        settings,
        rig.url,
        JobMetrics(CollectorRegistry()),
        holder="test",
        pace=Pace(settle_s=1.0),
        stopping=stopping,
        reread=rereading(rig.config),
    )
    sweeping = threading.Thread(target=day.sweep)
    sweeping.start()
    sweeping.join(PATIENCE_S)
    engine = jobs_engine(rig.url)

    def dates_of(venue: str) -> list[date]:
        with engine.begin() as connection:
            return sessions_of(connection, venue, date(2026, 1, 1), date(2100, 1, 1))

    assert dates_of("XSIM")
    assert not dates_of("YSIM")
    if restarted:
        rig.restart(rig.with_gamma)
    else:
        rig.config.write_text(rig.with_gamma)
        rig.reload()
    day.sweep()
    assert dates_of("YSIM")
    with engine.begin() as connection:
        kinds = connection.execute(text("SELECT DISTINCT state FROM job_runs")).scalars().all()
    assert set(kinds) <= {"done", "failed", "running"}
    engine.dispose()
