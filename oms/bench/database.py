"""What PostgreSQL alone can commit: the server's own rows by the server's own statement.

The rows are made beforehand, by the server's code without its sockets, in a database of their own
beside the server's; timed is nothing but the statement.
"""

import time
from collections.abc import Iterator

import psycopg
from psycopg import sql

from oms.bench.figures import Commits
from oms.bench.flow import Flow
from oms.bench.load import OrderShape
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.migrate import upgrade
from oms.store.postgres_cluster import open_database
from oms.store.postgres_urls import APP_ROLE, OWNER_ROLE, SUPERUSER, database_url, role_url

_DATABASE = "plumbline_bench"
_BATCH_SIZES = (1, 32, 128)
# One order to a commit is slow, and a few hundred of them say enough.
_MAX_COMMITS = 400
_IDLE_TIMEOUT_S = 3600.0


class CommitLimit:
    """A scratch database of the server's cluster, and orders to write into it."""

    def __init__(self, url: str, shape: OrderShape) -> None:
        """url: the server's database, as its owner."""
        superuser = role_url(url, SUPERUSER)
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(_DATABASE), sql.Identifier(OWNER_ROLE)
                )
            )
        scratch = database_url(url, _DATABASE)
        open_database(database_url(superuser, _DATABASE))
        upgrade(scratch)
        # Between rounds nobody beats: the lead must not be lost for that.
        self._leadership = acquire_leadership(
            role_url(scratch, APP_ROLE),
            shard="bench",
            wait=False,
            timeout_s=None,
            idle_timeout_s=_IDLE_TIMEOUT_S,
        )
        self._journal = PostgresJournal(self._leadership)
        seq, previous_hash = self._journal.tip()
        self._flow = Flow(
            shape=shape,
            leader_epoch=self._leadership.epoch,
            seq=seq,
            previous_hash=previous_hash,
        )
        for batch in self._flow.opened():
            self._journal.append(batch)

    def close(self) -> None:
        """Let go of the database; it goes with its cluster."""
        self._leadership.release()

    def own_us_per_order(self, orders: int) -> float:
        """The server's own work on one order without sockets or database, microseconds."""
        flow = self._flow
        before_ns = flow.own_ns
        size = _BATCH_SIZES[1]
        for _ in range(-(-orders // size)):
            self._journal.append(flow.sealed(flow.round(size)))
        return (flow.own_ns - before_ns) / 1000 / (-(-orders // size) * size)

    def sustain(self, found: list[Commits], orders: int) -> None:
        """Commit back to back, about `orders` orders at each batch size; add to the figures."""
        if not found:
            found += [Commits(orders_per_commit=size) for size in _BATCH_SIZES]
        for figures in found:
            size = figures.orders_per_commit
            commits = max(1, min(_MAX_COMMITS, orders // size))
            # Fills the way to the venue and back, so that every timed commit holds all its stages.
            self._journal.append(self._flow.sealed(self._flow.round(size)))
            rows_before = self._flow.state.seq
            delays_ns = list(self._delays(commits, size))
            figures.journal_rows_per_order = (self._flow.state.seq - rows_before) / commits / size
            figures.orders_per_second.append(commits * size / (sum(delays_ns) / 1e9))
            figures.commit_ns += delays_ns

    def single(self, commits: int) -> list[int]:
        """How long commits of one command each take, ns: what an order alone has to wait for."""
        delays_ns: list[int] = []
        while len(delays_ns) < commits:
            for command in self._flow.round(1):
                batch = self._flow.sealed([command])
                start_ns = time.perf_counter_ns()
                self._journal.append(batch)
                delays_ns.append(time.perf_counter_ns() - start_ns)
        return delays_ns

    def _delays(self, commits: int, size: int) -> Iterator[int]:
        for _ in range(commits):
            batch = self._flow.sealed(self._flow.round(size))
            start_ns = time.perf_counter_ns()
            self._journal.append(batch)
            yield time.perf_counter_ns() - start_ns
