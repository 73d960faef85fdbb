"""TLS at the gate: who is let in, who is not and why, and that nobody waits for a stranger."""

import hashlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fix_sessions.gate_events import GateEventKind, RefusalReason
from fix_sessions.gate_process import GateError, GateProcess
from fix_sessions.wire import frame
from tests.integration.gate_rig import (
    LOCALHOST,
    PATIENCE_S,
    Rig,
    assert_echoes,
    client_of,
    limits_with,
    logon,
    logon_fields,
    read_frame,
    read_to_end,
    running_gate,
    wait_until,
)
from tests.integration.gate_site import at_the_gate
from tests.support.tls import Authority, Pair, client_context, connect, server_files

MEGABYTE = 1 << 20
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def mutual(server: Pair, authority: Authority) -> Iterator[Rig]:
    with running_gate(tls=at_the_gate(server_files(server, authority))) as found:
        yield found


def log_on(rig: Rig, context: ssl.SSLContext, sender: str = "C1") -> ssl.SSLSocket:
    sock = connect(rig.process.tls_port, context)
    sock.sendall(logon(sender))
    answer = read_frame(sock)
    assert b"\x0135=A\x01" in answer, answer
    return sock


def assert_not_let_in(rig: Rig, context: ssl.SSLContext, alert: str) -> None:
    """Whether the client learns it in the handshake or from the first read depends on TLS."""
    with pytest.raises(ssl.SSLError, match=f"(?i)alert {alert}"):
        log_on(rig, context)
    assert rig.engine.connections == []


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_session_over_tls(tls_rig: Rig, authority: Authority, version: ssl.TLSVersion) -> None:
    with log_on(tls_rig, client_context(authority, version=version)) as sock:
        assert sock.version() == version.name.replace("_", ".")
        assert_echoes(sock, 2)
        sock.sendall(logon_large(3))
        assert len(read_frame_of(sock, 3)) > MEGABYTE
    event = tls_rig.wait_for_kind(GateEventKind.DISCONNECTED)
    assert (event.session_id, event.cause) == ("session-C1", "client_closed")
    wait_until(lambda: tls_rig.engine.connections[0].is_closed, "the engine's connection closed")


def logon_large(number: int) -> bytes:
    return frame("FIX.4.4", [(35, "8"), (34, str(number)), (58, "x" * MEGABYTE)])


def read_frame_of(sock: socket.socket, number: int) -> bytes:
    expected = logon_large(number)
    data = bytearray()
    while len(data) < len(expected):
        piece = sock.recv(1 << 16)
        assert piece, f"closed after {len(data)} bytes"
        data += piece
    assert bytes(data) == expected
    return bytes(data)


def test_a_plain_session_beside_it_and_messages_right_behind_the_logon(
    tls_rig: Rig, authority: Authority
) -> None:
    with (
        tls_rig.log_on("C2") as plain,
        connect(tls_rig.process.tls_port, client_context(authority)) as tls,
    ):
        behind = frame("FIX.4.4", [(35, "0"), (34, "2"), (112, "behind")])
        tls.sendall(logon("C1") + behind)
        assert b"\x0135=A\x01" in read_frame(tls)
        assert read_frame(tls) == behind
        assert_echoes(plain, 2)


def test_without_a_plain_port_there_is_only_tls(server: Pair, authority: Authority) -> None:
    with running_gate(tls=at_the_gate(server_files(server)), plain=False) as rig:
        assert rig.port == 0
        with log_on(rig, client_context(authority)) as sock:
            assert_echoes(sock, 2)


def test_plain_fix_on_the_port_of_tls_is_refused(tls_rig: Rig) -> None:
    with socket.create_connection((LOCALHOST, tls_rig.process.tls_port), PATIENCE_S) as sock:
        sock.sendall(logon())
        answer = read_to_end(sock)
    assert b"35=" not in answer
    assert tls_rig.wait_for_refusal(RefusalReason.TLS_NOT_SPOKEN).address == LOCALHOST
    assert tls_rig.engine.connections == []


