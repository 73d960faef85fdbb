"""Child processes of tests: Python programs that report by lines, and are never left behind."""

import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0

T = TypeVar("T")


class Child:
    """A running Python program whose lines of output a test waits for."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.process = process
        self._output = process.stdout
        self._buffer = b""
        self.lines: list[str] = []

    @property
    def pid(self) -> int:
        return self.process.pid

    def expect(self, beginning: str, *, timeout_s: float = PATIENCE_S) -> str:
        """The rest of the next line that begins so; fails when it does not come."""
        deadline = time.monotonic() + timeout_s
        while True:
            line = self._next_line(deadline)
            assert line is not None, f"no line {beginning!r} after {self.lines[-20:]}"
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()

    def read_to_end(self, *, timeout_s: float = PATIENCE_S) -> None:
        """Take what a process that has ended or will end has written."""
        deadline = time.monotonic() + timeout_s
        while self._next_line(deadline) is not None:
            pass

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def close_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def _next_line(self, deadline: float) -> str | None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not selector.select(remaining):
                    return None
                chunk = self._output.read1(65536)  # type: ignore[attr-defined]
                if not chunk:
                    return None
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.lines.append(line.decode())
        return self.lines[-1]


@contextmanager
def running(module: str, *arguments: str) -> Iterator[Child]:
    """Run `python -m module`, and kill it at the end if it still lives."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child = Child(process)
    try:
        yield child
    finally:
        child.kill()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def eventually(look: Callable[[], T], what: str, *, timeout_s: float = PATIENCE_S) -> T:
    """Poll until `look` gives something true, and return it."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.005)
    return found


def fix_process_of(core: int) -> int:
    """The pid of the core's FIX process, 0 while there is none."""
    return next(iter(running_below(core, "oms.app.fix_process")), 0)


def running_below(ancestor: int, module: str) -> list[int]:
    """The processes that run this module (`python -m`), the ancestor and all below it."""
    found = []
    waiting = [ancestor]
    while waiting:
        pid = waiting.pop()
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since it was listed
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if module.encode() in words:
                found.append(pid)
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            waiting += [int(one) for one in children]
    return found
