"""A process that starts the server of a data directory and writes rows to it until it dies.

Arguments: data directory, number of rows (0: none). Then it holds the server until its input ends.
"""

import sys
from pathlib import Path

import psycopg
import structlog

from oms.store.embedded_postgres import EmbeddedPostgres


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    data_dir, rows = Path(sys.argv[1]), int(sys.argv[2])
    with EmbeddedPostgres(data_dir) as server:
        _say(f"owned {server.pid}" if server.owned else f"found {server.pid}")
        _say(f"url {server.url}")
        if rows:
            _write(server.url, rows)
        _say("holding")
        sys.stdin.read()


def _write(url: str, rows: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS written (number bigint PRIMARY KEY)")
        row = connection.execute("SELECT coalesce(max(number), 0) FROM written").fetchone()
        first = (row[0] if row else 0) + 1
        for number in range(first, first + rows):
            connection.execute("INSERT INTO written VALUES (%s)", [number])
            _say(f"wrote {number}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
