"""oms audit verify: nothing changed is found clean, and whatever is changed is found and named."""

import runpy
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from oms.audit.compare import COMPARED
from oms.audit.verify import VerifyReport, verify
from oms.store import arrays
from oms.store.migrate import MIGRATIONS
from oms.store.postgres_urls import APP_ROLE, READ_ROLE, role_url
from tests.support.postgres import Databases
from tests.support.written import Written, write_day


@pytest.fixture(scope="module")
def written(migrated_databases: Databases) -> Iterator[Written]:
    url = migrated_databases.take()
    yield write_day(url, orders=80, seed=5)
    migrated_databases.drop(url)


@contextmanager
def tampered(url: str, *statements: str) -> Iterator[VerifyReport]:
    """The report after a superuser changed something; the change is taken back afterwards.

    The journal's guard is lifted: only the chain can tell.
    """
    tables = [*COMPARED, "journal"]
    with psycopg.connect(role_url(url, "postgres"), autocommit=True) as connection:
        for name in tables:
            connection.execute(_sql("CREATE TABLE saved_{0} AS TABLE {1}", name))
        connection.execute("ALTER TABLE journal DISABLE TRIGGER USER")
        try:
            for statement in statements:
                changed = connection.execute(statement)
                assert changed.rowcount, statement
            yield verify(url)
        finally:
            for name in tables:
                connection.execute(_sql("TRUNCATE {1}", name))
                connection.execute(_sql("INSERT INTO {1} SELECT * FROM saved_{0}", name))
                connection.execute(_sql("DROP TABLE saved_{0}", name))
            connection.execute("ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_append_only")


def _sql(template: str, name: str) -> sql.Composed:
    return sql.SQL(template.replace("saved_{0}", "{0}")).format(
        sql.Identifier(f"saved_{name}"), sql.Identifier(name)
    )


@pytest.mark.parametrize("role", [APP_ROLE, READ_ROLE, "plumbline"])
def test_what_the_server_wrote_verifies(written: Written, role: str) -> None:
    report = verify(role_url(written.url, role))
    assert report.faults == []
    assert report.differences == []
    assert report.ok
    assert (report.last_seq, report.last_hash) == (written.book.seq, written.book.last_hash)
    assert report.entries == written.book.seq
    empty = {name for name, count in report.rows.items() if not count}
    assert empty <= {"discrepancies"}, "a table without rows proves nothing"


@pytest.mark.parametrize("seed", range(1, 4))
def test_any_day_verifies_however_it_was_cut_into_batches(database_url: str, seed: int) -> None:
    write_day(database_url, orders=60, seed=seed)
    report = verify(database_url)
    assert [str(one) for one in report.differences] == []
    assert report.ok


def test_an_empty_database_verifies(database_url: str) -> None:
    report = verify(database_url)
    assert report.ok
    assert (report.entries, report.faults) == (0, [])


MIDDLE = "SELECT seq FROM journal WHERE type = 'TradeExecuted' ORDER BY seq OFFSET 10 LIMIT 1"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("leader_epoch = 7", "column leader_epoch is 7: its payload says 1"),
        ("at = at + interval '1 microsecond'", "the hash does not fit"),
        ("hash = sha256('x')", "the hash does not fit"),
        (
            "payload = overlay(payload PLACING ' ' FROM position('}' IN payload))",
            "the hash does not fit",
        ),
        ("kind = 'C'", "the hash does not fit"),
        ("order_id = 'other'", "column order_id is 'other': its payload says"),
        ("session = 'ALPHA'", "column session is 'ALPHA': its payload says None"),
        ("epoch = 0", "column epoch is 0: its payload says None"),
        ("msg_seq_num = 5", "column msg_seq_num is 5: its payload says None"),
    ],
)
def test_a_changed_entry_is_the_first_broken_one(written: Written, change: str, text: str) -> None:
    with psycopg.connect(written.url) as connection:
        (seq,) = connection.execute(MIDDLE).fetchone()
    with tampered(written.url, f"UPDATE journal SET {change} WHERE seq = {seq}") as report:
        assert not report.ok
        assert report.faults[0].seq == seq
        assert text in report.faults[0].text
    assert verify(written.url).ok


def test_a_missing_entry_is_told(written: Written) -> None:
    with tampered(written.url, "DELETE FROM journal WHERE seq = 50") as report:
        assert report.faults[0].seq == 51
        assert report.faults[0].text == "follows 49: entries in between are missing"


def test_a_forged_entry_with_a_hash_of_its_own_breaks_the_next(written: Written) -> None:
    forge = f"""
        UPDATE journal AS forged SET
            payload = changed.payload,
            hash = sha256(before.hash || convert_to(format('%s|%s|%s|%s|', forged.seq,
                   (extract(epoch FROM forged.at) * 1000000)::bigint, forged.kind, forged.type),
                   'UTF8') || changed.payload)
        FROM journal AS before, (
            SELECT seq, convert_to(regexp_replace(convert_from(payload, 'UTF8'),
                   '"last_px":"[0-9.]+"', '"last_px":"1"'), 'UTF8') AS payload
            FROM journal WHERE seq = ({MIDDLE})) AS changed
        WHERE forged.seq = changed.seq AND before.seq = forged.seq - 1
    """
    with psycopg.connect(written.url) as connection:
        (seq,) = connection.execute(MIDDLE).fetchone()
    with tampered(written.url, forge) as report:
        assert report.faults[0].seq == seq + 1
        assert "executions" in {one.table for one in report.differences}


