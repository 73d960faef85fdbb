"""What the bench commits is what the server would: whole orders, filled and in every table."""

from collections.abc import Iterator

import psycopg
import pytest

from oms.bench.database import CommitLimit
from oms.bench.figures import Commits
from oms.bench.load import OrderShape
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_urls import database_url

SHAPE = OrderShape(symbols=("AAA", "BBB"), account="ACC")


@pytest.fixture
def limit(postgres_server: EmbeddedPostgres) -> Iterator[CommitLimit]:
    found = CommitLimit(postgres_server.url, SHAPE)
    yield found
    found.close()


def test_orders_are_committed_whole_at_every_batch_size(
    limit: CommitLimit, postgres_server: EmbeddedPostgres
) -> None:
    found: list[Commits] = []
    limit.sustain(found, 160)
    assert [each.orders_per_commit for each in found] == [1, 32, 128]
    assert [len(each.commit_ns) for each in found] == [160, 5, 1]
    assert all(each.journal_rows_per_order >= 6 for each in found)
    assert len(limit.single(12)) >= 12
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
