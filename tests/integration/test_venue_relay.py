"""The relay to venues: TLS with whom we believe, and nothing at all with anybody else."""

import contextlib
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix_sessions.tls_faults import TlsFault
from fix_sessions.tls_files import ClientFiles, server_context
from fix_sessions.venue_relay_config import UNREACHABLE, RelayEvent, RelayEventKind
from tests.integration.gate_rig import read_exactly, read_to_end, wait_until
from tests.support.tls import (
    LOCALHOST,
    PATIENCE_S,
    Authority,
    Pair,
    TlsFront,
    client_files,
    server_files,
)
from tests.support.tls_relay import Relay

MEGABYTE = 1 << 20


@pytest.fixture
def front(authority: Authority) -> Iterator[Callable[..., TlsFront]]:
    with contextlib.ExitStack() as stack:

        def made(pair: Pair, clients: Authority | None = None, version: str = "") -> TlsFront:
            context = server_context(server_files(pair, clients))
            if version:
                context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
            found = TlsFront(context)
            stack.callback(found.close)
            return found

        yield made


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    with contextlib.ExitStack() as stack:

        def made(port: int, files: ClientFiles, server_name: str = LOCALHOST) -> Relay:
            found = Relay(port, files, server_name)
            stack.callback(found.close)
            return found

        yield made


Front = Callable[..., TlsFront]
Made = Callable[..., Relay]


def assert_relayed(sock: socket.socket, data: bytes = b"8=FIX.4.4 and so on") -> None:
    sock.sendall(data)
    assert read_exactly(sock, len(data)) == data


def assert_refused(relay: Relay, reason: str) -> RelayEvent:
    """The core's connection is closed; nothing of what it said has left in the clear."""
    with relay.connect() as sock:
        sock.sendall(b"8=FIX.4.4")
        assert read_to_end(sock) == b""
    event = relay.wait_for(RelayEventKind.FAILED)
    assert event.reason == reason, event
    assert event.session_id == "XSIM"
    return event


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("own", [False, True], ids=["without ours", "mutual"])
def test_bytes_go_both_ways(
    authority: Authority, front: Front, relay: Made, version: str, *, own: bool
) -> None:
    pair = authority.issue("oms.example") if own else None
    venue = front(authority.issue(LOCALHOST), authority if own else None, version)
    found = relay(venue.port, client_files(authority, pair))
    with found.connect() as sock:
        assert_relayed(sock)
        assert_relayed(sock, os.urandom(300_000))
    assert version.replace("_", ".") in found.wait_for(RelayEventKind.CONNECTED).detail
    assert venue.versions == [version.replace("_", ".")]
    found.wait_for(RelayEventKind.CLOSED)


def test_a_foreign_venue_is_refused(
    authority: Authority, front: Front, relay: Made, tmp_path: Path
) -> None:
    venue = front(Authority(tmp_path, "foreign").issue(LOCALHOST))
    found = relay(venue.port, client_files(authority))
    event = assert_refused(found, TlsFault.CERTIFICATE_REFUSED)
    assert "issuer" in event.detail
    assert venue.versions == []


def test_a_certificate_of_another_name_is_refused(
    authority: Authority, front: Front, relay: Made
) -> None:
    venue = front(authority.issue("another.example"))
    event = assert_refused(relay(venue.port, client_files(authority)), TlsFault.WRONG_NAME)
    assert LOCALHOST in event.detail


def test_the_name_may_be_another_than_the_address(
    authority: Authority, front: Front, relay: Made
) -> None:
    venue = front(authority.issue("fix.venue.example"))
    found = relay(venue.port, client_files(authority), "fix.venue.example")
    with found.connect() as sock:
        assert_relayed(sock)


def test_an_expired_certificate_is_refused(authority: Authority, front: Front, relay: Made) -> None:
    venue = front(authority.issue(LOCALHOST, expired=True))
    found = relay(venue.port, client_files(authority))
    event = assert_refused(found, TlsFault.CERTIFICATE_EXPIRED)
    assert event.detail == "their certificate has expired"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("own", [False, True], ids=["none", "a foreign one"])
def test_a_venue_that_refuses_our_certificate_is_told_of(
    authority: Authority, front: Front, relay: Made, tmp_path: Path, version: str, *, own: bool
) -> None:
    pair = Authority(tmp_path, "foreign").issue("oms.example") if own else None
    venue = front(authority.issue(LOCALHOST), authority, version)
    assert_refused(relay(venue.port, client_files(authority, pair)), TlsFault.REFUSED_BY_PEER)
    wait_until(lambda: venue.faults != [], "the venue's own fault")


def test_a_venue_without_tls_gets_nothing_in_the_clear(authority: Authority, relay: Made) -> None:
    with socket.create_server((LOCALHOST, 0)) as plain:
        found = relay(plain.getsockname()[1], client_files(authority))
        with found.connect() as sock:
            sock.sendall(b"8=FIX.4.4 a password")
            venue, _ = plain.accept()
            venue.settimeout(PATIENCE_S)
            with venue:
                hello = venue.recv(1 << 12)
                venue.sendall(b"8=FIX.4.4\x019=5\x0135=5\x0110=000\x01")
                hello += read_to_end(venue)
            assert b"FIX" not in hello
        assert found.wait_for(RelayEventKind.FAILED).reason == TlsFault.NOT_TLS


