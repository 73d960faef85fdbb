"""Strangers at the gate's port with TLS: nobody else waits for them, nothing of them stays."""

import contextlib
import random
import socket
import ssl
from pathlib import Path

import pytest

from fix_sessions.gate_events import RefusalReason
from tests.integration.gate_rig import (
    LOCALHOST,
    PATIENCE_S,
    Rig,
    assert_echoes,
    limits_with,
    read_to_end,
    running_gate,
    wait_until,
)
from tests.integration.gate_site import at_the_gate
from tests.integration.test_gate_tls import log_on
from tests.support.tls import Authority, Pair, client_context, connect, server_files


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"], ids=["nothing", "a beginning"])
def test_a_handshake_that_does_not_come_stalls_nobody(
    server: Pair, authority: Authority, sent: bytes
) -> None:
    tls = at_the_gate(server_files(server))
    with running_gate(tls=tls) as rig, contextlib.ExitStack() as stack:
        silent = [
            socket.create_connection((LOCALHOST, rig.process.tls_port), PATIENCE_S)
            for _ in range(10)
        ]
        for sock in silent:
            stack.enter_context(sock)
            sock.sendall(sent)
        session = stack.enter_context(log_on(rig, client_context(authority)))
        plain = stack.enter_context(rig.log_on("C2"))
        for number in range(100):
            assert_echoes(session, number)
            assert_echoes(plain, number)
        for sock in silent:
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(1)


def test_who_does_not_shake_hands_is_made_to_wait_like_a_slow_logon(server: Pair) -> None:
    limits = limits_with(tls_handshake_timeout_ms=50, failures_before_backoff=2, backoff_ms=60_000)
    with running_gate(tls=at_the_gate(server_files(server)), limits=limits) as rig:
        for _ in range(3):
            with socket.create_connection((LOCALHOST, rig.process.tls_port), PATIENCE_S) as sock:
                assert read_to_end(sock) == b""
        assert rig.wait_for_refusal(RefusalReason.TLS_TIMEOUT).address == LOCALHOST
        rig.wait_for_refusal(RefusalReason.BACKING_OFF)


def test_the_logon_is_waited_for_after_the_handshake_too(
    server: Pair, authority: Authority
) -> None:
    tls = at_the_gate(server_files(server))
    with (
        running_gate(tls=tls, limits=limits_with(logon_timeout_ms=200)) as rig,
        connect(rig.process.tls_port, client_context(authority)) as sock,
    ):
        assert sock.recv(1) == b""
        rig.wait_for_refusal(RefusalReason.LOGON_TIMEOUT)


def test_who_goes_away_in_the_handshake_is_told_of(tls_rig: Rig, authority: Authority) -> None:
    with socket.create_connection((LOCALHOST, tls_rig.process.tls_port), PATIENCE_S) as sock:
        sock.sendall(b"\x16\x03\x01")
    tls_rig.wait_for_refusal(RefusalReason.TLS_CLOSED)
    with log_on(tls_rig, client_context(authority)) as session:
        assert_echoes(session, 2)


def client_hello(context: ssl.SSLContext) -> bytes:
    outgoing = ssl.MemoryBIO()
    handshake = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=LOCALHOST)
    with pytest.raises(ssl.SSLWantReadError):
        handshake.do_handshake()
    return outgoing.read()


def test_garbled_handshakes_harm_nobody_and_leave_nothing_behind(
    server: Pair, authority: Authority
) -> None:
    limits = limits_with(failures_before_backoff=10_000, tls_handshake_timeout_ms=500)
    context = client_context(authority)
    hello, chance = client_hello(context), random.Random(7)
    with (
        running_gate(tls=at_the_gate(server_files(server)), limits=limits) as rig,
        log_on(rig, context) as session,
    ):
        before = descriptors_of(rig.process.pid)
        for number in range(200):
            garbled = bytearray(hello)
            for _ in range(chance.randrange(4)):
                garbled[chance.randrange(len(garbled))] = chance.randrange(256)
            with socket.create_connection((LOCALHOST, rig.process.tls_port), PATIENCE_S) as sock:
                sock.sendall(garbled[: chance.choice([len(hello), chance.randrange(len(hello))])])
            assert_echoes(session, number)
        wait_until(lambda: descriptors_of(rig.process.pid) == before, "all connections closed")
        with log_on(rig, context, "C2") as another:
            assert_echoes(another, 2)


def descriptors_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
