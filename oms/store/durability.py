"""Whether the server keeps what it has committed: everything that we acknowledge rests on that."""

from typing import Any, Final

import psycopg

# Any other value of synchronous_commit waits for this server's disk at least.
_LOSES: Final = {"fsync": "off", "synchronous_commit": "off"}


class NotDurable(Exception):
    """A commit of that server may be lost in a power cut."""


def require_durable(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Raises NotDurable, with the setting, its value and the rule."""
    names = list(_LOSES)
    query = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
    found = dict(connection.execute(query, [names]).fetchall())
    for name in names:
        if found[name] == _LOSES[name]:
            rule = "must be on: what is acknowledged has to survive a power cut"
            raise NotDurable(f"database: {name} = {found[name]}: {rule}")
