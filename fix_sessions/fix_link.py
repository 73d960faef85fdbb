"""The FIX process's end of the line to the core: what happens becomes frames, written together."""

import contextlib
import json
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog

from fix_sessions.dialects import APPL_VER_ID, FIXT11
from fix_sessions.frames import Frame, FrameBuffer, FrameWriter, Kind, frame_of, packed_frame
from fix_sessions.process_state import StopWatch
from fix_sessions.reading import Reading
from fix_sessions.resends import ResendUnavailable
from fix_sessions.settings import SessionSpec
from fix_sessions.waiting import A_FEW
from fix_sessions.wire import first
from oms.domain.session_commands import LogoutCause

_log = structlog.get_logger(__name__)

_READ_BYTES: Final = 1 << 18
_LOOK_S: Final = 0.25
# So many frames are written at once, so that the core begins with the first of many; where messages
# come one by one, each as soon as it is read.
_WRITE_EARLY: Final = 16
_MAX_WAITING_BYTES: Final = 1 << 26
_ANSWERS: Final = frozenset({Kind.PROOF, Kind.SENT_BEFORE, Kind.SENT_BEFORE_END})
CAUSES: Final = tuple(LogoutCause)


class CoreGone(Exception):
    """The core has ended, or is frozen and about to lose the lead: nothing more is to be done."""


class FixLink:
    """SessionHandler of the engine, and what the core says. All its waits end with the core.

    `frames` holds what the core said and nobody has obeyed yet. `cause_of` is the engine's
    `logout_cause`: set it before the engine polls.
    """

    cause_of: Callable[[str], LogoutCause]

    def __init__(
        self, sock: socket.socket, specs: Sequence[SessionSpec], ticket: str, reading: Reading
    ) -> None:
        """sock: to the core, one end of a socket pair."""
        sock.setblocking(False)
        self._sock = sock
        self._ticket = ticket
        self._reading = reading
        self._specs: dict[str, SessionSpec] = {}
        self._places: dict[str, int] = {}
        self.know(specs)
        self._writer = FrameWriter(sock)
        self._out = self._writer.frames
        self._buffer = FrameBuffer()
        self._many = 0
        self._write_at = _WRITE_EARLY
        self._core = StopWatch(os.getppid())
        self.frames: deque[Frame] = deque()
        # What answers a question of ours, which is waited for and may not stand in the line.
        self._answers: deque[Frame] = deque()

    def know(self, specs: Sequence[SessionSpec]) -> None:
        """These sessions too, or as they are now; a name keeps its place for ever."""
        for spec in specs:
            self._specs[spec.session_id] = spec
            self._places.setdefault(spec.session_id, len(self._places))

    # SessionHandler

    def on_message(self, session_id: str, text: str) -> None:
        """See SessionHandler."""
        place = self._places[session_id]
        for number, packed in self._reading.read(session_id, text):
            self._out.append(packed_frame(Kind.COMMAND, place, number, packed))
        if len(self._out) >= self._write_at and not self.behind:
            # In QuickFIX's callbacks it would be a fault; reading tells of it a moment later.
            with contextlib.suppress(CoreGone):
                self.flush()
            self._write_at = _WRITE_EARLY

    def on_logon(self, session_id: str) -> None:
        """See SessionHandler."""
        self.tell(Kind.LOGGED_ON, session_id)

    def on_logout(self, session_id: str, reason: str) -> None:
        """See SessionHandler."""
        cause = CAUSES.index(self.cause_of(session_id))
        self.tell(Kind.LOGGED_OUT, session_id, cause, reason)

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        """See SessionHandler."""
        self._reading.reset(session_id)
        self.tell(Kind.WAS_RESET, session_id, next_inbound)

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        """See SessionHandler."""
        self._out.append(frame_of(Kind.SENT, self._places[session_id], msg_seq_num, text))

    def check_logon(self, session_id: str, fields: list[tuple[int, str]]) -> str | None:
        """Only the gate's Logons are welcome: they carry its ticket instead of a password."""
        spec = self._specs[session_id]
        version = first(fields, 1137) or "absent"
        if spec.begin_string == FIXT11 and version != APPL_VER_ID:
            return f"DefaultApplVerID (1137) = {version}: must be {APPL_VER_ID}"
        if spec.role == "initiator" or first(fields, 554) == self._ticket:
            return None
        return "Logon refused: not through the gate"

    # The line

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be written or obeyed."""
        return not (self._out or self.frames or self.behind)

    @property
    def behind(self) -> bool:
        """Whether the core does not take what there is for it."""
        return self._writer.waiting_bytes > 0

    @property
    def full(self) -> bool:
        """Whether so much waits for the core that nothing more may be read for it."""
        return self._writer.waiting_bytes > _MAX_WAITING_BYTES

    def tell(self, kind: Kind, session_id: str = "", number: int = 0, text: str = "") -> None:
        """One frame, written with the next ones; of no session where none is given."""
        place = self._places[session_id] if session_id else 0
        self._out.append(frame_of(kind, place, number, text))

    def flush(self) -> None:
        """Write what there is, as far as the core takes it. Raises CoreGone."""
        if self._out or self.behind:
            try:
                self._writer.write()
            except OSError as error:
                raise CoreGone from error

    def end_turn(self) -> bool:
        """Write what there is; whether more came or went at once than a few. Raises CoreGone."""
        many = max(self._many, len(self._out)) > A_FEW
        self.flush()
        self._write_at = _WRITE_EARLY if many else 1
        return many

    def end(self, timeout_s: float) -> None:
        """Nothing more is said here; another last word may follow on the socket."""
        self._writer.end(timeout_s)

    def read(self) -> None:
        """Add to `frames` what has come. Raises CoreGone."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise CoreGone from error
        if not data:
            raise CoreGone
        found = self._buffer.frames(data)
        self._many = len(found)
        for frame in found:
            (self._answers if frame[0] in _ANSWERS else self.frames).append(frame)

    def wait(self) -> None:
        """Wait for more, or for the core to take what there is, for a moment. Raises CoreGone."""
        self.look_at_core()
        select.select([self._sock], [self._sock] if self.behind else [], [], _LOOK_S)
        self.flush()
        self.read()

    def answer(self) -> Frame:
        """The core's next answer; all else it says stays in `frames`. Raises CoreGone."""
        self.flush()
        while not self._answers:
            self.wait()
        return self._answers.popleft()

    def look_at_core(self) -> None:
        """Raises CoreGone where a signal has stopped it, which is for long as a rule."""
        if self._core.stays_stopped(time.monotonic()):
            _log.error("fix.core_frozen")
            raise CoreGone

    def sent_before(self, session_id: str, begin: int, end: int) -> Iterator[tuple[int, str]]:
        """What was sent under these numbers; see fix_sessions.resends.ResendSource."""
        self.tell(Kind.SENT_BEFORE_WANTED, session_id, text=json.dumps([begin, end]))
        is_whole = False
        try:
            while not is_whole:
                try:
                    kind, _, number, content = self.answer()
                except CoreGone:
                    raise ResendUnavailable("the core is gone") from None
                is_whole = kind == Kind.SENT_BEFORE_END
                if not is_whole:
                    yield number, content.decode()
                elif content:
                    raise ResendUnavailable(content.decode())
        finally:
            # Whoever asks next, perhaps for another session, must not get the rest of it.
            with contextlib.suppress(CoreGone):
                while not is_whole:
                    is_whole = self.answer()[0] == Kind.SENT_BEFORE_END
