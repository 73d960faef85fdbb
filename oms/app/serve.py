"""`oms serve`: database, core, api and jobs under one supervisor on one machine.

A part that ends is started again, later and later while it keeps failing; a fault that a restart
cannot mend (a wrong configuration, a port in use, another schema) ends them all with its exit code.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import structlog

from oms.app.database import Urls, database, migrate
from oms.app.exits import Exit, Stop
from oms.settings.environment import environment_with
from oms.settings.model import Settings

log = structlog.get_logger()

PARTS = ("core", "api", "jobs")
HOPELESS = frozenset({Exit.USAGE, Exit.CONFIG, Exit.PORT_IN_USE, Exit.SCHEMA})
POLL_S = 0.05
STOP_LIMIT_S = 20.0
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
STEADY_S = 30.0
PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Part:
    """One process of the server."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    delay_s: float = FIRST_DELAY_S


def run(settings: Settings, config: Path) -> int:
    """Serve until SIGTERM or SIGINT; 0 after an orderly stop. Raises Stop."""
    supervisor = Supervisor(config)
    with database(settings.database) as urls:
        migrate(urls)
        return supervisor.run(urls)


class Supervisor:
    """Starts the parts, watches them, stops them."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._parts = [Part(name) for name in PARTS]
        self._stopping = False
        self._revive_at, self._revive_s = 0.0, FIRST_DELAY_S
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._stopping = True

    def run(self, urls: Urls) -> int:
        """Until asked to stop, or a part ends with what no restart can mend."""
        environment = environment_with(
            {"OMS_DATABASE__URL": urls.app, "OMS_DATABASE__OWNER_URL": urls.owner}
        )
        code: int = Exit.OK
        try:
            while not self._stopping and code == Exit.OK:
                self._revive(urls)
                for part in self._parts:
                    code = self._watch(part, environment) or code
                time.sleep(POLL_S)
        finally:
            self._end_all()
        return code

    def _revive(self, urls: Urls) -> None:
        """Start our database again if it has died: again and again where its disk is full, say."""
        now = time.monotonic()
        if now < self._revive_at:
            return
        try:
            revived = urls.revive()
        except Stop as stop:
            log.warning("serve.database_down", error=str(stop), again_s=self._revive_s)
            self._revive_at = time.monotonic() + self._revive_s
            self._revive_s = min(self._revive_s * 2, LONGEST_DELAY_S)
        else:
            self._revive_s = FIRST_DELAY_S
            if revived:
                log.warning("serve.database_restarted")

    def _watch(self, part: Part, environment: dict[str, str]) -> int:
        now = time.monotonic()
        if part.process is None:
            if now >= part.start_at:
                self._start(part, environment, now)
            return Exit.OK
        code = part.process.poll()
        if code is None:
            return Exit.OK
        part.process = None
        log.warning("serve.part_ended", part=part.name, code=code)
        if code in HOPELESS:
            return code
        if now - part.started_at > STEADY_S:
            part.delay_s = FIRST_DELAY_S
        part.start_at = now + part.delay_s
        part.delay_s = min(part.delay_s * 2, LONGEST_DELAY_S)
        return Exit.OK

    def _start(self, part: Part, environment: dict[str, str], now: float) -> None:
        command = [sys.executable, "-m", "oms", part.name, "--config", str(self._config)]
        part.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=partial(_die_with_parent, os.getpid()),  # noqa: PLW1509 - has no threads
        )
        part.started_at = now
        log.info("serve.part_started", part=part.name, pid=part.process.pid)

    def _end_all(self) -> None:
        """In the order in which work flows: no new requests, then the core, which logs out."""
        for part in sorted(self._parts, key=lambda one: one.name == "core"):
            if part.process is None:
                continue
            part.process.terminate()
            try:
                part.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                log.warning("serve.part_killed", part=part.name)
                part.process.kill()
                part.process.wait()


def _die_with_parent(parent: int) -> None:
    """In the child: end when the supervisor does, even by SIGKILL (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(Exit.FAULT)
