"""The gate as a process: reconnections, its end, and the end of those around it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fix_sessions.gate_config import GateConfig, config_to_json
from fix_sessions.gate_events import GateEventKind, RefusalReason
from fix_sessions.gate_process import GateError, GateProcess
from fix_sessions.wire import frame
from tests.integration.gate_rig import (
    LOCALHOST,
    PATIENCE_S,
    TICKET,
    Rig,
    assert_echoes,
    client_of,
    limits_with,
    logon,
    read_exactly,
    read_to_end,
    running_gate,
    wait_until,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running_gate() as found:
        yield found


def config_on(port: int) -> GateConfig:
    return GateConfig(
        host=LOCALHOST,
        port=port,
        engine_host=LOCALHOST,
        engine_port=1,
        ticket=TICKET,
        clients=(client_of("C1"),),
        limits=limits_with(bind_wait_ms=1),
    )


def test_a_session_has_one_connection_and_keeps_it(rig: Rig) -> None:
    with rig.log_on() as older:
        with rig.connect() as newer:
            newer.sendall(logon())
            assert read_to_end(newer) == b""
        event = rig.wait_for_refusal(RefusalReason.ALREADY_CONNECTED)
        assert event.session_id == "session-C1"
        assert_echoes(older, 2)


def test_a_connection_that_has_fallen_silent_gives_way() -> None:
    with running_gate() as rig, rig.log_on("C1", t108="1") as older:

        def is_let_in() -> bool:
            with rig.connect() as newer:
                newer.sendall(logon())
                return b"\x0135=A\x01" in newer.recv(1 << 12)

        assert not is_let_in()
        wait_until(is_let_in, "let in after two silent heartbeat intervals")
        assert read_to_end(older) == b""
        gone = rig.wait_for_kind(GateEventKind.DISCONNECTED)
        assert gone.cause == "superseded"
        assert rig.engine.connections[0].is_closed


def test_a_client_can_come_back_at_once() -> None:
    with running_gate(limits=limits_with(linger_ms=60_000)) as rig:
        for number in range(20):
            with rig.log_on() as sock:
                assert_echoes(sock, number)


def test_what_the_engine_said_last_arrives_before_the_close(rig: Rig) -> None:
    with rig.log_on() as sock:
        last_words = frame("FIX.4.4", [(35, "8"), (58, "x" * 100_000)]) * 3
        connection = rig.engine.connections[0]
        connection.sock.sendall(last_words)
        connection.sock.shutdown(socket.SHUT_WR)
        assert read_exactly(sock, len(last_words)) == last_words
        assert read_to_end(sock) == b""
        assert rig.wait_for_kind(GateEventKind.DISCONNECTED).cause == "engine_closed"


def test_what_the_client_said_last_arrives_before_the_close(rig: Rig) -> None:
    last_words = frame("FIX.4.4", [(35, "D"), (58, "x" * 100_000)]) * 3
    with rig.log_on() as sock:
        sock.sendall(last_words)
        sock.shutdown(socket.SHUT_WR)
        read_to_end(sock)
    connection = rig.engine.connections[0]
    wait_until(lambda: connection.is_closed, "the engine's connection closed")
    assert connection.behind_logon == last_words


def test_stopping_closes_everything_and_frees_the_port(rig: Rig) -> None:
    with rig.log_on() as sock, rig.connect() as stranger:
        rig.process.stop()
        assert not rig.process.alive()
        assert read_to_end(sock) == b""
        assert read_to_end(stranger) == b""
        wait_until(lambda: rig.engine.connections[0].is_closed, "the engine's connection closed")
    with socket.create_server((LOCALHOST, rig.port)):
        pass


def test_sigterm_ends_it_and_sigint_does_not(rig: Rig) -> None:
    with rig.log_on() as sock:
        os.kill(rig.process.pid, signal.SIGINT)
        assert_echoes(sock, 2)
        os.kill(rig.process.pid, signal.SIGTERM)
        read_to_end(sock)

    def has_ended() -> bool:
        rig.events += rig.process.read_events()
        return not rig.process.alive()

    wait_until(has_ended, "the gate ended")
    assert rig.process._process is not None
    assert rig.process._process.wait(PATIENCE_S) == 0
    assert "gate_closed" in [event.cause for event in rig.events]


def test_a_gate_that_is_killed_is_noticed(rig: Rig) -> None:
    with rig.log_on() as sock:
        os.kill(rig.process.pid, signal.SIGKILL)
        assert read_to_end(sock) == b""

    def is_noticed() -> bool:
        rig.process.read_events()
        return not rig.process.alive()

    wait_until(is_noticed, "its end")
    wait_until(lambda: rig.engine.connections[0].is_closed, "the engine's connection closed")


def test_a_port_in_use_is_named() -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        port = taken.getsockname()[1]
        gate = GateProcess(config_on(port))
        with pytest.raises(GateError, match=rf"^FIX port 127\.0\.0\.1:{port} is in use by another"):
            gate.start()
        assert not gate.alive()


def test_a_port_that_is_let_go_of_in_time_is_taken() -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        port = taken.getsockname()[1]
        config = replace(config_on(port), limits=limits_with(bind_wait_ms=20_000))
        with subprocess.Popen(
            [sys.executable, "-m", "fix_sessions.gate"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(config_to_json(config).encode() + b"\n")
            process.stdin.flush()
            taken.close()
            assert process.stdout.readline() == b'{"listening": %d}\n' % port
            process.stdin.close()
            assert process.wait(PATIENCE_S) == 0


def test_an_address_that_is_not_ours_is_named() -> None:
    gate = GateProcess(replace(config_on(0), host="192.0.2.1"))
    with pytest.raises(GateError, match=r"^cannot listen on FIX port 192\.0\.2\.1:0: .+"):
        gate.start()


def test_a_configuration_that_is_wrong_is_named_by_the_gate_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fix_sessions.gate"],
        cwd=ROOT,
        input=b'{"host": "127.0.0.1"}\n',
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.startswith(b'{"error": "configuration: ')
    assert done.stderr == b""


PARENT = """
import os, sys, time
from fix_sessions.gate_config import config_from_json
from fix_sessions.gate_process import GateProcess
gate = GateProcess(config_from_json(sys.argv[1]))
port = gate.start()
holder = os.fork() if sys.argv[2] == "fork" else 0
if sys.argv[2] == "fork" and holder == 0:
    sys.stdin.read()  # holds the gate's pipes open until the test ends
    os._exit(0)
print(port, gate.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["plain", "fork"])
def test_the_gate_dies_with_a_parent_that_is_killed(kind: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, config_to_json(config_on(0)), kind],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        port, pid = (int(word) for word in parent.stdout.readline().split())
        with socket.create_connection((LOCALHOST, port), timeout=PATIENCE_S) as sock:
            parent.kill()
            parent.wait(PATIENCE_S)
            assert read_to_end(sock) == b""
        wait_until(lambda: not is_running(pid), "the gate ended")


def is_running(pid: int) -> bool:
    """A zombie whose parent is gone counts as ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
