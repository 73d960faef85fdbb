"""A helper process of the core ends with it: its input closes, the core is gone or frozen."""

import asyncio
import contextlib
import os
import time

from fix_sessions.process_state import LOOK_S, StopWatch


class ParentWatch(asyncio.Protocol):
    """Standard input after its first line: nothing more comes, and its end is ours."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

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
