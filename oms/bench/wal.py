"""WAL files as a server has them that has run for a while: used before, and used again.

A new cluster makes each of its first WAL files as it needs it, in the middle of somebody's commit:
16 MB of zeros, 40 to 50 ms. After a checkpoint the old ones are taken again.
"""

import psycopg

from oms.store.postgres_urls import SUPERUSER, role_url

# As much as `min_wal_size` keeps.
_FILES = 64


def use_wal_files(url: str) -> None:
    """Have so many WAL files made, and kept to be used again. url: the cluster, as anybody."""
    with psycopg.connect(role_url(url, SUPERUSER), autocommit=True) as connection:
        for _ in range(_FILES):
            connection.execute("SELECT pg_logical_emit_message(false, 'bench', '')")
            connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
