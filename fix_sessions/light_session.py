"""A light FIX session as a state machine without I/O: bytes in, messages and bytes out.

It is the peer of our own engine in the bench, the demo and the tests, so it is written apart from
QuickFIX, keeps all it sent in memory, and lets a test reach in and change the sequence numbers.
Rules are those of FIX 4.4 volume 2; what it does not check, it lets pass.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fix_sessions.wire import (
    DEFAULT_MAX_FRAME_BYTES,
    Frame,
    FrameReader,
    WireError,
    fields_of,
    first,
    frame,
    utc_timestamp_ms,
)

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT = "0", "1", "2", "3"
SEQUENCE_RESET, LOGOUT, LOGON = "4", "5", "A"
ADMIN_TYPES = frozenset(
    {HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON}
)

# A silent counterparty is asked after 1.2 intervals and given up after 2.4, as QuickFIX does.
_ASK_AFTER_INTERVALS = 1.2
_GIVE_UP_AFTER_INTERVALS = 2.4
_US_PER_SECOND = 1_000_000

Fields = Iterable[tuple[int, str]]


def wall_clock_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LightSettings:
    """Who we are on one session, and which side of it."""

    sender_comp_id: str
    target_comp_id: str
    begin_string: str = "FIX.4.4"
    heartbeat_s: int = 30
    username: str = ""
    password: str = ""
    logon_fields: tuple[tuple[int, str], ...] = ()
    initiates: bool = True
    reset_on_logon: bool = False
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One sound message as received; `at_ns` is the CLOCK_MONOTONIC time when its bytes arrived."""

    msg_type: str
    seq: int
    fields: list[tuple[int, str]]
    raw: bytes
    at_ns: int

    def get(self, tag: int) -> str | None:
        """The value of the first field with this tag, or None."""
        return first(self.fields, tag)

    @property
    def poss_dup(self) -> bool:
        return self.get(43) == "Y"

    def __str__(self) -> str:
        return self.raw.decode("latin-1").replace("\x01", "|")


