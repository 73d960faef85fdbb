"""QuickFIX's callbacks: copy the message, hand it over, let nothing escape.

An exception that leaves a callback would end the process in the middle of the engine. It is caught,
kept as the engine's fault, and every later callback does nothing: what came in after the fault is
not handed over, and is asked for again by sequence number after the restart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from fix_sessions.binding import quickfix
from fix_sessions.fields import remark_of
from fix_sessions.message_text import msg_type_of, text_of
from fix_sessions.resends import Resends
from fix_sessions.settings import SessionSpec
from fix_sessions.store_files import StoreFiles
from fix_sessions.wire import WireError, fields_of, first
from oms.domain.session_commands import LogoutCause

_log = structlog.get_logger(__name__)

# More than a session can come to, and as much as decode and the journal's columns can hold.
_MAX_SEQ_NUM: Final = 10**17


class SessionHandler(Protocol):
    """What the owner of an engine is told, all of it from inside `poll` or `send`, on one thread.

    A method that raises stops the engine: `poll` raises EngineFault from then on.
    """

    def on_message(self, session_id: str, text: str) -> None:
        """One application message, a session Reject or a BusinessMessageReject, in order.

        Its header and body fields stand sorted by tag, repeating groups whole. Bytes that are not
        UTF-8 read as latin-1, NUL as SUB (1A).
        """

    def on_logon(self, session_id: str) -> None: ...

    def on_logout(self, session_id: str, reason: str) -> None: ...

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        """The numbers were reset: a Logon with 141=Y from either side (next_inbound 1: the Logon's
        own), or SequenceReset-Reset.
        """

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        """A message got its number; told once, not again when it is resent."""

    def check_logon(self, session_id: str, fields: list[tuple[int, str]]) -> str | None:
        """None to welcome the Logon, else the text to refuse it with."""


@dataclass(slots=True)
class SessionRecord:
    """One session as the engine runs it."""

    spec: SessionSpec
    session: Any = None
    dictionary: Any = None
    logged_on: bool = False
    logout_reason: str = ""
    # Whose doing the last logout was; and what tells it: our wish, their Logout.
    logout_cause: LogoutCause = LogoutCause.LOST
    logging_out: bool = False
    logout_heard: bool = False
    # The number of a Logon that had no connection to leave by, to be used again.
    unsent_logon: int | None = None
    # Our own Logon asked for the reset, so the answer's 141=Y is no news.
    reset_told: bool = False
    # The other side's answer asked for it: QuickFIX repeats our Logon with 141=Y.
    reset_heard: bool = False
    # An acceptor's files: what they lose to a Logon that is not welcome is put back.
    files: StoreFiles | None = None
    # Why a Logon is refused now; see Sessions.logout.
    closed_text: str = ""
    reset_accepted: bool = False

    @property
    def session_id(self) -> str:
        return self.spec.session_id


def _cause_of(record: SessionRecord) -> LogoutCause:
    if record.logging_out:
        return LogoutCause.OURS if record.logout_heard else LogoutCause.UNANSWERED
    return LogoutCause.PEER if record.logout_heard else LogoutCause.LOST


class Callbacks(quickfix.Application):  # type: ignore[misc]
    """QuickFIX calls these from within its poll, send and next."""

    def __init__(
        self,
        records: dict[str, SessionRecord],
        handler: SessionHandler,
        has_connection: Callable[[SessionRecord], bool],
    ) -> None:
        super().__init__()
        self.fault: BaseException | None = None
        # Session Rejects, QuickFIX's own and ours.
        self.rejects_sent = 0
        # Told of every ResendRequest: session, whether it is ours, BeginSeqNo, EndSeqNo.
        self.on_resend_request: Callable[[str, bool, int, int], None] | None = None
        # Where QuickFIX keeps numbers only.
        self.resends: Resends | None = None
        # Acceptor sessions that somebody tried to log on to since the engine last looked.
        self.tried: set[str] = set()
        self._records = records
        self._handler = handler
        self._has_connection = has_connection

    def _failed(self, error: BaseException) -> None:
        _log.error("fix.callback_failed", exc_info=error)
        self.fault = self.fault or error

    def onCreate(self, session_id: Any) -> None:
        """Nothing is known of a session yet."""

    def onLogon(self, session_id: Any) -> None:
        if self.fault is None:
            try:
                record = self._records[session_id.toString()]
                record.logged_on = True
                record.logout_reason = ""
                record.logging_out = record.logout_heard = False
                self._handler.on_logon(record.session_id)
            except BaseException as error:  # noqa: BLE001 - see the module's first lines
                self._failed(error)

    def onLogout(self, session_id: Any) -> None:
        if self.fault is None:
            try:
                self._logged_out(self._records[session_id.toString()])
            except BaseException as error:  # noqa: BLE001
                self._failed(error)

    def toApp(self, message: Any, session_id: Any) -> None:
        """Everything leaves: `send` has looked at it, and resends carry PossDupFlag."""

    def fromApp(self, message: Any, session_id: Any) -> None:
        if self.fault is None:
            try:
                record = self._records[session_id.toString()]
                self._handler.on_message(record.session_id, text_of(message))
            except BaseException as error:  # noqa: BLE001
                self._failed(error)

    def toAdmin(self, message: Any, session_id: Any) -> None:
        if self.fault is None:
            try:
                record = self._records[session_id.toString()]
                match message.getHeader().getField(35):
                    case "2":
                        self._tell_resend(record, text_of(message), by_us=True)
                    case "3":
                        self.rejects_sent += 1
                    case _:
                        pass
                if not record.logged_on:
                    self._leaving_offline(record, message)
            except BaseException as error:  # noqa: BLE001
                self._failed(error)

    def fromAdmin(self, message: Any, session_id: Any) -> None:
        refusal = None
        if self.fault is None:
            try:
                refusal = self._arrived(self._records[session_id.toString()], text_of(message))
            except BaseException as error:  # noqa: BLE001
                self._failed(error)
                refusal = "the server is stopping"
        if refusal is not None:
            raise quickfix.RejectLogon(refusal)

    def _logged_out(self, record: SessionRecord) -> None:
        if record.unsent_logon is not None:
            record.session.setNextSenderMsgSeqNum(record.unsent_logon)
            record.unsent_logon = None
        if record.logged_on:
            record.logged_on = False
            reason = record.logout_reason or "the connection was lost"
            record.logout_cause = _cause_of(record)
            self._handler.on_logout(record.session_id, reason)
        record.logout_reason = ""

    def _leaving_offline(self, record: SessionRecord, message: Any) -> None:
        if record.spec.role != "initiator":
            self.tried.add(record.session_id)
            return
        header = message.getHeader()
        if header.getField(35) != "A":
            return
        if record.spec.username is not None:
            message.setField(553, record.spec.username)
        if record.spec.password is not None:
            message.setField(554, record.spec.password)
        if not self._has_connection(record):
            record.unsent_logon = int(header.getField(34))
        elif message.isSetField(141) and record.reset_heard:
            record.reset_heard = False
        elif message.isSetField(141):
            record.reset_told = True
            self._handler.on_sequence_reset(record.session_id, 1)

    def _arrived(self, record: SessionRecord, text: str) -> str | None:
        """Look at a session message; the refusal of a Logon is the answer."""
        match msg_type_of(text):
            case "A":
                return self._logon_arrived(record, text)
            case "3":
                self._handler.on_message(record.session_id, text)
            case "4":
                fields = fields_of(text)
                new_number = int(first(fields, 36) or "0")
                if new_number > _MAX_SEQ_NUM:
                    record.logout_reason = f"NewSeqNo (36) = {new_number}: too high for any session"
                    return record.logout_reason
                is_gap_fill = first(fields, 123) == "Y"
                if not is_gap_fill and new_number > record.session.getExpectedTargetNum():
                    self._handler.on_sequence_reset(record.session_id, new_number)
            case "2":
                self._tell_resend(record, text, by_us=False)
                return self._resend_asked(record, text)
            case "5":
                record.logout_heard = True
                answer = remark_of(first(fields_of(text), 58) or "Logout without a text")
                record.logout_reason = record.logout_reason or answer
            case _:
                pass
        return None

    def _tell_resend(self, record: SessionRecord, text: str, *, by_us: bool) -> None:
        if self.on_resend_request is not None:
            fields = fields_of(text)
            begin, end = int(first(fields, 7) or "0"), int(first(fields, 16) or "0")
            self.on_resend_request(record.session_id, by_us, begin, end)

    def _resend_asked(self, record: SessionRecord, text: str) -> str | None:
        if self.resends is None:
            return None
        fields = fields_of(text)
        begin, end = int(first(fields, 7) or "0"), int(first(fields, 16) or "0")
        refusal = self.resends.fill(record.session_id, record.session, begin, end)
        record.logout_reason = refusal or record.logout_reason
        return refusal

    def _logon_arrived(self, record: SessionRecord, text: str) -> str | None:
        try:
            fields = fields_of(text)
        except WireError as error:
            return f"the Logon cannot be read: {error}"
        reset = first(fields, 141) == "Y"
        if record.files is not None and record.logged_on:
            # One connection carries one Logon: the one that was judged in front of us.
            _log.warning("fix.second_logon", session=record.session_id)
            self.tried.add(record.session_id)
            record.reset_accepted = False
            return "this session is logged on already"
        refusal = self._handler.check_logon(record.session_id, fields) or record.closed_text or None
        if record.files is not None:
            self.tried.add(record.session_id)
            record.reset_accepted = reset and refusal is None
            if refusal is None and not reset and record.files.was_reset():
                refusal = "the session's numbers are being put back: log on again"
        if refusal is None and reset and not record.reset_told:
            record.reset_heard = record.spec.role == "initiator"
            self._handler.on_sequence_reset(record.session_id, 1)
        record.reset_told = False
        expected = first(fields, 789)
        if refusal is None and self.resends is not None and expected and expected.isdecimal():
            # QuickFIX sends what is missing there after the Logon, without being asked.
            return self.resends.fill(record.session_id, record.session, int(expected), 0)
        return refusal
