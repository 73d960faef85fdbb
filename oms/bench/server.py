"""The server under test: a real `oms core` and `oms api`, configured for the bench alone."""

import http.client
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import IO

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import LightSettings
from oms.app.free_ports import free_port
from oms.bench.load import BenchError, Load, OrderShape
from oms.bench.server_config import ServerConfig, server_config
from oms.bench.venue import Venue
from oms.settings.environment import environment_without_settings

_COMP_ID = "PLUMBLINE"
_VENUE_COMP_ID = "BENCHVENUE"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.05
_LOG_TAIL_CHARACTERS = 2000

SHAPE = OrderShape(symbols=tuple(f"SYM{number}" for number in range(1, 21)), account="BENCH-1")


class Server:
    """The server at work between its own clients and its own venue, its database in `data_dir`."""

    def __init__(self, *, data_dir: Path, client_sessions: int) -> None:
        self._data_dir = data_dir
        self._password = secrets.token_hex(16)
        self._api_key = secrets.token_hex(32)
        self._fix_port, self.api_port = free_port(), free_port()
        clients = [f"BENCH{number}" for number in range(1, client_sessions + 1)]
        self.venue = Venue(sender_comp_id=_VENUE_COMP_ID, target_comp_id=_COMP_ID)
        self.load = Load(
            host="127.0.0.1",
            port=self._fix_port,
            sessions=[
                LightSettings(
                    sender_comp_id=client,
                    target_comp_id=_COMP_ID,
                    username=client,
                    password=self._password,
                )
                for client in clients
            ],
            shape=SHAPE,
        )
        config = data_dir / "bench.toml"
        config.write_text(
            server_config(
                ServerConfig(
                    data_dir=data_dir,
                    comp_id=_COMP_ID,
                    fix_port=self._fix_port,
                    api_port=self.api_port,
                    metrics_port=free_port(),
                    clients=tuple(clients),
                    account=SHAPE.account,
                    password_hash=hash_password(self._password),
                    api_key_hash=sha256(self._api_key.encode()).hexdigest(),
                    venue_comp_id=_VENUE_COMP_ID,
                    venue_port=self.venue.port,
                    symbols=SHAPE.symbols,
                )
            )
        )
        config.chmod(0o600)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            self._start("core", config, self.venue.is_logged_on)
            self._start("api", config, self._api_is_ready)
            self._logon()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The core's process."""
        return self._processes["core"].pid

    @property
    def pids(self) -> dict[str, int]:
        """Each process that was started here, by its command."""
        return {name: process.pid for name, process in self._processes.items()}

    @property
    def api_key(self) -> str:
        """A trader's key for the first client."""
        return self._api_key

    def stop(self) -> None:
        """Stop the server in order, then its peers."""
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.load.close()
        self.venue.stop()

    def failure(self) -> str:
        """Which process ended too early and the end of its log; empty while all run."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                said = self._log(name).read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]
                return f"oms {name} ended with code {process.returncode}. It said:\n{said}"
        return ""

    def _log(self, name: str) -> Path:
        return self._data_dir / f"{name}.log"

    def _spawned(self, name: str, config: Path) -> subprocess.Popen[bytes]:
        with self._log(name).open("wb") as log:
            output: IO[bytes] = log
            return subprocess.Popen(
                [sys.executable, "-m", "oms", name, "--config", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The bench's configuration is complete: the user's variables are not about it.
                env=environment_without_settings(),
            )

    def _start(self, name: str, config: Path, ready: Callable[[], bool]) -> None:
        self._processes[name] = self._spawned(name, config)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not ready():
            self._check(deadline)
            time.sleep(_POLL_S)

    def _logon(self) -> None:
        try:
            self.load.logon()
        except (OSError, TimeoutError) as error:
            raise BenchError(f"a client cannot log on: {error}. {self.failure()}") from None

    def _check(self, deadline: float) -> None:
        failure = self.failure()
        if failure:
            raise BenchError(failure)
        if time.monotonic() > deadline:
            logs = "\n".join(
                f"{name}: {self._log(name).read_text(errors='replace')[-_LOG_TAIL_CHARACTERS:]}"
                for name in self._processes
            )
            raise BenchError(f"the server is not ready within {_START_TIMEOUT_S} s. Logs:\n{logs}")

    def _api_is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=5)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()
