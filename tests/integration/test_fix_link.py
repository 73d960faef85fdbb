"""The line between the core and its FIX process: order, back-pressure, and the end of either."""

import socket
from collections.abc import Iterator

import pytest

from fix_sessions.fix_link import CoreGone, FixLink
from fix_sessions.frames import FrameBuffer, FrameWriter, Kind, frame_of
from fix_sessions.reading import Reading
from fix_sessions.registry import Counterparty
from fix_sessions.resends import ResendUnavailable
from oms.domain.session_commands import LogoutCause
from oms.runtime.clock import SystemClock
from oms.store.codec import pack
from tests.support.fix_engine import accepting

MANY = 20_000
TEXT = "35=D\x01" + "x" * 300 + "é\x01"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def reading() -> Reading:
    made = Reading(pack, SystemClock().now)
    made.take_in([Counterparty(session_id="ALPHA", name="ALPHA", role="client")], {})
    return made


def link_on(sock: socket.socket) -> FixLink:
    link = FixLink(sock, [accepting()], "the ticket", reading())
    link.cause_of = lambda _: LogoutCause.LOST
    return link


def test_whatever_waits_comes_whole_and_in_order(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.setblocking(False)
    theirs.setblocking(False)
    writer, buffer = FrameWriter(ours), FrameBuffer()
    found, most = [], 0
    for number in range(MANY):
        writer.frames.append(frame_of(Kind.SEND, 1, number, TEXT))
        if number % 100 == 0:
            writer.write()
            most = max(most, writer.waiting_bytes)
        if number % 1_000 == 0:
            found += buffer.frames(theirs.recv(10_007))
    while len(found) < MANY:
        writer.write()
        found += buffer.frames(theirs.recv(1 << 18))
    assert most > 1_000_000, "the socket took everything: nothing was shown"
    assert found == [(Kind.SEND, 1, number, TEXT.encode()) for number in range(MANY)]
    assert writer.waiting_bytes == 0


def test_a_frame_that_was_begun_is_never_ended_by_other_bytes(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Else an order might be made of one half and a fault's text."""
    ours, theirs = ends
    ours.setblocking(False)
    writer = FrameWriter(ours)
    writer.frames += [frame_of(Kind.SENT, 0, 0, TEXT)] * MANY
    writer.write()
    assert writer.waiting_bytes
    writer.end(0.05)
    buffer, found = FrameBuffer(), []
    while data := theirs.recv(1 << 18):
        found += buffer.frames(data)
    with pytest.raises(OSError, match="Broken pipe"):
        ours.sendall(frame_of(Kind.FAULT, text="x" * 1_000))
    assert {(kind, data) for kind, _, _, data in found} == {(Kind.SENT, TEXT.encode())}


def test_an_answer_passes_what_stands_in_the_line(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    link = link_on(ours)
    sends = [frame_of(Kind.SEND, 0, 0, f"{n}") for n in range(3)]
    before = frame_of(Kind.SENT_BEFORE, 0, 7, TEXT)
    theirs.sendall(b"".join([*sends, before, frame_of(Kind.SENT_BEFORE_END), *sends]))
    assert list(link.sent_before("ALPHA", 7, 7)) == [(7, TEXT)]
    assert [data for _, _, _, data in link.frames] == [b"0", b"1", b"2"] * 2
    theirs.setblocking(False)
    wanted = (Kind.SENT_BEFORE_WANTED, 0, 0, b"[7, 7]")
    assert FrameBuffer().frames(theirs.recv(100)) == [wanted]


def test_an_answer_that_is_given_up_is_nobody_elses(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """A full disk, as a rule: what one client was sent must never be sent to another one."""
    ours, theirs = ends
    link = link_on(ours)
    first = [frame_of(Kind.SENT_BEFORE, 0, number, TEXT) for number in (7, 8, 9)]
    second = [frame_of(Kind.SENT_BEFORE, 0, 1, "other")]
    end = frame_of(Kind.SENT_BEFORE_END)
    theirs.sendall(b"".join([*first, end, *second, end, frame_of(Kind.PROOF)]))
    given_up = link.sent_before("ALPHA", 7, 9)
    assert next(given_up) == (7, TEXT)
    given_up.close()
    assert list(link.sent_before("ALPHA", 1, 1)) == [(1, "other")]
    assert link.answer()[0] == Kind.PROOF


def test_the_end_of_the_core_is_no_fault_of_a_callback(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    link = link_on(ours)
    theirs.close()
    for _ in range(100):
        link.on_message("ALPHA", TEXT)
    with pytest.raises(ResendUnavailable, match="the core is gone"):
        next(link.sent_before("ALPHA", 1, 2))
    with pytest.raises(CoreGone):
        link.read()
