"""`oms demo` in a process and a directory of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent.parent
_POLL_S = 0.05
_STOP_S = 60.0
_LOSE_A_FILL = """
import sys
from oms.demo.run import Options, main
sys.exit(main(Options(orders="120", lose_a_fill=True, quiet_limit_s=4.0)))
"""


class DemoProcess:
    """One run; what it prints goes to a file. Use as a context: it is stopped at the end."""

    def __init__(self, directory: Path, *arguments: str, lose_a_fill: bool = False) -> None:
        self.directory = directory
        self._output = directory / "output.txt"
        command = ["-c", _LOSE_A_FILL] if lose_a_fill else ["-m", "oms", "demo", *arguments]
        environment = {key: value for key, value in os.environ.items() if key[:4] != "OMS_"}
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def wait(self, timeout_s: float) -> int:
        """The exit code."""
        return self._process.wait(timeout_s)

    def await_text(self, text: str, timeout_s: float) -> None:
        """Until it has printed this."""
        deadline = time.monotonic() + timeout_s
        while text not in self.said:
            assert self._process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(_POLL_S)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def lines(self) -> dict[str, str]:
        """The summary's lines by name, each with its last column."""
        found = {}
        for line in self.said.splitlines():
            cells = [cell.strip() for cell in line.split("│")[1:-1]]
            if len(cells) == 3:
                found[cells[0]] = cells[2]
        return found