def test_an_old_version_is_refused(server: Pair, authority: Authority) -> None:
    files = server_files(server, minimum="1.3")
    with running_gate(tls=at_the_gate(files)) as rig:
        assert_not_let_in(
            rig, client_context(authority, version=ssl.TLSVersion.TLSv1_2), "protocol version"
        )
        event = rig.wait_for_refusal(RefusalReason.TLS_FAILED)
        assert "protocol" in event.detail


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_mutual_tls_lets_in_who_has_a_certificate(
    mutual: Rig, authority: Authority, version: ssl.TLSVersion
) -> None:
    pair = authority.issue("c1.example", common_name="C1")
    with log_on(mutual, client_context(authority, pair, version)) as sock:
        assert_echoes(sock, 2)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_mutual_tls_refuses_who_has_none(
    mutual: Rig, authority: Authority, version: ssl.TLSVersion
) -> None:
    alert = "handshake failure" if version is ssl.TLSVersion.TLSv1_2 else "certificate required"
    assert_not_let_in(mutual, client_context(authority, version=version), alert)
    event = mutual.wait_for_refusal(RefusalReason.TLS_NO_CERTIFICATE)
    assert event.detail == "they showed no certificate"


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_mutual_tls_refuses_a_foreign_certificate(
    mutual: Rig, authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    foreign = Authority(tmp_path, "foreign").issue("c1.example")
    assert_not_let_in(mutual, client_context(authority, foreign, version), "unknown ca")
    event = mutual.wait_for_refusal(RefusalReason.TLS_CERTIFICATE_REFUSED)
    assert "issuer" in event.detail


def test_mutual_tls_refuses_an_expired_certificate(mutual: Rig, authority: Authority) -> None:
    expired = authority.issue("c1.example", expired=True)
    assert_not_let_in(mutual, client_context(authority, expired), "certificate expired")
    event = mutual.wait_for_refusal(RefusalReason.TLS_CERTIFICATE_EXPIRED)
    assert event.detail == "their certificate has expired"


def test_a_client_that_does_not_trust_us_is_told_of(tls_rig: Rig, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(tls_rig.process.tls_port, client_context(stranger))
    event = tls_rig.wait_for_refusal(RefusalReason.TLS_REFUSED_BY_PEER)
    assert event.detail == "they refuse us: unknown ca"


def test_a_refused_logon_is_answered_over_tls(tls_rig: Rig, authority: Authority) -> None:
    with connect(tls_rig.process.tls_port, client_context(authority)) as sock:
        sock.sendall(logon(t554="wrong"))
        answer = read_frame(sock)
        assert b"\x0135=5\x01" in answer
        assert b"do not belong to this session" in answer
        assert sock.recv(1) == b""
    tls_rig.wait_for_refusal(RefusalReason.BAD_CREDENTIALS)


def test_a_second_logon_ends_the_session(tls_rig: Rig, authority: Authority) -> None:
    with log_on(tls_rig, client_context(authority)) as sock:
        sock.sendall(frame("FIX.4.4", [*logon_fields(t34="2"), (141, "Y")]))
        assert read_to_end(sock) == b""
    assert tls_rig.wait_for_kind(GateEventKind.DISCONNECTED).cause == "second_logon"


def test_a_consumer_that_does_not_read_is_dropped_and_others_go_on(
    server: Pair, authority: Authority
) -> None:
    tls = at_the_gate(server_files(server))
    limits = limits_with(client_buffer_bytes=MEGABYTE)
    with (
        running_gate(tls=tls, limits=limits) as rig,
        rig.log_on("C2") as neighbour,
        log_on(rig, client_context(authority)),
    ):
        report = frame("FIX.4.4", [(35, "8"), (58, "x" * 4_000)])
        for number in range(40_000):
            try:
                rig.engine.connections[1].sock.sendall(report)
            except OSError:  # the gate has closed it: what is waited for
                break
            if number % 100 == 0:
                assert_echoes(neighbour, number)
        assert "bytes unread" in rig.wait_for_kind(GateEventKind.SLOW_CONSUMER).detail
        assert rig.wait_for_kind(GateEventKind.DISCONNECTED).cause == "slow_consumer"
        assert_echoes(neighbour, 99)


def test_a_silent_session_gives_way(tls_rig: Rig, authority: Authority) -> None:
    context = client_context(authority)
    with connect(tls_rig.process.tls_port, context) as dead:
        dead.sendall(logon(t108="1"))
        assert b"\x0135=A\x01" in read_frame(dead)

        def is_let_in() -> bool:
            with connect(tls_rig.process.tls_port, context) as again:
                again.sendall(logon(t108="1"))
                return b"\x0135=A\x01" in again.recv(1 << 12)

        wait_until(is_let_in, "the silent one to give way")
        assert tls_rig.wait_for_kind(GateEventKind.DISCONNECTED).cause == "superseded"


def sha256_of(pair: Pair) -> str:
    first = pair.certificate.read_text().partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()


def test_a_session_is_bound_to_its_certificate(server: Pair, authority: Authority) -> None:
    own, next_one = authority.issue("c1.example"), authority.issue("c2.example")
    other = authority.issue("c3.example", common_name="C3")
    bound = replace(client_of("C1"), tls_fingerprints=(sha256_of(own), sha256_of(next_one)))
    named = replace(client_of("C2"), tls_subject="C3")
    dns = replace(client_of("C3"), tls_subject="C1.example")
    files = server_files(server, authority)
    with running_gate(bound, named, dns, tls=at_the_gate(files)) as rig:
        with connect(rig.process.tls_port, client_context(authority, other)) as sock:
            sock.sendall(logon("C1"))
            assert sock.recv(1) == b""
        event = rig.wait_for_refusal(RefusalReason.TLS_CERTIFICATE_OF_ANOTHER)
        assert event.session_id == "session-C1"
        with rig.connect() as sock:
            sock.sendall(logon("C1"))
            assert read_to_end(sock) == b""
        rig.wait_for_refusal(RefusalReason.TLS_REQUIRED)
        assert rig.engine.connections == []
        for sender, pair in (("C1", own), ("C1", next_one), ("C2", other), ("C3", own)):
            count = len(rig.engine.connections)
            with log_on(rig, client_context(authority, pair), sender) as sock:
                assert_echoes(sock, 2)
            engine = rig.engine.connections[count]
            wait_until(lambda engine=engine: engine.is_closed, "the session's end")  # type: ignore[misc]


def test_a_client_that_must_use_tls_may_not_come_without(
    server: Pair, authority: Authority
) -> None:
    strict = replace(client_of("C1"), tls_only=True)
    with running_gate(strict, tls=at_the_gate(server_files(server))) as rig:
        with rig.connect() as sock:
            sock.sendall(logon())
            assert read_to_end(sock) == b""
        rig.wait_for_refusal(RefusalReason.TLS_REQUIRED)
        with log_on(rig, client_context(authority)) as sock:
            assert_echoes(sock, 2)


def test_a_renewed_certificate_counts_from_the_next_connection(
    tls_rig: Rig, server: Pair, tmp_path: Path
) -> None:
    successor = Authority(tmp_path, "successor")
    renewed = successor.issue(LOCALHOST)
    server.certificate.write_bytes(renewed.certificate.read_bytes())
    with pytest.raises(ssl.SSLCertVerificationError):  # the key is still the old one's
        connect(tls_rig.process.tls_port, client_context(successor))
    event = tls_rig.wait_for_kind(GateEventKind.TLS_FILES_REFUSED)
    assert "must be the key of certificate_file" in event.detail
    server.key.write_bytes(renewed.key.read_bytes())
    with log_on(tls_rig, client_context(successor)) as sock:
        assert_echoes(sock, 2)


def test_files_that_cannot_be_used_are_named(tmp_path: Path, server: Pair) -> None:
    files = replace(server_files(server), key_file=str(tmp_path / "none.key"))
    said = pytest.raises(GateError, match=r"^key_file = .*none.key: cannot be read: No such file")
    with said, running_gate(tls=at_the_gate(files)):
        pass


def test_ports_stay_the_same_for_a_gate_in_the_place_of_another(tls_rig: Rig, server: Pair) -> None:
    before = tls_rig.port, tls_rig.process.tls_port
    pinned = tls_rig.process.pinned()
    tls_rig.process.stop()
    gate = GateProcess(pinned)
    try:
        gate.start()
        assert (gate.port, gate.tls_port) == before
    finally:
        gate.stop()
