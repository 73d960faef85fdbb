"""What the kernel says of this process's own sockets."""

import os
import socket
from collections.abc import Iterator

import pytest

from fix_sessions import descriptors

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as near,
    ):
        far, _ = listener.accept()
        with far:
            yield near, far


def test_ports_and_bytes_of_a_connection(pair: Pair) -> None:
    near, far = pair
    assert descriptors.peer_port(far.fileno()) == descriptors.local_port(near.fileno())
    near.sendall(b"x" * 100)
    assert descriptors.bytes_read(far.fileno()) == 0
    assert len(far.recv(30)) == 30
    assert descriptors.bytes_read(far.fileno()) == 30
    far.sendall(b"y" * 7)
    assert descriptors.bytes_written(far.fileno()) == 7
    assert descriptors.silence_s(far.fileno()) < 60


def test_the_end_of_a_connection_shows(pair: Pair) -> None:
    near, far = pair
    assert descriptors.is_established(far.fileno())
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    assert not descriptors.is_established(far.fileno())


def test_what_another_thread_has_closed_meanwhile_is_no_fault(pair: Pair) -> None:
    gone = os.dup(pair[0].fileno())
    os.close(gone)
    assert descriptors.local_port(gone) is None
    assert descriptors.peer_port(gone) is None
    assert not descriptors.is_nameless_unix(gone)
