"""A scratch database of a cluster, with the journal of a flow of orders in it."""

import psycopg
from psycopg import sql

from oms.bench.flow import Flow
from oms.bench.load import OrderShape
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.migrate import upgrade
from oms.store.postgres_cluster import open_database
from oms.store.postgres_urls import APP_ROLE, OWNER_ROLE, SUPERUSER, database_url, role_url

_DATABASE = "plumbline_bench"
_IDLE_TIMEOUT_S = 3600.0


class Scratch:
    """Beside the server's database; it goes with its cluster."""

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
        self.journal = PostgresJournal(self._leadership)
        seq, previous_hash = self.journal.tip()
        self.flow = Flow(
            shape=shape,
            leader_epoch=self._leadership.epoch,
            seq=seq,
            previous_hash=previous_hash,
        )
        for batch in self.flow.opened():
            self.journal.append(batch)

    def add(self, orders: int) -> int:
        """Commit so many new orders, and what there is to the ones before; how many events."""
        commands = self.flow.round(orders)
        batch = self.flow.sealed(commands)
        self.journal.append(batch)
        return len(batch) - len(commands)

    def close(self) -> None:
        """Let go of the database."""
        self._leadership.release()
