"""What the core and the process of its FIX sessions tell each other: frames on one stream socket.

A frame is the length of its content, its kind, the session's place in the configuration and a
number, then the content: text in UTF-8, or a packed command. Many frames travel in one write.
"""

import contextlib
import socket
import struct
from enum import IntEnum
from typing import Final

_HEAD: Final = struct.Struct("<IBHQ")


class Kind(IntEnum):
    """From the core first, then to it. What session, number and text mean stands beside each."""

    SEND = 1  # session; text: as outgoing.text_of_pieces makes it; number: 1 if groups are in it
    EXPECT_INBOUND = 2  # session; number: MsgSeqNum expected next
    NUMBER_OUTBOUND = 3  # session; number: MsgSeqNum of our next message
    START = 4
    STOP = 5  # number: milliseconds for the logouts
    LOGON = 6  # session
    LOGOUT = 7  # session; number: whether who logs on is told; text: why
    RESET = 8  # session; text: why it is logged out first
    DISCONNECT = 9  # session
    PROOF = 10  # the answer to DOUBT: the core leads still
    SENT_BEFORE = 11  # session; number: its MsgSeqNum; text: as it was sent
    SENT_BEFORE_END = 12  # the answer to SENT_BEFORE_WANTED is whole; text: why it cannot be
    CHANGE = 13  # text: JSON, see session_change.SessionChange
    PARTIES = 14  # text: JSON, see reading.parties_to_json
    NEW_EPOCH = 15  # session; what comes next belongs to the next epoch

    MADE = 16  # text: JSON, expected and next number of each session
    STARTED = 17
    PORT_IN_USE = 18  # text: whose
    GATE_FAILED = 19  # text: why
    COMMAND = 20  # session; number and content: what was received, see reading.Packed
    LOGGED_ON = 21  # session
    LOGGED_OUT = 22  # session; number: place of its cause in LogoutCause; text: why
    WAS_RESET = 23  # session; number: MsgSeqNum expected next
    SENT = 24  # session; number: its MsgSeqNum; text: as sent
    RESEND = 25  # session; text: JSON, whether we asked, BeginSeqNo, EndSeqNo, our last number
    SENT_BEFORE_WANTED = 26  # session; text: JSON, first and last MsgSeqNum
    REFUSED = 27  # number: how many connections the gate refused; text: why
    REJECTS = 28  # number: session Rejects (3) that left so far
    STOPPED = 29  # number: 1 if all logouts were answered in time
    FAULT = 30  # text: what the engine failed of
    DOUBT = 31  # the FIX process did not run for a while: does the core lead still?
    CHANGED = 32  # CHANGE is done; text: JSON, expected and next number of each session made anew


Frame = tuple[int, int, int, bytes]


def frame_of(kind: int, session: int = 0, number: int = 0, text: str = "") -> bytes:
    """One frame's bytes."""
    return packed_frame(kind, session, number, text.encode())


def packed_frame(kind: int, session: int, number: int, data: bytes) -> bytes:
    """As `frame_of`, of content that is bytes already."""
    return _HEAD.pack(len(data), kind, session, number) + data


class FrameWriter:
    """Frames out: written together, as far as the socket takes them; the rest waits.

    sock: one that does not block by the time of the first `write`. frames: to be written next.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.frames: list[bytes] = []
        self._unsent = bytearray()

    @property
    def waiting_bytes(self) -> int:
        """How much the socket did not take yet."""
        return len(self._unsent)

    def write(self) -> None:
        """Raises OSError where nobody hears it any more."""
        data = b"".join(self.frames)
        self.frames.clear()
        unsent = self._unsent
        try:
            if unsent:
                unsent += data
                del unsent[: self._sock.send(unsent)]
            elif data:
                written, data_bytes = self._sock.send(data), len(data)
                if written < data_bytes:
                    unsent += data[written:]
        except BlockingIOError:
            if not unsent:
                unsent += data

    def end(self, timeout_s: float) -> None:
        """Write the rest of what was begun, or nothing ever: else what follows is taken for it."""
        try:
            self._sock.settimeout(timeout_s)
            self._sock.sendall(self._unsent)
        except OSError:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
        self._unsent.clear()


class FrameBuffer:
    """Bytes in, whole frames out."""

    def __init__(self) -> None:
        self._rest = b""

    def frames(self, data: bytes) -> list[Frame]:
        """The frames that are whole with these bytes: kind, session, number, content."""
        if self._rest:
            data = self._rest + data
        found: list[Frame] = []
        at, end = 0, len(data)
        unpack, head_bytes = _HEAD.unpack_from, _HEAD.size
        while end - at >= head_bytes:
            length, kind, session, number = unpack(data, at)
            start = at + head_bytes
            stop = start + length
            if stop > end:
                break
            found.append((kind, session, number, data[start:stop]))
            at = stop
        self._rest = data[at:]
        return found
