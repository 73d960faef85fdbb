"""The API's process: how it starts, serves and ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from oms.app.free_ports import free_port
from tests.support.api import EXAMPLE
from tests.support.processes import eventually

ROOT = Path(__file__).parents[3]
MAIN = (
    "import sys; from oms.api.server import run; from oms.settings import load;"
    "raise SystemExit(run(load(sys.argv[1]), sys.argv[2]))"
)


def start(url: str, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, str(EXAMPLE), url],
        cwd=ROOT,
        env={"OMS_API__PORT": str(port), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop_and_ends_well(
    database_url: str, signum: signal.Signals
) -> None:
    port = free_port()
    process = start(database_url, port)
    try:
        url = f"http://127.0.0.1:{port}/health"

        def serves() -> bool:
            assert process.poll() is None, process.communicate()[1]
            try:
                return httpx.get(url, timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        eventually(serves, "the API serves")
        process.send_signal(signum)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_port_in_use_is_one_line_and_its_exit_code(database_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(database_url, port)
        try:
            _, told = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 4
    assert told == (
        f"oms: api.host, api.port = 127.0.0.1:{port}: "
        "cannot be listened on: Address already in use\n"
    )
