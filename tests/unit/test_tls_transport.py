"""The layer of TLS under the gate's connections: whatever the network cuts up arrives in order."""

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix_sessions.tls_files import server_context
from fix_sessions.tls_transport import TlsTransport
from tests.support.tls import LOCALHOST, Authority, client_context, server_files

PIECES = st.lists(st.binary(min_size=1, max_size=40_000), min_size=1, max_size=6)


class Tcp(asyncio.Transport):
    """A connection whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_reading_now = True
        self.has_ended = self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.has_ended
        self.written += data

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_reading_now = False

    def resume_reading(self) -> None:
        self.is_reading_now = True


class Reader(asyncio.Protocol):
    def __init__(self) -> None:
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data


class Pair:
    """A client of Python's own and our server's side, joined by hand."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
        self.tcp, self.reader = Tcp(), Reader()
        self.ours = TlsTransport(self.tcp, server)
        self.ours.set_protocol(self.reader)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.theirs = client.wrap_bio(self.incoming, self.outgoing, server_hostname=LOCALHOST)
        done = False
        for _ in range(4):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.theirs.do_handshake()
            data = self.outgoing.read()
            if data and not done:
                done = self.ours.shake_hands(data)
            self.carry()
        assert done

    def carry(self) -> None:
        self.incoming.write(bytes(self.tcp.written))
        self.tcp.written.clear()

    def read(self) -> bytes:
        """What the client has been told so far."""
        self.carry()
        found = b""
        while True:
            try:
                piece = self.theirs.read(1 << 16)
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                return found
            if not piece:
                return found
            found += piece


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = Authority(Path(tmp_path_factory.mktemp("tls")))
    return server_context(server_files(authority.issue(LOCALHOST))), client_context(authority)


@settings(max_examples=30, deadline=None)
@given(pieces=PIECES, cuts=st.lists(st.integers(1, 50_000), min_size=1), data=st.data())
def test_what_comes_in_pieces_is_whole_and_in_order(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    pieces: list[bytes],
    cuts: list[int],
    data: st.DataObject,
) -> None:
    async def run() -> None:
        pair = Pair(*contexts)
        for piece in pieces:
            pair.theirs.write(piece)
        wire = pair.outgoing.read()
        while wire:
            size = data.draw(st.sampled_from(cuts))
            if data.draw(st.booleans()):
                pair.ours.pause_reading()
                before = pair.reader.data
                pair.ours.received(wire[:size])
                assert pair.reader.data == before, "delivered while paused"
                pair.ours.resume_reading()
                assert pair.reader.data == before, "delivered before the caller is done"
            else:
                pair.ours.received(wire[:size])
            wire = wire[size:]
        await asyncio.sleep(0)
        assert pair.reader.data == b"".join(pieces)
        for piece in pieces:
            pair.ours.write(piece)
        assert pair.read() == b"".join(pieces)

    asyncio.run(run())


def test_a_farewell_of_theirs_ends_it_after_what_they_said(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    pair = Pair(*contexts)
    pair.theirs.write(b"the last")
    with pytest.raises(ssl.SSLWantReadError):
        pair.theirs.unwrap()
    pair.ours.received(pair.outgoing.read())
    assert pair.reader.data == b"the last"
    assert pair.tcp.has_ended
    assert pair.tcp.is_closed
    assert pair.read() == b""


def test_after_our_farewell_nothing_is_written_and_nothing_read(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    pair = Pair(*contexts)
    pair.ours.write(b"an answer")
    pair.ours.write_eof()
    pair.ours.write(b"too late")
    pair.ours.write_eof()
    assert pair.read() == b"an answer"
    pair.theirs.write(b"unheard")
    pair.ours.received(pair.outgoing.read())
    assert pair.reader.data == b""
    assert pair.tcp.has_ended
    assert not pair.tcp.is_closed, "it lingers until the other side closes"


def test_bytes_that_are_no_record_end_it(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    pair = Pair(*contexts)
    pair.ours.received(b"8=FIX.4.4\x019=5\x01")
    assert pair.tcp.is_closed
    assert pair.reader.data == b""
