"""The core's end of the line to the process of its FIX sessions: an engine by its methods.

What is asked for here happens there a moment later, in order. What is sent is only begun: its
number and text come back, in order, by the handler's `on_sent`, from inside `poll`.
"""

import contextlib
import json
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from fix_sessions.faults import EngineFault, PortInUse
from fix_sessions.fix_link import CAUSES
from fix_sessions.fix_process_config import FixProcessConfig, config_to_line
from fix_sessions.frames import Frame, FrameBuffer, FrameWriter, Kind, frame_of
from fix_sessions.gate_process import GateError
from fix_sessions.outgoing import text_of_pieces
from fix_sessions.process_state import StopWatch
from fix_sessions.reading import parties_to_json
from fix_sessions.registry import Counterparty
from fix_sessions.resends import ResendUnavailable
from fix_sessions.session_change import SessionChange, change_to_json
from fix_sessions.waiting import A_FEW, Waiting
from oms.domain.session_commands import LogoutCause

_READ_BYTES: Final = 1 << 18
_LITTLE_BYTES: Final = 1 << 14
_BUFFER_BYTES: Final = 1 << 20
_START_TIMEOUT_S: Final = 30.0
_END_TIMEOUT_S: Final = 5.0
_LAST_MOMENT_S: Final = 1.0
_WAIT_S: Final = 0.1
_MS_PER_SECOND: Final = 1_000
# So many frames are written at once, so that the first of many leaves while the last is made.
_WRITE_EARLY: Final = 16
# What reaches all processes of a terminal or a service; these the core's own process answers to.
SIGNALS_TO_ALL: Final = frozenset({signal.SIGINT, signal.SIGTERM})


class RemoteHandler(Protocol):
    """What the owner is told, all of it from inside `poll`, `start` or `stop`, on one thread.

    As fix_sessions.application.SessionHandler, but for messages, which are read over there, and
    Logons, which are judged there.
    """

    def on_command(self, session_id: str, number: int, packed: bytes) -> None:
        """What came on that session; see fix_sessions.reading.Packed."""

    def on_logon(self, session_id: str) -> None: ...

    def on_logout(self, session_id: str, reason: str, cause: LogoutCause) -> None: ...

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None: ...

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None: ...

    def on_resend_request(
        self, session_id: str, *, by_us: bool, begin: int, end: int, highest: int
    ) -> None:
        """A ResendRequest went out or came in; highest: our last number, 0 for one of ours."""

    def sent_before(self, session_id: str, first: int, last: int) -> Iterable[tuple[int, str]]:
        """See fix_sessions.resends.ResendSource."""