class LightSession:
    """One session's numbers, its store of everything sent, and what the protocol makes it answer.

    `next_in` and `next_out` go on over connections and may be set by a test. Bytes to write pile
    up until `take_outgoing`. `closing` asks the transport to close once they are written.
    """

    def __init__(
        self, settings: LightSettings, clock_us: Callable[[], int] = wall_clock_us
    ) -> None:
        self.settings = settings
        self.next_in = 1
        self.next_out = 1
        self.logged_on = False
        self.closing = False
        self.close_reason = ""
        self.faults: list[Frame] = []
        self.sent: dict[int, bytes] = {}
        self._clock_us = clock_us
        self._reader = FrameReader(settings.max_frame_bytes)
        self._outgoing = bytearray()
        self._online = False
        self._logout_sent = False
        # Messages beyond a gap, by number; None where the message was acted on when it came.
        self._ahead: dict[int, Message | None] = {}
        self._asked_to = 0
        self._heartbeat_s = settings.heartbeat_s
        self._last_in_us = 0
        self._last_out_us = 0
        self._test_request_sent = False

    # Connection

    def connected(self, *, logon: bool = True) -> None:
        """Start on a new connection; the initiator sends its Logon unless told otherwise."""
        self.disconnected("replaced by a new connection")
        self._online = True
        self.closing = False
        self.close_reason = ""
        self._last_in_us = self._last_out_us = self._clock_us()
        if self.settings.initiates and logon:
            self.send_logon()

    def disconnected(self, reason: str) -> None:
        """Forget all that belongs to one connection; numbers and store stay."""
        if self._online:
            self.close_reason = self.close_reason or reason
        self.logged_on = self._online = self._logout_sent = self._test_request_sent = False
        self._reader = FrameReader(self.settings.max_frame_bytes)
        self._outgoing.clear()
        self._ahead.clear()
        self._asked_to = 0

    def send_logon(self) -> None:
        """Send Logon with the credentials; with `reset_on_logon` from number 1 on both sides."""
        settings = self.settings
        fields = [(98, "0"), (108, str(settings.heartbeat_s))]
        if settings.reset_on_logon:
            self._reset_numbers()
            fields.append((141, "Y"))
        if settings.username:
            fields += [(553, settings.username), (554, settings.password)]
        self._send_now(LOGON, [*fields, *settings.logon_fields])

    def send_logout(self, text: str = "") -> None:
        """Send Logout; the connection closes when the counterparty has answered."""
        self._logout_sent = True
        self._send_now(LOGOUT, [(58, text)] if text else [])

    # Out

    def send(self, msg_type: str, fields: Fields, header: Fields = ()) -> int:
        """Number, store and (when logged on) send one message; returns its MsgSeqNum.

        What is sent while logged out is only numbered and stored: the counterparty notices the gap
        at the next logon and asks for it. `header` is for 43, 97, 122 and the like.
        """
        seq = self.next_out
        data = self.prepare(msg_type, fields, header)
        if self.logged_on:
            self.write(data)
        return seq

    def prepare(self, msg_type: str, fields: Fields, header: Fields = ()) -> bytes:
        """Number and store one message and return its bytes unsent, for a test to spoil."""
        data = self._framed(msg_type, self.next_out, fields, header)
        self.sent[self.next_out] = data
        self.next_out += 1
        return data

    def write(self, data: bytes) -> None:
        """Put bytes on the connection as they are; they are lost when there is none."""
        if self._online:
            self._outgoing += data
            self._last_out_us = self._clock_us()

    def take_outgoing(self) -> bytes:
        """What is to be written now."""
        if not self._outgoing:
            return b""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def _framed(self, msg_type: str, seq: int, fields: Fields, header: Fields = ()) -> bytes:
        settings = self.settings
        return frame(
            settings.begin_string,
            [
                (35, msg_type),
                (34, str(seq)),
                (49, settings.sender_comp_id),
                (52, utc_timestamp_ms(self._clock_us())),
                (56, settings.target_comp_id),
                *header,
                *fields,
            ],
        )

    def _send_now(self, msg_type: str, fields: Fields) -> None:
        self.write(self.prepare(msg_type, fields))

    def _close(self, reason: str) -> None:
        self.closing = True
        self.close_reason = self.close_reason or reason

    def _refuse(self, text: str) -> None:
        self._send_now(LOGOUT, [(58, text)])
        self._close(text)

    def _reset_numbers(self) -> None:
        self.next_in = self.next_out = 1
        self.sent.clear()
        self._ahead.clear()
        self._asked_to = 0

    # In

    def receive(self, data: bytes, at_ns: int = 0) -> list[Message]:
        """The messages, session messages included, that are now in sequence, each one once.

        Garbled frames go to `faults` and consume no number; duplicates are dropped.
        """
        self._last_in_us = self._clock_us()
        self._test_request_sent = False
        try:
            frames = self._reader.feed(data)
        except WireError as error:
            self._close(str(error))
            return []
        ready: list[Message] = []
        for found in frames:
            if self.closing:
                break
            message = self._parsed(found, at_ns)
            if message is not None:
                self._accept(message, ready)
        return ready

    def _parsed(self, found: Frame, at_ns: int) -> Message | None:
        try:
            if found.fault:
                raise WireError(found.fault)
            fields = fields_of(found.text)
            msg_type, seq = first(fields, 35), first(fields, 34)
            if not msg_type or seq is None or not seq.isascii() or not seq.isdigit():
                raise WireError(f"MsgType {msg_type!r} or MsgSeqNum {seq!r} is missing or wrong")
        except WireError as error:
            self.faults.append(Frame(raw=found.raw, fault=str(error)))
            return None
        return Message(msg_type=msg_type, seq=int(seq), fields=fields, raw=found.raw, at_ns=at_ns)

    def _accept(self, message: Message, ready: list[Message]) -> None:
        if not self.logged_on and message.msg_type not in {LOGON, LOGOUT}:
            self._close(f"first message is not a Logon: MsgType {message.msg_type}")
            return
        if message.msg_type == LOGON and not self._logon_accepted(message):
            return
        if message.msg_type == SEQUENCE_RESET and message.get(123) != "Y":
            self._hard_reset(message, ready)
        elif message.seq > self.next_in:
            self._put_ahead(message, ready)
        elif message.seq == self.next_in:
            self._take(message, ready)
        elif not message.poss_dup:
            self._refuse(f"MsgSeqNum too low, expecting {self.next_in} but received {message.seq}")
        self._drain(ready)

    def _take(self, message: Message, ready: list[Message]) -> None:
        self.next_in = message.seq + 1
        ready.append(message)
        self._act(message)

    def _drain(self, ready: list[Message]) -> None:
        """Take what waited beyond a gap that is now filled, and ask for the next gap if any."""
        while self.next_in in self._ahead:
            waiting = self._ahead.pop(self.next_in)
            if waiting is None:
                self.next_in += 1
            else:
                self._take(waiting, ready)
        if not self._ahead:
            return
        self._ahead = {seq: each for seq, each in self._ahead.items() if seq > self.next_in}
        if self._ahead and self.next_in > self._asked_to and not self.closing:
            self._asked_to = min(self._ahead) - 1
            self._send_now(RESEND_REQUEST, [(7, str(self.next_in)), (16, str(self._asked_to))])

    def _put_ahead(self, message: Message, ready: list[Message]) -> None:
        if message.msg_type not in {LOGON, LOGOUT, RESEND_REQUEST}:
            self._ahead.setdefault(message.seq, message)
            return
        # Acted on at once: two sides that wait for each other's gap would wait for ever.
        self._ahead[message.seq] = None
        ready.append(message)
        self._act(message)

    def _act(self, message: Message) -> None:
        """Answer a session message; application messages need nothing here."""
        match message.msg_type:
            case "A":
                self._on_logon(message)
            case "1":
                self._send_now(HEARTBEAT, [(112, message.get(112) or "")])
            case "2":
                self._resend(int(message.get(7) or 1), int(message.get(16) or 0))
            case "4":
                self.next_in = max(self.next_in, int(message.get(36) or 0))
            case "5":
                if not self._logout_sent:
                    self._send_now(LOGOUT, [])
                self._close(f"Logout: {message.get(58) or 'no text'}")
            case _:
                pass

    def _hard_reset(self, message: Message, ready: list[Message]) -> None:
        ready.append(message)
        new = int(message.get(36) or 0)
        if new < self.next_in:
            text = f"NewSeqNo {new} is below the expected MsgSeqNum {self.next_in}"
            self._send_now(REJECT, [(45, str(message.seq)), (371, "36"), (373, "5"), (58, text)])
            return
        self.next_in = new

    def _logon_accepted(self, message: Message) -> bool:
        """Check a Logon before its number counts, and follow its ResetSeqNumFlag."""
        settings = self.settings
        expected = {49: settings.target_comp_id, 56: settings.sender_comp_id}
        if not settings.initiates and settings.username:
            expected |= {553: settings.username, 554: settings.password}
        for tag, value in expected.items():
            if message.get(tag) != value:
                # No Logout: a counterparty that is not who it should be learns nothing.
                self._close(f"Logon with wrong tag {tag}: {message.get(tag)!r}")
                return False
        if message.get(141) == "Y" and not settings.initiates:
            self._reset_numbers()
        elif message.get(141) == "Y" and message.seq == 1 and not settings.reset_on_logon:
            self.next_in = 1
        return True

    def _on_logon(self, message: Message) -> None:
        self.logged_on = True
        self._heartbeat_s = int(message.get(108) or self.settings.heartbeat_s)
        if not self.settings.initiates:
            fields = [(98, "0"), (108, str(self._heartbeat_s))]
            if message.get(141) == "Y":
                fields.append((141, "Y"))
            self._send_now(LOGON, [*fields, *self.settings.logon_fields])

    def _resend(self, begin: int, end: int) -> None:
        """Send again what is asked for; session messages and gaps become one gap fill each."""
        last = self.next_out - 1 if end == 0 else min(end, self.next_out - 1)
        gap_from = begin
        # Of many numbers nothing may be kept.
        for seq in sorted(one for one in self.sent if begin <= one <= last):
            fields = fields_of(self.sent[seq].decode("latin-1"))
            msg_type = first(fields, 35)
            if msg_type is None or msg_type in ADMIN_TYPES:
                continue
            self._fill_gap(gap_from, seq)
            header = [(43, "Y"), (122, first(fields, 52) or "")]
            body = [each for each in fields[7:-1] if each[0] not in {43, 122}]
            self.write(self._framed(msg_type, seq, body, header))
            gap_from = seq + 1
        self._fill_gap(gap_from, last + 1)

    def _fill_gap(self, begin: int, new: int) -> None:
        if new > begin:
            data = self._framed(SEQUENCE_RESET, begin, [(123, "Y"), (36, str(new))], [(43, "Y")])
            self.write(data)

    # Time

    def tick(self) -> None:
        """Send the heartbeat or test request that is due; give up a silent counterparty."""
        if not self.logged_on or self.closing or self._heartbeat_s == 0:
            return
        now_us = self._clock_us()
        interval_us = self._heartbeat_s * _US_PER_SECOND
        silent_us = now_us - self._last_in_us
        if silent_us > interval_us * _GIVE_UP_AFTER_INTERVALS:
            self._close(f"nothing received for {silent_us // _US_PER_SECOND} s")
        elif silent_us > interval_us * _ASK_AFTER_INTERVALS and not self._test_request_sent:
            self._test_request_sent = True
            self._send_now(TEST_REQUEST, [(112, "are you there")])
        elif now_us - self._last_out_us >= interval_us:
            self._send_now(HEARTBEAT, [])
