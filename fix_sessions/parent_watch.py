"""A helper process of the core ends with it: its input closes, the core is gone or frozen.

What comes on the input meanwhile is lines, for those who take any.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable

from fix_sessions.process_state import LOOK_S, StopWatch


class ParentWatch(asyncio.Protocol):
    """Standard input after its first line: its end is ours.

    take_line: told each line that comes, without its newline. begun: what was read of them before.
    """

    def __init__(
        self,
        stop: asyncio.Event,
        take_line: Callable[[bytes], None] | None = None,
        begun: bytes = b"",
    ) -> None:
        self._stop = stop
        self._take_line = take_line
        self._rest = begun

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._take_line is not None:
                self._take_line(line)

    def eof_received(self) -> None:
        self._stop.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop.set()


async def until_stopped(stop: asyncio.Event, parent_pid: int) -> bool:
    """A fork of the parent may keep our standard input open, so the parent is looked for too.

    One that is frozen, which is the answer, is about to lose the lead; a standby on this machine
    needs the port.
    """
    watch = StopWatch(parent_pid)
    while not stop.is_set() and parent_pid in {0, os.getppid()}:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
        if parent_pid and watch.stays_stopped(time.monotonic()):
            return True
    return False
