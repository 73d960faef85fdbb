"""What the bench commits is what the server would: whole orders, filled and in every table."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from oms.bench.database import CommitLimit
from oms.bench.figures import Commits
from oms.bench.load import OrderShape
from oms.bench.recovery import fold, write
from oms.bench.scratch import Scratch
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_urls import SUPERUSER, database_url, role_url

SHAPE = OrderShape(symbols=("AAA", "BBB"), account="ACC")


@pytest.fixture
def scratch(postgres_server: EmbeddedPostgres) -> Iterator[Scratch]:
    found = Scratch(postgres_server.url, SHAPE)
    yield found
    found.close()
    with psycopg.connect(role_url(postgres_server.url, SUPERUSER), autocommit=True) as connection:
        connection.execute("DROP DATABASE plumbline_bench WITH (FORCE)")


def test_orders_are_committed_whole_at_every_batch_size(
    scratch: Scratch, postgres_server: EmbeddedPostgres
) -> None:
    limit = CommitLimit(scratch)
    found: list[Commits] = []
    limit.sustain(found, 160)
    assert [each.orders_per_commit for each in found] == [1, 32, 128]
    assert [len(each.commit_ns) for each in found] == [160, 5, 1]
    assert all(each.journal_rows_per_order >= 6 for each in found)
    assert len(limit.single(12, 0.0)) >= 12
    assert limit.own_us_per_order(32) > 0
    with psycopg.connect(database_url(postgres_server.url, "plumbline_bench")) as connection:
        counted = connection.execute(
            """
            SELECT (SELECT count(*) FROM orders),
                   (SELECT count(*) FROM orders WHERE ord_status = '2'),
                   (SELECT count(*) FROM executions),
                   (SELECT count(*) FROM orders WHERE ord_status = '8'),
                   (SELECT max(seq) - count(*) FROM journal)
            """
        ).fetchone()
    assert counted is not None
    orders, filled, executions, rejected, missing = counted
    assert orders >= 161 + 6 * 32 + 2 * 128 + 32
    # The last round's orders are still on their way back from the venue.
    assert filled == executions >= orders - 128
    assert (rejected, missing) == (0, 0)


def test_the_journal_that_recovery_is_timed_with_has_what_it_says(
    scratch: Scratch, tmp_path: Path
) -> None:
    events = write(scratch, 4_000)
    assert events == pytest.approx(4_000, rel=0.2)
    state, found = fold(scratch, tmp_path)
    assert found.entries == state.seq == scratch.flow.state.seq
    orders = [state.orders[one] for one in state.open_orders]
    assert sum(not one.is_child for one in orders) == pytest.approx(400, rel=0.4)
    assert all(one.cum_qty == 0 for one in orders)
