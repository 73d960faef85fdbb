"""A few connections for the commands' way: used from the event loop, without threads in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]

_WAIT_S: Final = 5.0
_STATEMENT_MS: Final = 10_000


class DatabaseBusy(Exception):
    """No connection came free in time."""


class Connections:
    """Up to `size` connections in autocommit, made when they are first needed, mended when lost."""

    def __init__(self, url: str, size: int = 8) -> None:
        self._url = url
        self._free: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._free.put_nowait(None)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One for a single statement or a few. Raises psycopg.Error, DatabaseBusy.

        One on which anything but a plain answer happened is not used again.
        """
        try:
            held = await asyncio.wait_for(self._free.get(), _WAIT_S)
        except TimeoutError:
            raise DatabaseBusy("no connection to the database came free") from None
        usable = None
        try:
            if held is None or held.closed:
                held = await self._connect()
            yield held
            usable = held
        finally:
            if usable is None and held is not None:
                await held.close()
            self._free.put_nowait(usable)

    async def query(self, sql: str, parameters: list[Any]) -> list[Row]:
        """The rows of one statement that may be repeated: once more if the connection was lost."""
        for last in (False, True):
            try:
                async with self.connection() as connection:
                    cursor = await connection.execute(sql, parameters, prepare=True)
                    return await cursor.fetchall()
            except psycopg.OperationalError:
                if last:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close what is free."""
        while not self._free.empty():
            held = self._free.get_nowait()
            if held is not None:
                await held.close()

    async def _connect(self) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            row_factory=dict_row,
            connect_timeout=int(_WAIT_S),
            application_name="plumbline api commands",
            options=f"-c statement_timeout={_STATEMENT_MS} -c lock_timeout={_STATEMENT_MS}",
        )
