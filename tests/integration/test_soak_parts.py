"""What a soak stands on where the machine gives it nothing: the relay that cuts, and the guard."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oms.app.free_ports import free_port
from tests.support.processes import ROOT, eventually, running


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextlib.contextmanager
def echo() -> Iterator[socket.socket]:
    """A server whose only connection the test serves itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def connect(port: int) -> socket.socket:
    def tried() -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        return None

    found = eventually(tried, "the relay to listen")
    assert found is not None
    return found


def pass_on(ours: socket.socket, theirs: socket.socket) -> None:
    """Some messages; those that are under way when the link is cut may still come."""
    for _ in range(5):
        ours.sendall(b"two")
        assert theirs.recv(16)


def test_a_cut_link_stalls_and_is_dropped_when_it_is_mended() -> None:
    port = free_port()
    with echo() as server:
        route = f"XA={port}={server.getsockname()[1]}"
        with running("oms.soak.relay", route) as relay, connect(port) as ours:
            order = relay.process.stdin
            assert order is not None
            theirs, _ = server.accept()
            ours.sendall(b"one")
            assert theirs.recv(16) == b"one"
            order.write(b"cut XA\n")
            order.flush()
            theirs.settimeout(0.5)
            ours.settimeout(0.5)
            with pytest.raises(TimeoutError):
                pass_on(ours, theirs)
            order.write(b"mend XA\n")
            order.flush()
            theirs.settimeout(10)
            while theirs.recv(16):
                pass
            theirs.close()
            with connect(port) as again:
                theirs, _ = server.accept()
                again.sendall(b"three")
                assert theirs.recv(16) == b"three"
                theirs.close()


def test_the_guard_lets_go_who_is_held_when_its_starter_is_gone() -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper, cwd=ROOT) as held, subprocess.Popen(sleeper) as let:
        try:
            with running("oms.soak.guard") as guard:
                assert guard.process.stdin is not None
                guard.process.stdin.write(f"hold {held.pid}\nhold {let.pid}\n".encode())
                guard.process.stdin.write(f"let {let.pid}\n".encode())
                guard.process.stdin.flush()
                for one in (held, let):
                    one.send_signal(signal.SIGSTOP)
                    eventually(lambda pid=one.pid: state_of(pid) == "T", "it to stand")  # type: ignore[misc]
                guard.close_input()
                guard.process.wait(30)
            eventually(lambda: state_of(held.pid) != "T", "it to go on")
            assert state_of(let.pid) == "T", "who was let go is nobody's concern"
        finally:
            for one in (held, let):
                one.kill()
