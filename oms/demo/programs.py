"""The processes of the demo: started, watched, killed on purpose, stopped in order."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oms.demo.world import World
from oms.settings.environment import environment_without_settings
from oms.store.postgres_process import die_with_parent

STOP_LIMIT_S = 30.0
POLL_S = 0.02
_TAIL_LINES = 15


class DemoError(RuntimeError):
    """The demo cannot go on; the text says why."""


class Program:
    """One process, with what it says in a file; ends with us, whatever happens to us."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *command]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self._log

    def start(self) -> None:
        """Start it, again after a kill."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment_without_settings(),
                # A Ctrl-C is for us: we stop the others, in order.
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread starts all
            )

    def check(self) -> None:
        """Raises DemoError where it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            raise DemoError(f"{self.name} ended with code {code}. It said:\n{self.tail()}")

    def tail(self) -> str:
        """The last that it said."""
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        return ""

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)


def server(world: World) -> Program:
    """`oms serve`: PostgreSQL, core, api, jobs."""
    command = ["oms", "serve", "--config", str(world.config)]
    return Program("the server", command, world.log("serve"))


def venue(world: World, name: str, seed: int) -> Program:
    """`oms exchange NAME`."""
    command = ["oms", "exchange", name, "--config", str(world.config)]
    command += ["--data-dir", str(world.home / "exchange")]
    command += ["--control-port", str(world.venues[name].control), "--seed", str(seed)]
    return Program(f"venue {name}", command, world.log(name.lower()))


def core_pid(world: World) -> int:
    """The core's process, from what the supervisor logs. Raises DemoError."""
    pid = 0
    for line in world.log("serve").read_text(errors="replace").splitlines():
        if "serve.part_started" in line:
            with contextlib.suppress(ValueError, KeyError):
                said = json.loads(line)
                pid = int(said["pid"]) if said["part"] == "core" else pid
    if not pid:
        raise DemoError("the server's log does not tell the core's process id")
    return pid


def kill_core(world: World) -> int:
    """SIGKILL the core that runs now; CLOCK_MONOTONIC ns just before."""
    pid = core_pid(world)
    at_ns = time.monotonic_ns()
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        raise DemoError(f"the core (process {pid}) is not there to be killed") from None
    return at_ns


class ClientsProgram:
    """The clients' process and what it told last."""

    def __init__(self, world: World) -> None:
        self._plan = world.home / "clients.json"
        self.ledger_file = world.home / "clients-books.json"
        self.state: dict[str, Any] = {"sent": 0, "answered": 0, "fills": 0, "up": False}
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        self._log = world.log("clients")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, plan: dict[str, Any]) -> None:
        """Start it; it logs on and waits for a limit."""
        self._plan.touch(mode=0o600)
        plan = {**plan, "ledger_file": str(self.ledger_file)}
        self._plan.write_text(json.dumps(plan), encoding="utf-8")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "oms.demo.clients", str(self._plan)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment_without_settings(),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - as above
            )
        threading.Thread(target=self._read, name="clients", daemon=True).start()

    def say(self, text: str) -> None:
        """One request; see oms.demo.clients."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{text}\n".encode())
            self._process.stdin.flush()
        except OSError:
            self._fail()

    def listen(self, timeout_s: float) -> dict[str, Any]:
        """The newest state, after waiting for news for so long at most."""
        with contextlib.suppress(queue.Empty):
            self.state = self._told.get(timeout=timeout_s)
            while True:
                self.state = self._told.get_nowait()
        if self._process is not None and self._process.poll() not in (None, 0):
            self._fail()
        return self.state

    def finish(self, timeout_s: float) -> dict[str, Any]:
        """Log out, end, and hand over the books."""
        self.say("finish")
        assert self._process is not None
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise DemoError(f"the clients do not end within {timeout_s:.0f} s") from None
        if self._process.returncode:
            self._fail()
        books: dict[str, Any] = json.loads(self.ledger_file.read_text(encoding="utf-8"))
        return books

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(json.loads(line))

    def _fail(self) -> None:
        said = self._log.read_text(errors="replace")[-2000:]
        raise DemoError(f"the clients' process failed. It said:\n{said}")


def wait_until(
    condition: Callable[[], bool], timeout_s: float, alive: Callable[[], None] = lambda: None
) -> bool:
    """Poll until the condition holds; whether it does. alive: raises where waiting is in vain."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        alive()
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
