"""Waiting for the core's answers: one connection listens for all requests of this process."""

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Iterator
from typing import Final

import psycopg
import structlog

CHANNEL: Final = "command_answers"
_RETRY_S: Final = 0.5
# A command may be answered before its sender begins to wait: for so many others it is remembered.
_REMEMBERED: Final = 512
_NUMBERS: Final = re.compile(r"\d+")
log = structlog.get_logger(__name__)


class Answers:
    """Wakes whoever waits for the answer to a command_inbox row.

    A notification only says when to look: who waits also looks by itself from time to time, so one
    that is lost, with the connection say, delays an answer and loses none.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._told: deque[int] = deque(maxlen=_REMEMBERED)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen from now on, in the running loop."""
        self._task = asyncio.create_task(self._listen_for_ever(), name="command answers")

    async def stop(self) -> None:
        """Listen no longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.contextmanager
    def expect(self, inbox_id: int) -> Iterator[asyncio.Event]:
        """An event that is set when that row may have been answered."""
        event = asyncio.Event()
        if inbox_id in self._told:
            event.set()
        self._waiting.setdefault(inbox_id, set()).add(event)
        try:
            yield event
        finally:
            waiting = self._waiting[inbox_id]
            waiting.discard(event)
            if not waiting:
                del self._waiting[inbox_id]

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                log.warning("answers.connection_lost", error=" ".join(str(error).split()))
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=5, application_name="plumbline api answers"
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            async for notification in connection.notifies():
                for number in map(int, _NUMBERS.findall(notification.payload)):
                    self._told.append(number)
                    for event in self._waiting.get(number, ()):
                        event.set()
