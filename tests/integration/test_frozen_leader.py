"""A leader that was away long enough to lose the lead does nothing before it has found that out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from oms.runtime.journal_line import AWAY_S, JournalLine
from oms.store.journal import PostgresJournal
from oms.store.leader import Leadership, LeadershipLost, acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.fix_engine import EngineHub, accepting

SHARD = "main"
ORDER = [(11, "A1"), (55, "ACME"), (54, "1"), (38, "1"), (40, "1"), (60, "20260101-00:00:00")]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    made = EngineHub(tmp_path / "fix")
    yield made
    made.close()


def lead(database_url: str, idle_timeout_s: float) -> Leadership:
    url = role_url(database_url, APP_ROLE)
    return acquire_leadership(
        url, shard=SHARD, wait=True, timeout_s=30, idle_timeout_s=idle_timeout_s
    )


def test_a_frozen_leader_takes_and_sends_nothing_once_another_leads(
    hub: EngineHub, database_url: str
) -> None:
    """Its threads stand still: no keeper runs, and the engine is not polled until it wakes.

    The journal's descriptor is not watched, as where the database's farewell was lost on the way.
    """
    with lead(database_url, AWAY_S + 0.5) as old:
        engine = hub.run(accepting())
        line = JournalLine(PostgresJournal(old))
        engine.before_work = line.assure
        client = hub.client_of(engine)
        client.connect()
        hub.until(lambda: engine.is_logged_on("ALPHA"), "the logon")
        client.send("D", ORDER)
        hub.until(lambda: len(hub.recorder.received) == 1, "an order while it leads")
        sent = len(hub.recorder.sent)
        with lead(database_url, 60) as new:  # waits until the database has ended the old session
            assert new.epoch == old.epoch + 1
            client.send("D", ORDER)
            with pytest.raises(LeadershipLost):
                hub.until(lambda: len(hub.recorder.received) > 1, "to be refused by the journal")
            assert len(hub.recorder.received) == 1
            assert len(hub.recorder.sent) == sent
            new.heartbeat()
