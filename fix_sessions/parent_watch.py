"""A helper process of the core ends with it: its input closes, the core is gone or frozen."""

import asyncio
import contextlib
import os
from typing import Final

_PARENT_CHECK_SECONDS: Final = 0.5
_FROZEN_LOOKS: Final = 2


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
    looks_frozen = 0
    while not stop.is_set() and parent_pid in {0, os.getppid()} and looks_frozen < _FROZEN_LOOKS:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PARENT_CHECK_SECONDS)
        looks_frozen = looks_frozen + 1 if parent_pid and _is_stopped(parent_pid) else 0
    return looks_frozen >= _FROZEN_LOOKS


def _is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process (Linux). Not one that a profiler looks into (t)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
