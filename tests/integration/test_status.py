"""The morning's screen: what is well says so, what is not is named with its cause."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from oms.app.exits import Exit
from oms.app.status import Line, looked_at
from oms.jobs.once import jobs_engine
from oms.runtime.witness import Witness
from oms.settings import Settings, load
from oms.store.leader import lock_key
from tests.integration.test_cli_faults import config_for, run_oms
from tests.support.api import EXAMPLE

Rows = psycopg.Connection[tuple[Any, ...]]
NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
TODAY, YESTERDAY = NOW.date(), NOW.date() - timedelta(days=1)


@pytest.fixture
def rows(database_url: str) -> Iterator[Rows]:
    """A record after a night in which all went well: a core leads, venues are up, jobs are done."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [lock_key("main")])
        for venue in ("XSIM1", "XSIM2", "XSIM3"):
            connection.execute(
                "INSERT INTO sessions (name, epoch, inbound, outbound, logged_on, ready,"
                " updated_at) VALUES (%s, 0, 3, 4, true, true, now())",
                [venue],
            )
        for day in (YESTERDAY, TODAY):
            connection.execute(
                "INSERT INTO trading_calendar VALUES ('*', %s, %s, %s)", [day, NOW, NOW]
            )
        connection.execute(
            "INSERT INTO journal (seq, at, kind, type, payload, leader_epoch, hash)"
            " VALUES (1, %s, 'C', 'OpenTradingDate', '{}', 1, %s)",
            [NOW - timedelta(days=1), bytes(32)],
        )
        job(connection, "open_date", TODAY)
        job(connection, "close_day", YESTERDAY)
        job(connection, "verify", YESTERDAY)
        recon(connection, state="done", breaks=0)
        yield connection


def job(rows: Rows, name: str, day: date, state: str = "done", error: str = "") -> None:
    rows.execute(
        "INSERT INTO job_runs (job, business_date, state, started_at, finished_at, error)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [name, day, state, NOW, NOW, error],
    )


def recon(rows: Rows, *, state: str, breaks: int, error: str = "") -> None:
    rows.execute(
        "INSERT INTO recon_runs (trade_date, venue, source, state, breaks, error,"
        " started_at, journal_seq) VALUES (%s, 'XSIM1', 'a file', %s, %s, %s, now(), 1)",
        [YESTERDAY, state, breaks, error],
    )


def engage(rows: Rows) -> None:
    rows.execute(
        "INSERT INTO kill_switches (level, subject, user_name, reason, at, seq)"
        " VALUES ('FIRM', '*', 'anne', 'runaway', %s, 5)",
        [NOW],
    )


@pytest.fixture
def settings() -> Settings:
    return load(EXAMPLE)


def seen(settings: Settings, database_url: str) -> dict[str, Line]:
    with jobs_engine(database_url).begin() as connection:
        return {line.topic: line for line in looked_at(settings, connection, NOW)}


def test_after_a_good_night_all_is_well(rows: Rows, settings: Settings, database_url: str) -> None:
    found = seen(settings, database_url)
    assert [line for line in found.values() if not line.ok] == []
    assert found["end of day"].text == f"{YESTERDAY} is closed"
    assert found["journal"].text.startswith(f"of {YESTERDAY} verified at 2026-11-24 07:00:00 UTC")
    assert found["reconciliation XSIM1"].text == f"{YESTERDAY}: done, 0 breaks"
    assert found["sessions"].text.endswith("0 of 2 clients are logged on")


