"""SIGKILL under load: numbers set from the journal bring back what had not been taken."""

import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub

ROOT = Path(__file__).resolve().parents[2]
KILLS = 8
ORDERS_BETWEEN_KILLS = 150


class Server:
    """The process under test, on one port over all its lives."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None

    @property
    def journal(self) -> Path:
        return self._directory / "journal"

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.support.fix_engine_process"]
        arguments = [str(self._directory / "store"), str(self.journal), str(self.port)]
        self._process = subprocess.Popen(
            command + arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    found.kill()


def test_every_order_is_taken_once_and_reported_over_kills(server: Server) -> None:
    chance = random.Random(7)
    server.start()
    with Hub() as hub:
        settings = LightSettings(sender_comp_id="ALPHA", target_comp_id="PLUMB")
        client = hub.client("127.0.0.1", server.port, settings)
        client.logon()
        sent = 0
        for _ in range(KILLS):
            kill_after = chance.randrange(ORDERS_BETWEEN_KILLS)
            for number in range(ORDERS_BETWEEN_KILLS):
                client.send("D", [(11, f"A{sent}")])
                sent += 1
                if number == kill_after:
                    server.kill()
                hub.pump(0)
            server.start()
            client.reconnect(20)
        last = f"A{sent - 1}"
        client.wait_for(lambda m: m.get(11) == last, timeout_s=30)
        reports = [m for m in client.messages if m.msg_type == "8"]

    taken = [
        line.split()[2] for line in server.journal.read_text().splitlines() if line[:2] == "in"
    ]
    assert taken == [f"A{number}" for number in range(sent)]
    counts = Counter(m.get(11) for m in reports)
    assert set(counts) == set(taken)
    first_reports = [m.get(11) for m in reports if m.get(97) != "Y"]
    assert len(first_reports) == len(set(first_reports))