class RemoteEngine:
    """For one thread. Only `start`, `stop` and the constructor's end wait, with a bound.

    before_work is called after each wait; what it raises ends `poll`. refused is told why the gate
    refused connections, and how many.
    """

    _handler: RemoteHandler

    def __init__(self, command: Sequence[str], *, passed: Sequence[int] = ()) -> None:
        """Begin to start the process; `open` goes on. command: what runs it, but for its socket.

        passed: descriptors that are to live as long as it does.
        """
        self.before_work: Callable[[], None] | None = None
        self.refused: Callable[[str, int], None] | None = None
        self.rejects_sent = 0
        # Whether the owner can take hardly anything: what is for it waits over there.
        self.reads_little = False
        self._names: list[str] = []
        self._places: dict[str, int] = {}
        self._wakeups: dict[int, Callable[[], None]] = {}
        self._buffer = FrameBuffer()
        self._many = 0
        self._answer: Frame | None = None
        self._changed: Callable[[dict[str, tuple[int, int]]], None] | None = None
        self._inbound: dict[str, int] = {}
        self._outbound: dict[str, int] = {}
        self._sock, theirs = socket.socketpair()
        self._writer = FrameWriter(self._sock)
        self._out = self._writer.frames
        self._waits_to_write = False
        for end in (self._sock, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        # It begins with these blocked, and ends by none of them before it has come to ignore them.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS_TO_ALL)
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *passed),
                cwd=Path(__file__).resolve().parents[1],
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        self._child = StopWatch(self._process.pid)
        self._epoll = select.epoll()
        self._epoll.register(self._sock.fileno(), select.EPOLLIN)
        self._waiting = Waiting(self._epoll, 0.0)

    # Running

    def open(self, config: FixProcessConfig, handler: RemoteHandler) -> None:
        """Have the sessions made, not opened: their numbers are known then. Raises EngineFault."""
        self._handler = handler
        self._waiting = Waiting(self._epoll, config.awake_s)
        self._names = [spec.session_id for spec in config.sessions]
        self._places = {name: place for place, name in enumerate(self._names)}
        try:
            self._sock.sendall(config_to_line(config))
        except OSError as error:
            raise EngineFault(f"the FIX process did not start: {error}") from None
        self._sock.setblocking(False)
        made = self._await(Kind.MADE, _START_TIMEOUT_S)
        for name, (inbound, outbound) in zip(self._names, json.loads(made[3]), strict=True):
            self._inbound[name], self._outbound[name] = inbound, outbound

    def start(self) -> None:
        """Open the sessions, and have the gate listen. Raises PortInUse, GateError."""
        self._ask(Kind.START)
        self._await(Kind.STARTED, _START_TIMEOUT_S)

    def add_wakeup(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Have `poll` return when the descriptor is readable; `callback` empties it."""
        self._wakeups[descriptor] = callback
        self._epoll.register(descriptor, select.EPOLLIN)

    def change(
        self, change: SessionChange, done: Callable[[dict[str, tuple[int, int]]], None]
    ) -> None:
        """Have sessions closed and made while the others run. One change at a time.

        done: called from inside `poll`, with the numbers, expected and next, of those made anew.
        """
        assert self._changed is None, "one change at a time"
        self._changed = done
        for name in [one.session_id for one in change.made if one.session_id not in self._places]:
            self._places[name] = len(self._names)
            self._names.append(name)
        self._ask(Kind.CHANGE, text=change_to_json(change))

    def _told_changed(self, text: str) -> None:
        done, self._changed = self._changed, None
        assert done is not None
        numbers = {name: (one, other) for name, (one, other) in json.loads(text).items()}
        for name, (inbound, outbound) in numbers.items():
            self._inbound[name], self._outbound[name] = inbound, outbound
        done(numbers)

    def remove_wakeup(self, descriptor: int) -> None:
        """Undo `add_wakeup`; call it before the descriptor is closed."""
        del self._wakeups[descriptor]
        self._epoll.unregister(descriptor)

    def poll(self, timeout_s: float) -> None:
        """Write what waits, wait for something and hand it over. Raises EngineFault."""
        self.flush()
        events = self._waiting.wait(timeout_s, busy=self._many > A_FEW)
        self._look_whether_to_go_on()
        if self._child.stays_stopped(time.monotonic()):
            raise EngineFault("the FIX process was stopped by a signal")
        for descriptor, _ in events:
            wakeup = self._wakeups.get(descriptor)
            if wakeup is None:
                self._read()
            else:
                wakeup()

    def stop(self, timeout_s: float) -> bool:
        """Log every session out and wait for the answers; whether all came in time."""
        self._ask(Kind.STOP, number=int(timeout_s * _MS_PER_SECOND))
        return bool(self._await(Kind.STOPPED, timeout_s + _END_TIMEOUT_S)[2])

    def close(self) -> None:
        """End the process at once, without logging out; a second call does nothing."""
        if self._epoll.closed:
            return
        self._epoll.close()
        self._sock.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    # Sessions

    def understand(self, parties: Sequence[Counterparty], epochs: Mapping[str, int]) -> None:
        """Have what comes from them read so from now on; epochs: of those that are new there."""
        self._ask(Kind.PARTIES, text=parties_to_json(parties, epochs))

    def new_epoch(self, session_id: str) -> None:
        """The owner has found a reset by itself: what comes next belongs to the next epoch."""
        self._ask(Kind.NEW_EPOCH, session_id)

    def send_pieces(
        self, session_id: str, msg_type: str, pieces: Sequence[str], *, groups: bool
    ) -> None:
        """Have a message numbered, stored and sent; `on_sent` says how.

        pieces: `tag=value`, none of them the session's own. groups: whether groups are in them.
        """
        text = text_of_pieces(msg_type, pieces)
        self._out.append(frame_of(Kind.SEND, self._places[session_id], groups, text))
        if len(self._out) >= _WRITE_EARLY:
            self.flush()

    def logon(self, session_id: str) -> None:
        """Let a session that was logged out come back."""
        self._ask(Kind.LOGON, session_id)

    def logout(self, session_id: str, reason: str, *, answers: bool = False) -> None:
        """Log out and stay so until `logon`."""
        self._ask(Kind.LOGOUT, session_id, number=int(answers), text=reason)

    def reset(self, session_id: str, reason: str) -> None:
        """Log out, then set both numbers to 1, unless it comes up again; `on_sequence_reset` says
        that it was done.
        """
        self._ask(Kind.RESET, session_id, text=reason)

    def disconnect(self, session_id: str) -> None:
        """End its connection if it is logged on."""
        self._ask(Kind.DISCONNECT, session_id)

    def expected_inbound(self, session_id: str) -> int:
        """Before `start`, or of a session just made, only."""
        return self._inbound[session_id]

    def set_expected_inbound(self, session_id: str, number: int) -> None:
        """As `expected_inbound`; in either direction: what the journal lacks is asked for again."""
        self._inbound[session_id] = number
        self._ask(Kind.EXPECT_INBOUND, session_id, number)

    def next_outbound(self, session_id: str) -> int:
        """As `expected_inbound`."""
        return self._outbound[session_id]

    def set_next_outbound(self, session_id: str, number: int) -> None:
        """As `expected_inbound`; raise it: where it would go backwards the process ends."""
        self._outbound[session_id] = number
        self._ask(Kind.NUMBER_OUTBOUND, session_id, number)

    # Inside

    def flush(self) -> None:
        """Write what the socket takes; the rest follows when it takes more."""
        with contextlib.suppress(OSError):  # the process is gone, as reading will tell
            self._writer.write()
        waits = self._writer.waiting_bytes > 0
        if waits != self._waits_to_write:
            self._waits_to_write = waits
            what = select.EPOLLIN | select.EPOLLOUT if waits else select.EPOLLIN
            self._epoll.modify(self._sock.fileno(), what)

    def _ask(self, kind: Kind, session_id: str = "", number: int = 0, text: str = "") -> None:
        place = self._places[session_id] if session_id else 0
        self._out.append(frame_of(kind, place, number, text))

    def _read(self) -> None:
        try:
            data = self._sock.recv(_LITTLE_BYTES if self.reads_little else _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # it ended with something of ours unread
        if not data:
            raise EngineFault(f"the FIX process ended (exit code {self._exit_code()})")
        names, handler = self._names, self._handler
        frames = self._buffer.frames(data)
        self._many = len(frames)
        for kind, session, number, content in frames:
            if kind == Kind.COMMAND:
                handler.on_command(names[session], number, content)
            elif kind == Kind.SENT:
                handler.on_sent(names[session], number, content.decode())
            else:
                self._told(kind, names[session] if names else "", number, content.decode())

    def _exit_code(self) -> int | None:
        """Its socket closes a moment before it has ended."""
        try:
            return self._process.wait(_LAST_MOMENT_S)
        except subprocess.TimeoutExpired:
            return None

    def _told(self, kind: int, session_id: str, number: int, text: str) -> None:
        handler = self._handler
        match kind:
            case Kind.LOGGED_ON:
                handler.on_logon(session_id)
            case Kind.LOGGED_OUT:
                handler.on_logout(session_id, text, CAUSES[number])
            case Kind.WAS_RESET:
                handler.on_sequence_reset(session_id, number)
            case Kind.RESEND:
                by_us, begin, end, highest = json.loads(text)
                handler.on_resend_request(
                    session_id, by_us=by_us, begin=begin, end=end, highest=highest
                )
            case Kind.SENT_BEFORE_WANTED:
                self._send_what_was_sent(session_id, *json.loads(text))
            case Kind.REFUSED if self.refused is not None:
                self.refused(text, number)
            case Kind.REJECTS:
                self.rejects_sent = number
            case Kind.CHANGED:
                self._told_changed(text)
            case Kind.DOUBT:
                self._look_whether_to_go_on()
                self._ask(Kind.PROOF)
            case Kind.FAULT:
                raise EngineFault(text)
            case Kind.PORT_IN_USE:
                raise PortInUse(text)
            case Kind.GATE_FAILED:
                raise GateError(text)
            case _:
                self._answer = (kind, 0, number, text.encode())

    def _look_whether_to_go_on(self) -> None:
        if self.before_work is not None:
            self.before_work()

    def _send_what_was_sent(self, session_id: str, first: int, last: int) -> None:
        fault = ""
        try:
            for number, text in self._handler.sent_before(session_id, first, last):
                self._ask(Kind.SENT_BEFORE, session_id, number, text)
        except ResendUnavailable as error:
            fault = str(error) or "it cannot be read"
        self._ask(Kind.SENT_BEFORE_END, session_id, text=fault)
        self.flush()

    def _await(self, kind: Kind, timeout_s: float) -> Frame:
        deadline = time.monotonic() + timeout_s
        while self._answer is None or self._answer[0] != kind:
            if time.monotonic() > deadline:
                raise EngineFault(f"the FIX process does not answer within {timeout_s} s")
            self.flush()
            select.select([self._sock], [], [], _WAIT_S)
            self._look_whether_to_go_on()
            self._read()
        answer, self._answer = self._answer, None
        return answer
