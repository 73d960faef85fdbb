"""Processes of the server that a test starts beside, or instead of, those of a desk."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import PATIENCE_S, ROOT


class Run:
    """One `oms` process; what it says goes to files."""

    def __init__(
        self, directory: Path, command: str, config: Path, environment: dict[str, str]
    ) -> None:
        self._out = directory / f"{command}-{time.monotonic_ns()}.out"
        self._err = self._out.with_suffix(".err")
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "oms", command, "--config", str(config)],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=out,
                stderr=err,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def code(self) -> int:
        """Wait for its end."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.said()}") from None

    def said(self) -> str:
        """Its logs."""
        return self._out.read_text()[-4000:] + self._err.read_text()[-4000:]

    def complaints(self) -> list[str]:
        """The lines that say why it ended."""
        return [
            line.removeprefix("oms: ")
            for line in self._err.read_text().splitlines()
            if line.startswith("oms: ")
        ]


@contextmanager
def oms(directory: Path, command: str, config: Path, **environment: object) -> Iterator[Run]:
    """Run `oms COMMAND` with OMS_ variables (name without prefix, as core__metrics_port=0)."""
    variables = {f"OMS_{name.upper()}": str(value) for name, value in environment.items()}
    run = Run(directory, command, config, variables)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.signal(signal.SIGCONT)
            run.process.kill()
            run.process.wait(PATIENCE_S)
