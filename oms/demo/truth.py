"""What the server and the venues know: read-only SQL on one side, control sockets on the other."""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from fix_sessions.exchange_control import ExchangeControl
from oms.demo.world import World
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_urls import READ_ROLE, role_url

Row = dict[str, Any]

_TABLES: dict[str, LiteralString] = {
    "orders": "SELECT * FROM orders WHERE client <> 'GUEST' ORDER BY created_at, order_id",
    "children": "SELECT * FROM child_orders ORDER BY created_at, order_id",
    "executions": "SELECT * FROM executions ORDER BY seq",
    "positions": "SELECT * FROM positions ORDER BY account, symbol",
    "orphans": "SELECT * FROM orphans ORDER BY seq",
}
_UNRESOLVED: LiteralString = """
SELECT order_id, status FROM orders WHERE in_doubt OR status LIKE 'PENDING%'
UNION ALL
SELECT order_id, status FROM child_orders WHERE in_doubt OR status LIKE 'PENDING%'
"""


class Database:
    """A connection as the role that can only read."""

    def __init__(self, world: World) -> None:
        # The server runs already: this finds it and owns nothing.
        owner_url = EmbeddedPostgres(world.postgres_dir).start()
        self.url = role_url(owner_url, READ_ROLE)
        self._connection = psycopg.connect(self.url, row_factory=dict_row, autocommit=True)

    def rows(self, query: LiteralString, *values: object) -> list[Row]:
        """All rows of a query."""
        return self._connection.execute(query, values or None).fetchall()

    def number(self, query: LiteralString) -> int:
        """The one number that a query gives."""
        row = self._connection.execute(query).fetchone()
        return int(next(iter(row.values()))) if row else 0

    def tables(self) -> dict[str, list[Row]]:
        """The read tables that the checks compare, of one moment."""
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return {name: self.rows(query) for name, query in _TABLES.items()}

    def ready_venues(self, names: Mapping[str, object]) -> set[str]:
        """Venues that are logged on and resynchronised."""
        rows = self.rows("SELECT name FROM sessions WHERE logged_on AND ready")
        return {str(row["name"]) for row in rows} & set(names)

    def unresolved(self) -> list[Row]:
        """Orders, ours and at venues, that are pending or in doubt."""
        return self.rows(_UNRESOLVED)

    def open_orders(self) -> int:
        """How many orders, ours and at venues, can still trade."""
        return self.number(
            "SELECT (SELECT count(*) FROM orders WHERE is_open)"
            " + (SELECT count(*) FROM child_orders WHERE is_open)"
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def control(world: World, name: str) -> ExchangeControl:
    """A connection to a venue's fault switches."""
    return ExchangeControl(world.venues[name].control)


def listens(world: World, name: str) -> bool:
    """Whether a venue answers."""
    try:
        with control(world, name) as venue:
            venue.stats()
    except OSError:
        return False
    return True


def venue_books(world: World) -> dict[str, dict[str, list[dict[str, str]]]]:
    """Every venue's orders and trades."""
    books = {}
    for name in world.venues:
        with control(world, name) as venue:
            books[name] = {"orders": venue.orders(), "trades": venue.trades()}
    return books
