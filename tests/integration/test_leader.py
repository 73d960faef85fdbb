"""One writer per shard, with real processes that are killed and frozen."""

import signal

import psycopg
import pytest
from psycopg.rows import scalar_row

from oms.store.leader import (
    LeadershipLost,
    LeadershipUnavailable,
    acquire_leadership,
    lock_key,
)
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.processes import Child, eventually, running

PROCESS = "tests.support.leader_process"
SHARD = "main"
LEADERS = "application_name ^@ 'plumbline leader ' AND datname = current_database()"


@pytest.fixture
def app_url(database_url: str) -> str:
    """The database for the server's own role, which owns nothing."""
    return role_url(database_url, APP_ROLE)


def test_of_two_contenders_one_wins(app_url: str) -> None:
    with acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None) as first:
        assert first.epoch == 1
        with pytest.raises(LeadershipUnavailable, match=f"'main' is led by {first.holder}"):
            acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None)
        first.heartbeat()
    with acquire_leadership(app_url, shard=SHARD, wait=True, timeout_s=30) as second:
        assert second.epoch == 2


def test_shards_have_leaders_of_their_own(app_url: str) -> None:
    with (
        acquire_leadership(app_url, shard="east", wait=False, timeout_s=None) as east,
        acquire_leadership(app_url, shard="west", wait=False, timeout_s=None) as west,
    ):
        east.heartbeat()
        west.heartbeat()
    assert lock_key("east") != lock_key("west")


def test_a_standby_stops_waiting_when_its_time_is_over(app_url: str) -> None:
    with acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None) as leader:
        with pytest.raises(LeadershipUnavailable):
            acquire_leadership(app_url, shard=SHARD, wait=True, timeout_s=0.2)
        leader.heartbeat()
    assert _sessions(app_url) == 0


def test_a_standby_takes_over_when_the_leader_is_killed(app_url: str) -> None:
    with running(PROCESS, app_url, SHARD, "5") as leader:
        assert leader.expect("leads") == "1"
        leader.expect("wrote")
        with running(PROCESS, app_url, SHARD, "5") as standby:
            standby.expect("waiting")
            eventually(lambda: _sessions(app_url) == 2, "the standby is connected")
            leader.kill()
            assert standby.expect("leads") == "2"
            standby.expect("wrote")
        leader.read_to_end()
    acknowledged = leader.lines.count("wrote")
    assert acknowledged <= _rows(app_url, epoch=1) <= acknowledged + 1


def test_a_frozen_leader_is_replaced_and_writes_nothing_when_it_wakes(app_url: str) -> None:
    with running(PROCESS, app_url, SHARD, "0.5") as leader:
        assert leader.expect("leads") == "1"
        leader.expect("wrote")
        leader.signal(signal.SIGSTOP)
        with running(PROCESS, app_url, SHARD, "5") as standby:
            assert standby.expect("leads") == "2"
            written = _rows(app_url, epoch=1)
            leader.signal(signal.SIGCONT)
            assert "lead with epoch 1 is lost" in leader.expect("lost")
            assert leader.process.wait(30) == 0
            standby.expect("wrote")
            assert _rows(app_url, epoch=1) == written
            _assert_still_leads(standby)


def test_a_leader_whose_session_is_ended_has_lost(database_url: str, app_url: str) -> None:
    with acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None) as leader:
        leader.heartbeat()
        with psycopg.connect(database_url, autocommit=True) as other:
            ended = other.execute(
                "SELECT pg_terminate_backend(%s)", [leader.connection.info.backend_pid]
            )
            assert ended.fetchone() == (True,)
        with pytest.raises(LeadershipLost, match="terminating connection"):
            leader.heartbeat()
        with pytest.raises(LeadershipLost):
            leader.heartbeat()


def test_a_silent_leader_loses_its_session(app_url: str) -> None:
    leader = acquire_leadership(
        app_url, shard=SHARD, wait=False, timeout_s=None, idle_timeout_s=0.1
    )
    eventually(lambda: _sessions(app_url) == 0, "the silent session is ended")
    with pytest.raises(LeadershipLost, match="idle-session timeout"):
        leader.heartbeat()


def test_a_leader_silent_within_a_transaction_loses_its_session(app_url: str) -> None:
    leader = acquire_leadership(
        app_url, shard=SHARD, wait=False, timeout_s=None, idle_timeout_s=0.1
    )
    leader.connection.execute("BEGIN")
    eventually(lambda: _sessions(app_url) == 0, "the silent session is ended")
    with pytest.raises(LeadershipLost, match="idle-in-transaction"), leader.guard():
        leader.connection.execute("COMMIT")


def test_a_session_that_outlives_its_epoch_has_lost(app_url: str) -> None:
    with acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None) as leader:
        # As it is seen after a failover, where the new server knows nothing of the old one's locks.
        with psycopg.connect(app_url) as other:
            other.execute("UPDATE leadership SET epoch = epoch + 1 WHERE shard = %s", [SHARD])
        with pytest.raises(LeadershipLost, match="epoch 1 of shard main is over"):
            leader.heartbeat()
        assert leader.connection.closed


def test_other_errors_do_not_end_the_lead(app_url: str) -> None:
    with acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None) as leader:
        with pytest.raises(psycopg.errors.DivisionByZero), leader.guard():
            leader.connection.execute("SELECT 1 / 0")
        leader.heartbeat()


def test_a_waiting_standby_holds_no_snapshot(app_url: str) -> None:
    with (
        acquire_leadership(app_url, shard=SHARD, wait=False, timeout_s=None) as leader,
        running(PROCESS, app_url, SHARD, "5"),
        psycopg.connect(app_url, autocommit=True, row_factory=scalar_row) as watcher,
    ):
        resting = """
            SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'plumbline leader main' AND datname = current_database()
                AND pid <> %s AND state = 'idle' AND backend_xmin IS NULL
                AND position('pg_try_advisory_lock' IN query) > 0
        """
        pid = leader.connection.info.backend_pid
        eventually(lambda: watcher.execute(resting, [pid]).fetchone() == 1, "it rests")


def _assert_still_leads(standby: Child) -> None:
    assert standby.process.poll() is None
    assert not [line for line in standby.lines if line.startswith("lost")]


def _sessions(url: str) -> int:
    with psycopg.connect(url, row_factory=scalar_row) as connection:
        query = f"SELECT count(*) FROM pg_stat_activity WHERE {LEADERS}"
        found = connection.execute(query)
        return int(found.fetchone() or 0)


def _rows(url: str, *, epoch: int) -> int:
    with psycopg.connect(url, row_factory=scalar_row) as connection:
        query = "SELECT count(*) FROM journal WHERE leader_epoch = %s"
        return int(connection.execute(query, [epoch]).fetchone() or 0)
