"""A process as a container runs it: number 1 of its own space, asked for its health."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oms.app.free_ports import free_port
from tests.support.processes import PATIENCE_S, ROOT

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
HEALTHCHECK = ROOT / "docker" / "healthcheck.py"


def can_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], check=False, timeout=PATIENCE_S).returncode == 0
    except FileNotFoundError:
        return False


def configuration(directory: Path, port: int) -> Path:
    path = directory / "oms.toml"
    path.write_text(
        f'[database]\nurl = "postgresql://nobody@127.0.0.1:{free_port()}/none"\n'
        f'[[venues]]\nname = "XSIM1"\nhost = "127.0.0.1"\nport = {port}\n'
        'sender_comp_id = "OMS"\ntarget_comp_id = "XSIM1"\n'
        '[[instruments]]\nsymbol = "ACME"\ncurrency = "USD"\ntick = "0.01"\nlot = "1"\n'
        'reference_px = "100"\n'
    )
    return path


@contextmanager
def exchange(directory: Path, config: Path, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    oms = [str(Path(sys.executable).with_name("oms")), "exchange", "XSIM1"]
    process = subprocess.Popen(
        [*before, *oms, "--config", str(config), "--data-dir", str(directory / "data")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


def health(pid: int) -> int:
    command = [sys.executable, str(HEALTHCHECK), str(pid)]
    return subprocess.run(command, check=False, cwd=ROOT, timeout=PATIENCE_S).returncode


@pytest.mark.skipif(not can_unshare(), reason="this account may make no process space")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_number_one_takes_the_signal_itself(tmp_path: Path, number: signal.Signals) -> None:
    """The kernel gives number 1 no signal that it has no handler for: `docker stop` would wait."""
    config = configuration(tmp_path, free_port())
    with exchange(tmp_path, config, *UNSHARE) as outside:
        children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children")
        [inside] = [int(one) for one in children.read_text().split()]
        spaces = Path(f"/proc/{inside}/status").read_text().partition("NSpid:")[2].split("\n")[0]
        assert spaces.split()[-1] == "1"
        os.kill(inside, number)
        assert outside.wait(PATIENCE_S) == 0


def test_health_is_that_of_the_running_command(tmp_path: Path) -> None:
    config = configuration(tmp_path, free_port())
    with exchange(tmp_path, config) as process:
        assert health(process.pid) == 0
        config.write_text(config.read_text().replace("port = ", "port = 1 #"))
        assert health(process.pid) == 1


def test_a_core_that_stands_by_is_healthy_and_one_that_hangs_is_not(tmp_path: Path) -> None:
    port = free_port()
    config = configuration(tmp_path, free_port())
    config.write_text(config.read_text() + f"[core]\nmetrics_port = {port}\n")
    pretended = "import signal; print(1, flush=True); signal.pause()"
    core = subprocess.Popen(
        [sys.executable, "-c", pretended, "oms", "core", "--config", str(config)],
        stdout=subprocess.PIPE,
    )
    try:
        assert core.stdout is not None
        assert core.stdout.readline() == b"1\n"
        assert health(core.pid) == 0
        with socket.create_server(("127.0.0.1", port)):
            assert health(core.pid) == 1
    finally:
        core.kill()
        core.communicate(timeout=PATIENCE_S)


def test_a_command_that_answers_and_ends_is_healthy() -> None:
    assert health(os.getpid()) == 0
