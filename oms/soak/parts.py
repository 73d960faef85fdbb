"""The processes of a soak: started, found, frozen, killed, started again."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oms.demo.programs import STOP_LIMIT_S, DemoError
from oms.settings.environment import environment_with, environment_without_settings
from oms.soak.site import Site
from oms.store.postgres_cluster import cluster_dir, existing_cluster
from oms.store.postgres_process import die_with_parent, process_facts, read_pid_file

_FIX_PROCESS = b"oms.app.fix_process"


class Part:
    """One process and its later lives; what it says is kept in one file."""

    def __init__(
        self,
        name: str,
        command: list[str],
        log: Path,
        *,
        prefix: Iterable[str] = (),
        settings: Mapping[str, str] | None = None,
        talks: bool = False,
    ) -> None:
        """settings: OMS_ variables, none by default. talks: it takes lines and tells JSON."""
        self.name = name
        self.log = log
        self.wanted = False
        self.state: dict[str, Any] = {}
        self._command = [*prefix, sys.executable, "-m", *command]
        self._settings = settings
        self._talks = talks
        self._process: subprocess.Popen[bytes] | None = None
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()

    @property
    def pid(self) -> int:
        """Of the life that runs, or ran last."""
        return self._process.pid if self._process else 0

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        """How it ended."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """A life of it; from the main thread, with which it ends."""
        settings = environment_without_settings()
        if self._settings is not None:
            settings = environment_with(self._settings)
        pipe = subprocess.PIPE if self._talks else subprocess.DEVNULL
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=pipe,
                stdout=subprocess.PIPE if self._talks else log,
                stderr=log,
                env=settings,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - two system calls
            )
        self.wanted = True
        if self._talks:
            threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def say(self, text: str) -> None:
        """One line, where it takes them; one that is dead hears nothing."""
        if self._process is not None and self._process.stdin is not None:
            # ValueError: it was killed, and its pipe is closed.
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write(f"{text}\n".encode())
                self._process.stdin.flush()

    def listen(self) -> None:
        """Take in what it told."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.state = self._told.get_nowait()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)
            if self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        self.wanted = False
        if not self.runs or self._process is None:
            return
        with contextlib.suppress(OSError):
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def await_end(self, limit_s: float) -> None:
        """Raises DemoError where it does not end in time."""
        assert self._process is not None
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{self.name} does not end within {limit_s:.0f} s") from None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                self._told.put(json.loads(line))


def serve(site: Site, prefix: list[str]) -> Part:
    """`oms serve`: PostgreSQL, core, api, jobs."""
    command = ["oms", "serve", "--config", str(site.config)]
    return Part("serve", command, site.log("serve"), prefix=prefix)


def standby(site: Site, prefix: list[str], app_url: str, owner_url: str) -> Part:
    """`oms core` beside the supervisor's own: whoever of them does not lead stands by."""
    command = ["oms", "core", "--config", str(site.config)]
    urls = {"OMS_DATABASE__URL": app_url, "OMS_DATABASE__OWNER_URL": owner_url}
    return Part("standby", command, site.log("standby"), prefix=prefix, settings=urls)


def venue(site: Site, name: str) -> Part:
    """`oms exchange NAME`."""
    command = ["oms", "exchange", name, "--config", str(site.venue_config)]
    command += ["--data-dir", str(site.home / "exchange")]
    command += ["--control-port", str(site.controls[name]), "--seed", str(site.seed)]
    return Part(f"venue {name}", command, site.log(name.lower()))


def client(site: Site, name: str) -> Part:
    """See oms.soak.client."""
    command = ["oms.soak.client", str(site.client_plan), name]
    return Part(f"client {name}", command, site.log(name.lower()), talks=True)


def guard(site: Site) -> Part:
    """See oms.soak.guard."""
    return Part("guard", ["oms.soak.guard"], site.log("guard"), talks=True)


def children(pid: int) -> list[int]:
    """Processes that it has started and that are not gone."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(one) for one in found if process_facts(int(one)) is not None]


def fix_process_of(core: int) -> int:
    """The FIX process of a core, 0 while there is none."""
    for child in children(core):
        if _FIX_PROCESS in title_of(child):
            return child
    return 0


def title_of(pid: int) -> bytes:
    """How a process names itself; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def postmaster_of(site: Site) -> int:
    """PostgreSQL's first process, 0 while there is none."""
    major = existing_cluster(site.postgres_dir)
    found = read_pid_file(cluster_dir(site.postgres_dir, major)) if major else None
    if found is None or process_facts(found.pid) is None:
        return 0
    return found.pid


def send(pid: int, number: signal.Signals) -> bool:
    """Signal a process; whether it was there."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True
