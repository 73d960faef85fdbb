"""Declaring that a database lost entries: numbers are left out, and all who read them go on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, create_engine

from oms.app import lost_entries
from oms.app.exits import Exit, Stop
from oms.app.lost_entries import NUMBERS_LEFT_OUT, declare_restored, require_nothing_lost
from oms.audit.export import check_export, export_day
from oms.audit.verify import verify
from oms.domain.instrument import Reference
from oms.domain.state import State
from oms.queries.client_reports import reports_after
from oms.queries.paging import EVERYTHING
from oms.runtime.recovery import recover
from oms.runtime.witness import Seen, Witness
from oms.settings import Settings, load
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url, sqlalchemy_url
from tests.integration.test_cli_faults import config_for
from tests.support.book import reference
from tests.support.written import Written, write_day

MOST_PAGES = 100


@pytest.fixture
def written(database_url: str) -> Written:
    return write_day(database_url, orders=20, seed=3)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    config = config_for(tmp_path, database_url)
    with config.open("a") as file:
        file.write(f'[core]\ndata_dir = "{tmp_path}/core"\n')
        file.write('[[risk.limits]]\nrule = "MAX_ORDER_QTY"\nlevel = "FIRM"\nvalue = "7"\n')
    return load(config)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(sqlalchemy_url(role_url(database_url, APP_ROLE)))
    with engine.connect() as found:
        yield found
    engine.dispose()


def noted(settings: Settings, seq: int, restores: int = 0) -> None:
    directory = settings.core.data_dir / settings.core.shard
    directory.mkdir(parents=True)
    Witness(directory).note(seq, bytes(32), restores)


def test_numbers_are_left_out_and_told_of(
    written: Written, settings: Settings, connection: Connection
) -> None:
    last = written.book.seq
    day = datetime.now(UTC).date()
    declare_restored(settings, reason="the replica took over")
    report = verify(written.url)
    assert report.ok, report
    [told] = report.restored
    assert told.startswith(f"{last + 1} to {NUMBERS_LEFT_OUT - 1} were left out by ")
    assert told.endswith(": the replica took over")
    assert report.last_seq > NUMBERS_LEFT_OUT
    lines = list(export_day(connection, max(day, datetime.now(UTC).date())))
    assert check_export(lines) == report.last_seq - NUMBERS_LEFT_OUT + 1
    assert written.book.last_hash.hex() in lines[0]


def test_numbers_go_on_behind_all_that_this_machine_has_seen(
    written: Written, settings: Settings
) -> None:
    noted(settings, 7 * NUMBERS_LEFT_OUT)
    declare_restored(settings, reason="the disk is lost")
    [told] = verify(written.url).restored
    assert told.startswith(f"{written.book.seq + 1} to {8 * NUMBERS_LEFT_OUT - 1} ")
    declare_restored(settings, reason="and again")
    assert len(verify(written.url).restored) == 2


def test_reports_are_read_across_what_was_left_out(
    written: Written, settings: Settings, connection: Connection
) -> None:
    before = [one.event_seq for one in _all_reports(connection)]
    declare_restored(settings, reason="the replica took over")
    connection.rollback()
    assert before
    assert [one.event_seq for one in _all_reports(connection)][: len(before)] == before
    assert written.book.seq < NUMBERS_LEFT_OUT


def _all_reports(connection: Connection) -> list[object]:
    found: list[object] = []
    after = 0
    for _ in range(MOST_PAGES):
        page = reports_after(connection, reference(), after, scope=EVERYTHING, limit=50)
        found += page.reports
        after = page.after
        if not page.more:
            return found
    raise AssertionError("no end of pages")


def test_of_an_empty_database_the_configured_limits_are_journaled(
    database_url: str, settings: Settings
) -> None:
    noted(settings, 4711)
    declare_restored(settings, reason="begun anew")
    report = verify(database_url)
    assert report.ok
    assert report.restored[0].startswith(f"1 to {NUMBERS_LEFT_OUT - 1} ")
    with psycopg.connect(database_url) as rows:
        found = rows.execute("SELECT rule, value FROM risk_limits").fetchall()
    assert found == [("MAX_ORDER_QTY", 7)]


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "\x00", "\udcff", "x" * 1001])
def test_the_reason_is_a_text_of_one_line(settings: Settings, reason: str) -> None:
    with pytest.raises(Stop, match=r"reason = .*: must have 1 to 1000 printable") as stopped:
        declare_restored(settings, reason=reason)
    assert stopped.value.code == Exit.FAILED


def test_where_a_core_leads_nothing_is_declared(
    written: Written, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_entries, "LEAD_WAIT_S", 0.1)
    url = role_url(written.url, APP_ROLE)
    with (
        acquire_leadership(url, shard="main", wait=False, timeout_s=None, idle_timeout_s=60),
        pytest.raises(Stop, match=r"is led by .*: stop it") as stopped,
    ):
        declare_restored(settings, reason="too early")
    assert stopped.value.code == Exit.NOT_LEADER
    assert verify(written.url).restored == []


def test_only_an_entry_of_this_life_that_is_not_there_was_lost(written: Written) -> None:
    url = role_url(written.url, APP_ROLE)
    with acquire_leadership(url, shard="main", wait=True, timeout_s=10) as leadership:
        journal = PostgresJournal(leadership)
        state = State(reference=Reference())
        last_hash = recover(state, journal).last_hash
        require_nothing_lost(None, journal, state)
        require_nothing_lost(Seen(seq=state.seq, hash=last_hash, restores=0), journal, state)
        lost = [
            Seen(seq=state.seq, hash=bytes(32), restores=0),
            Seen(seq=state.seq + 1, hash=last_hash, restores=0),
            Seen(seq=1, hash=last_hash, restores=1),
        ]
        for seen in lost:
            with pytest.raises(Stop, match=f"lacks entry {seen.seq}, which was") as stopped:
                require_nothing_lost(seen, journal, state)
            assert stopped.value.code == Exit.JOURNAL_LOST
        state.restores = 1
        require_nothing_lost(lost[0], journal, state)