def test_a_venue_that_never_shakes_hands_is_given_up(authority: Authority, relay: Made) -> None:
    with socket.create_server((LOCALHOST, 0)) as silent:
        found = relay(silent.getsockname()[1], client_files(authority))
        found.again(connect_timeout_ms=200)
        assert_refused(found, TlsFault.TIMEOUT)


def test_a_venue_that_is_not_there_is_tried_again_for_the_same_logon(
    authority: Authority, front: Front, relay: Made
) -> None:
    with socket.create_server((LOCALHOST, 0)) as gone:
        port = gone.getsockname()[1]
    found = relay(port, client_files(authority))
    assert_refused(found, UNREACHABLE)
    found.again(give_up_ms=20_000, retry_ms=50)
    with found.connect() as sock:
        sock.sendall(b"8=FIX.4.4")
        wait_until(lambda: count_of(found) >= 2, "another failure told by the new relay")
        back = TlsFront(server_context(server_files(authority.issue(LOCALHOST))), port=port)
        try:
            assert read_exactly(sock, 9) == b"8=FIX.4.4"
        finally:
            back.close()


def count_of(relay: Relay) -> int:
    relay.events += relay.process.read_events()
    return len([event for event in relay.events if event.kind is RelayEventKind.FAILED])


def test_failures_like_the_last_are_told_now_and_then_and_none_is_lost(
    authority: Authority, relay: Made
) -> None:
    with socket.create_server((LOCALHOST, 0)) as gone:
        port = gone.getsockname()[1]
    found = relay(port, client_files(authority))
    found.again(give_up_ms=2_000, retry_ms=10, remind_ms=300)
    with found.connect() as sock:
        assert read_to_end(sock) == b""
    wait_until(lambda: count_of(found) >= 2, "a reminder")
    assert found.events[0].count == 1
    assert max(event.count for event in found.events) > 5


def test_a_venue_that_closes_ends_the_core_s_connection_after_what_it_said(
    authority: Authority, front: Front, relay: Made
) -> None:
    venue = front(authority.issue(LOCALHOST))
    found = relay(venue.port, client_files(authority))
    with found.connect() as sock:
        assert_relayed(sock)
        venue.cut_off()
        assert read_to_end(sock) == b""
    with found.connect() as sock:
        assert_relayed(sock)


def test_who_does_not_read_is_waited_for(authority: Authority, relay: Made) -> None:
    """What one side does not take is not piled up: the other cannot write on."""
    context = server_context(server_files(authority.issue(LOCALHOST)))
    with socket.create_server((LOCALHOST, 0)) as listener:
        found = relay(listener.getsockname()[1], client_files(authority))
        with found.connect() as sock:
            sock.sendall(b"x")
            raw, _ = listener.accept()
            with context.wrap_socket(raw, server_side=True) as venue:
                written = 1 + written_until_full(sock)
                venue.settimeout(PATIENCE_S)
                read_exactly(venue, written)


def written_until_full(sock: socket.socket) -> int:
    """How much is taken until there is no room for half a second."""
    sock.setblocking(False)
    written = 0
    while select.select([], [sock], [], 0.5)[1]:
        written += sock.send(b"y" * (MEGABYTE // 16))
        assert written < 64 * MEGABYTE
    return written


def test_a_relay_in_the_place_of_one_that_was_killed_takes_up_who_waits(
    authority: Authority, front: Front, relay: Made
) -> None:
    venue = front(authority.issue(LOCALHOST))
    found = relay(venue.port, client_files(authority))
    with found.connect() as sock:
        assert_relayed(sock)
        os.kill(found.process.pid, signal.SIGKILL)
        assert read_to_end(sock) == b""
    wait_until(lambda: not found.process.alive(), "its end")
    with found.connect() as sock:
        sock.sendall(b"8=FIX.4.4")
        found.again()
        assert read_exactly(sock, 9) == b"8=FIX.4.4"


def test_it_ends_with_the_core(authority: Authority, front: Front, relay: Made) -> None:
    venue = front(authority.issue(LOCALHOST))
    found = relay(venue.port, client_files(authority))
    with found.connect() as sock:
        assert_relayed(sock)
        found.process.stop()
        assert read_to_end(sock) == b""
    assert not found.process.alive()


@pytest.mark.skipif(os.getuid() != 0, reason="another account is needed")
def test_another_account_of_the_machine_is_not_relayed(
    authority: Authority, front: Front, relay: Made
) -> None:
    venue = front(authority.issue(LOCALHOST))
    found = relay(venue.port, client_files(authority))
    program = (
        "import encodings.idna, os, socket, sys; os.setuid(65534); "
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); print('in'); s.recv(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(found.port)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout == "in\n", done
    assert found.wait_for(RelayEventKind.STRANGER).detail == "account 65534"
    assert venue.versions == []


def test_renewed_files_count_from_the_next_connection(
    authority: Authority, front: Front, relay: Made, tmp_path: Path
) -> None:
    successor = Authority(tmp_path, "successor")
    venue = front(successor.issue(LOCALHOST))
    found = relay(venue.port, client_files(authority))
    assert_refused(found, TlsFault.CERTIFICATE_REFUSED)
    authority.file.write_text("nothing")
    assert_refused(found, TlsFault.CERTIFICATE_REFUSED)
    event = found.wait_for(RelayEventKind.FILES_REFUSED)
    assert event.detail == f"ca_file = {authority.file}: must hold certificates in PEM"
    authority.file.write_bytes(successor.file.read_bytes())
    with found.connect() as sock:
        assert_relayed(sock)
