"""`oms serve`: a supervisor, the database and three parts; what dies comes back, in order it ends.

The parts of one server are shared by the tests of its restarts; the others start their own.
"""

import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub
from oms.app.free_ports import free_port
from tests.support.cores import Run, oms
from tests.support.postgres import scratch_directory
from tests.support.processes import eventually

OK, PORT = 0, 4
PASSWORD = "of-the-server"
PATIENCE_S = 60.0

CONFIG = """
[database]
data_dir = "{directory}/postgres"
[core]
data_dir = "{directory}/core"
metrics_port = 0
[acceptor]
port = {fix}
[api]
port = {api}
[jobs]
metrics_port = 0
[[clients]]
name = "ALPHA"
sender_comp_id = "ALPHA"
target_comp_id = "PLUMBLINE"
password_hash = "{password}"
allowed_addresses = ["127.0.0.1"]
accounts = ["A-1"]
[[instruments]]
symbol = "ACME"
currency = "USD"
tick = "0.01"
lot = "1"
reference_px = "100"
"""


class Server:
    """A running `oms serve` in a directory of its own."""

    def __init__(self, run: Run, fix_port: int, api_port: int) -> None:
        self.run = run
        self.fix_port = fix_port
        self.api_port = api_port

    def ready(self) -> bool:
        """Whether the API says that a core leads."""
        assert self.run.process.poll() is None, self.run.said()
        try:
            where = f"http://127.0.0.1:{self.api_port}/ready"
            with urllib.request.urlopen(where, timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def until_ready(self) -> None:
        eventually(self.ready, "the server to be ready", timeout_s=PATIENCE_S)

    def part(self, name: str) -> int:
        """The process id of a part, or of the database."""

        def look() -> int | None:
            return parts(self.run.pid).get(name)

        found = eventually(look, f"{name} to run", timeout_s=PATIENCE_S)
        assert found is not None
        return found

    def kill(self, name: str) -> None:
        """SIGKILL; then wait until another one has taken its place."""
        old = self.part(name)
        os.kill(old, signal.SIGKILL)
        eventually(lambda: parts(self.run.pid).get(name, old) != old, f"another {name}")

    def trade(self) -> None:
        """A client logs on and is answered."""
        settings = LightSettings(
            sender_comp_id="ALPHA",
            target_comp_id="PLUMBLINE",
            username="ALPHA",
            password=PASSWORD,
            heartbeat_s=10,
        )

        def logged_on() -> bool:
            with Hub() as hub:
                client = hub.client("127.0.0.1", self.fix_port, settings)
                try:
                    client.connect(timeout_s=1.0)
                    client.wait_for(lambda m: m.msg_type in "A5", 5.0)
                except (OSError, TimeoutError):
                    return False
                return True

        eventually(logged_on, "a client to be answered", timeout_s=PATIENCE_S)


def parts(parent: int) -> dict[str, int]:
    """The living children of the supervisor, by what they are."""
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if int(ppid) == parent and state != "Z":
            name = "postgres" if words[0].endswith("postgres") else words[3:4] or [""]
            found["postgres" if name == "postgres" else name[0]] = int(entry.name)
    return found


@contextmanager
def serving(directory: Path, **more: object) -> Iterator[Server]:
    fix_port, api_port = free_port(), free_port()
    config = directory / "oms.toml"
    values = {"fix": fix_port, "api": api_port, "password": hash_password(PASSWORD)}
    config.write_text(CONFIG.format(directory=directory, **values))
    with oms(directory, "serve", config, **more) as run:
        yield Server(run, fix_port, api_port)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with scratch_directory() as directory, serving(directory) as found:
        found.until_ready()
        yield found


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ["core", "api", "jobs", "postgres"])
def test_what_is_killed_comes_back(server: Server, name: str) -> None:
    server.kill(name)
    server.until_ready()
    server.trade()
    assert set(parts(server.run.pid)) == {"core", "api", "jobs", "postgres"}


@pytest.mark.timeout(180)
def test_a_database_that_cannot_start_again_is_tried_until_it_can(server: Server) -> None:
    server.until_ready()
    directory = Path(os.fsdecode(Path(f"/proc/{server.part('postgres')}/cwd").readlink()))
    settings = directory / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(f"{good}\nno_such_setting = on\n")
    os.kill(server.part("postgres"), signal.SIGKILL)
    eventually(lambda: server.run.said().count("serve.database_down") > 1, "it to be tried again")
    assert "no_such_setting" in server.run.said()
    settings.write_text(good)
    eventually(lambda: "postgres" in parts(server.run.pid), "it to come", timeout_s=PATIENCE_S)
    server.until_ready()
    server.trade()


@pytest.mark.timeout(180)
def test_an_orderly_stop_ends_everything(server: Server) -> None:
    server.until_ready()
    ids = parts(server.run.pid)
    assert set(ids) == {"core", "api", "jobs", "postgres"}
    server.run.signal(signal.SIGTERM)
    assert server.run.code() == OK, server.run.said()
    assert "core.stops" in server.run.said()
    for name, pid in ids.items():
        assert not Path(f"/proc/{pid}").exists(), f"{name} is left behind"
    assert "serve.part_killed" not in server.run.said()


@pytest.mark.timeout(180)
def test_a_supervisor_that_is_killed_leaves_nothing_running() -> None:
    with scratch_directory() as directory, serving(directory) as found:
        found.until_ready()
        ids = parts(found.run.pid)
        # The server is ready for REST before its gate listens.
        gates = eventually(lambda: set(parts(ids["core"]).values()), "the gate to run")
        found.run.signal(signal.SIGKILL)
        found.run.code()
        everything = gates | set(ids.values())
        eventually(lambda: not any(map(is_there, everything)), f"{everything} to end")


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.timeout(180)
def test_a_fault_that_no_restart_mends_ends_everything_with_its_code() -> None:
    with scratch_directory() as directory, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(directory, api__port=port) as found:
            assert found.run.code() == PORT, found.run.said()
            assert any(f"{port}" in line for line in found.run.complaints())
            assert parts(found.run.pid) == {}