def test_what_went_wrong_is_named(rows: Rows, settings: Settings, database_url: str) -> None:
    lost = NOW - timedelta(minutes=5)
    rows.execute(
        "UPDATE sessions SET logged_on = false, ready = false, changed_at = %s,"
        " closed_cause = 'LOST', closed_text = 'closed by the other side' WHERE name = 'XSIM2'",
        [lost],
    )
    rows.execute("UPDATE sessions SET ready = false WHERE name = 'XSIM3'")
    rows.execute(
        "INSERT INTO sessions (name, epoch, inbound, outbound, logged_on, stopped, stopped_by,"
        " stop_reason, waiting, waiting_since, updated_at)"
        " VALUES ('BETA', 0, 3, 4, false, true, 'bob', 'drill', 2, now(), now())"
    )
    for name, days in (("GONE", 6), ("LONG_GONE", 8)):
        rows.execute(
            "INSERT INTO sessions (name, epoch, inbound, outbound, updated_at, changed_at,"
            " undelivered, undelivered_from, undelivered_since)"
            " VALUES (%s, 0, 3, 4, %s, %s, 3, 7, %s)",
            [name, lost, lost, NOW - timedelta(days=days)],
        )
    rows.execute("DELETE FROM job_runs WHERE job IN ('open_date', 'close_day')")
    job(rows, "recon:XSIM1", YESTERDAY, "failed", "no such file")
    recon(rows, state="failed", breaks=0, error="no such file")
    engage(rows)
    rows.execute(
        "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash, created_at)"
        " VALUES ('ALPHA', 'k', 'NewOrderSingle', '{}', '', now() - interval '1 minute')"
    )
    rows.execute(
        "INSERT INTO orphans (seq, at, venue, session, exec_type, ord_status, side, is_open)"
        " VALUES (7, now(), 'XSIM1', 'XSIM1', 'F', '2', '1', true)"
    )
    found = {topic: line for topic, line in seen(settings, database_url).items() if not line.ok}
    assert {topic: line.text for topic, line in found.items()} == {
        "commands": found["commands"].text,
        "venue XSIM2": "down for 0:05:00: closed by the other side",
        "venue XSIM3": "resynchronising",
        "client BETA": "stopped, stopped by bob: drill; messages that wait for it: 2",
        "removed GONE": "not configured for 0:05:00; messages that wait for it: 3",
        "kill switch FIRM *": "engaged by anne at 2026-11-24 07:00:00 UTC: runaway",
        "trading date": f"{TODAY} has not been opened",
        "end of day": f"{YESTERDAY} has not been closed",
        "job recon:XSIM1": f"{YESTERDAY}: failed, attempt 1: no such file",
        "reconciliation XSIM1": f"{YESTERDAY}: failed: no such file",
        "orphans": "1 wait for a decision",
    }
    assert found["commands"].text.startswith("1 not taken by a core, the oldest for 0:01:0")
    assert found["reconciliation XSIM1"].hint == "oms recon show 2"


def test_all_that_wait_for_a_decision_are_counted(
    rows: Rows, settings: Settings, database_url: str
) -> None:
    rows.execute(
        "INSERT INTO orphans (seq, at, venue, session, exec_type, ord_status, side, is_open)"
        " SELECT n, now(), 'XSIM1', 'XSIM1', 'F', '2', '1', n < 252 FROM generate_series(1, 400) n"
    )
    rows.execute(
        "INSERT INTO disputes (seq, at, client, order_id, child_id, venue, exec_id, report_id,"
        " dk_reason, text, resolved_at) SELECT n, now(), 'ALPHA', 'O', 'C', 'XSIM1', n::text,"
        " n::text, 'C', '', CASE WHEN n > 150 THEN now() END FROM generate_series(1, 300) n"
    )
    found = seen(settings, database_url)
    assert found["orphans"].text == "251 wait for a decision"
    assert found["disputes"].text == "150 trades are disputed by their clients"


def test_without_a_core_no_session_is_told_as_up(settings: Settings, database_url: str) -> None:
    found = seen(settings, database_url)
    assert not found["core"].ok
    assert not any("XSIM" in topic or topic == "sessions" for topic in found)


def test_a_database_that_went_back_is_named_where_no_core_leads_it(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    core = settings.core.model_copy(update={"data_dir": tmp_path})
    (tmp_path / "main").mkdir()
    asked = settings.model_copy(update={"core": core})
    Witness(tmp_path / "main").note(0, bytes(32), 0)
    assert "went back" not in seen(asked, database_url)["core"].text
    Witness(tmp_path / "main").note(4711, bytes(32), 0)
    found = seen(asked, database_url)["core"]
    assert found.text.endswith("the journal ends at 0 and had 4711: the database went back")
    assert "oms db restored" in found.hint


def test_the_exit_code_says_whether_to_look(tmp_path: Path, database_url: str) -> None:
    done = run_oms("status", "--json", "--config", str(config_for(tmp_path, database_url)))
    assert done.returncode == Exit.FAILED, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["topic"] == "core"
    assert "no core leads" in lines[0]["text"]


def test_psql_reads_all_and_changes_nothing(tmp_path: Path, database_url: str) -> None:
    config = str(config_for(tmp_path, database_url))
    asked = ("db", "psql", "--config", config, "--csv", "-c")
    done = run_oms(*asked, "SELECT current_user, count(*) FROM journal")
    assert (done.returncode, done.stdout) == (0, "current_user,count\nplumbline_read,0\n")
    refused = run_oms(*asked, "DELETE FROM journal")
    assert refused.returncode == 1
    assert "ERROR" in refused.stderr


def test_moments_are_told_in_utc_whatever_zone_the_database_is_in(
    rows: Rows, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engage(rows)
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    done = run_oms("risk", "show", "--config", str(config_for(tmp_path, database_url)))
    assert done.returncode == 0, done.stderr
    assert "At (UTC)" in done.stdout
    assert "2026-11-24 07:00:00" in done.stdout