def test_an_entry_that_cannot_be_read_or_folded_ends_the_comparison(written: Written) -> None:
    unreadable = "UPDATE journal SET payload = '{' WHERE seq = 20"
    with tampered(written.url, unreadable) as report:
        assert [fault.seq for fault in report.faults] == [20, 20]
        assert "cannot be read: " in report.faults[1].text
        assert (report.ok, report.rows) == (False, {})
    forgotten = "DELETE FROM journal WHERE type = 'OrderAccepted'"
    with tampered(written.url, forgotten) as report:
        assert "cannot be folded: KeyError" in report.faults[-1].text
        assert report.rows == {}


def test_tail_cut_off_shows_in_the_tables(written: Written) -> None:
    cut = "DELETE FROM journal WHERE seq > (SELECT max(seq) - 30 FROM journal)"
    with tampered(written.url, cut) as report:
        assert report.faults == []
        assert not report.ok


CHANGES = {
    ("orders", "cum_qty"): "cum_qty + 0.0000000001",
    ("orders", "text"): "text || ' '",
    ("child_orders", "venue_order_id"): "'other'",
    ("executions", "last_px"): "last_px * 2",
    ("executions", "busted"): "NOT busted",
    ("positions", "realised"): "realised - 1",
    ("sent_notes", "first_msg_seq_num"): "first_msg_seq_num - 1",
    ("sessions", "inbound"): "inbound - 1",
    ("risk_limits", "value"): "value * 10",
    ("kill_switches", "reason"): "'nothing'",
    ("orphans", "at"): "at + interval '1 day'",
    ("refusals", "reason"): "''",
    ("order_cl_ord_ids", "seq"): "seq + 1",
}


def test_changed_rows_are_named_to_the_column(written: Written) -> None:
    changes = [
        f"UPDATE {table} SET {column} = {value}"
        f" WHERE ctid = (SELECT max(ctid) FROM {table} WHERE {column} IS NOT NULL)"
        for (table, column), value in CHANGES.items()
    ]
    with tampered(written.url, *changes) as report:
        assert not report.faults
        assert not report.ok
        found = {(one.table, one.column): one for one in report.differences}
        assert found.keys() == CHANGES.keys()
        assert len(report.differences) == len(CHANGES)
        for one in report.differences:
            assert one.stored != one.recomputed
            assert one.key
    difference = found["kill_switches", "reason"]
    assert str(difference) == (
        "kill_switches [ACCOUNT, ACC9] reason: is 'nothing', the journal says 'stays'"
    )


FILLED = [name for name in COMPARED if name != "discrepancies"]


def test_rows_taken_away_are_named(written: Written) -> None:
    removals = [
        f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})" for table in FILLED
    ]
    with tampered(written.url, *removals) as report:
        assert [one.table for one in report.differences] == FILLED
        assert {one.stored for one in report.differences} == {"the row is missing"}


def test_rows_put_in_are_named(written: Written) -> None:
    renamings = []
    for table in FILLED:
        key = next(iter(COMPARED[table].primary_key))
        other = "99999999" if key.type.python_type is int else "'zzz'"
        renamings.append(
            f"UPDATE {table} SET {key.name} = {other} WHERE ctid = (SELECT max(ctid) FROM {table})"
        )
    with tampered(written.url, *renamings) as report:
        added = [one for one in report.differences if one.stored == "the row is there"]
        assert [one.table for one in added] == FILLED
        assert {one.key.split(", ")[0] for one in added} == {"99999999", "zzz"}
        assert len(report.differences) == 2 * len(FILLED)


def test_verification_leaves_nothing_behind_and_needs_no_quiet(database_url: str) -> None:
    written = write_day(database_url, orders=10, seed=1)
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE journal IN ROW EXCLUSIVE MODE")
        assert verify(database_url).ok
        left = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
        ).fetchone()
    assert left == (0,)
    assert written.book.seq


def test_what_was_sent_before_migration_0011_is_found_as_if_it_were_sent_now(
    database_url: str,
) -> None:
    write_day(database_url, orders=20, seed=2)
    migration = runpy.run_path(str(MIGRATIONS / "versions" / "0011_sent_notes.py"))
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM sent_notes")
        connection.execute("DELETE FROM sent_orders")
        connection.execute(migration["KNOWN"])
    report = verify(database_url)
    assert [str(one) for one in report.differences] == []
    assert report.rows["sent_notes"] > 0 < report.rows["sent_orders"]


def test_views_of_the_journal_show_what_postgresql_cannot_hold(database_url: str) -> None:
    text = r'{"a": "\u0000\u0000 \\u0000 \\\u0000"}'
    with psycopg.connect(database_url) as connection:
        shown = connection.execute(
            "SELECT journal_text(%s)::json ->> 'a'", [text.encode()]
        ).fetchone()
    assert shown == ("\ufffd\ufffd \\u0000 \\\ufffd",)


def test_a_batch_whose_texts_have_the_separator_in_them_takes_another(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "SEPARATOR", "A")
    write_day(database_url, orders=15, seed=3)
    report = verify(database_url)
    assert report.ok, report.differences[:3]
    assert report.rows["orders"] > 10
