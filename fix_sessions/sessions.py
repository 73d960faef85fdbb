"""What an engine's owner does with its sessions: send, log out and on, read and set numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from fix_sessions import sequences
from fix_sessions.application import Callbacks, SessionHandler, SessionRecord
from fix_sessions.binding import quickfix, send_message
from fix_sessions.faults import EngineFault
from fix_sessions.message_text import message_of, msg_seq_num_of, text_of
from fix_sessions.outgoing import pieces_of, text_of_pieces
from oms.domain.session_commands import LogoutCause


class Sessions:
    """The sessions of one engine by their short names; the engine itself adds the polling."""

    def __init__(
        self,
        records: dict[str, SessionRecord],
        *,
        callbacks: Callbacks,
        handler: SessionHandler,
        store_dir: Path,
    ) -> None:
        self._records = records
        self._callbacks = callbacks
        self._handler = handler
        self._store_dir = store_dir

    def send(self, session_id: str, msg_type: str, fields: Sequence[tuple[int, str]]) -> int:
        """Number, store and, if the session is logged on, send a message; its MsgSeqNum.

        `fields` is the body with groups in order; PossResend (97) and other header fields that the
        session does not set may be among them. What is sent while offline goes out when the
        counterparty asks for it after its next logon. Raises EngineFault if it cannot be stored.
        """
        text = text_of_pieces(msg_type, pieces_of(fields))
        return self.send_text(session_id, text, groups=True)

    def send_text(self, session_id: str, text: str, *, groups: bool) -> int:
        """As `send`, for a text that `outgoing.text_of_pieces` made.

        groups: whether repeating groups are in it.
        """
        record = self._records[session_id]
        message = message_of(text, record.dictionary if groups else None)
        sent = send_message(record.session, message)
        if not sent:
            number = self.next_outbound(session_id)
            self._callbacks.fault = self._callbacks.fault or OSError(
                f"session {session_id}: message {number} could not be stored in {self._store_dir}"
            )
        if self._callbacks.fault is not None:
            self._raise_fault()
        sent_text = text_of(message)
        number = msg_seq_num_of(sent_text)
        self._handler.on_sent(session_id, number, sent_text)
        return number

    @property
    def rejects_sent(self) -> int:
        """How many session Rejects (3) left, those that QuickFIX made itself among them."""
        return self._callbacks.rejects_sent

    def has(self, session_id: str) -> bool:
        """Whether there is a session of that name, configured still or not."""
        return session_id in self._records

    def is_logged_on(self, session_id: str) -> bool:
        return self._records[session_id].logged_on

    def logout(self, session_id: str, reason: str, *, answers: bool = False) -> None:
        """Log out and stay so until `logon`. answers: a client that logs on meanwhile is told the
        reason by a Logout; else its connection ends without a word.
        """
        record = self._records[session_id]
        record.closed_text = reason if answers and record.files is not None else ""
        record.logout_reason = reason
        record.logging_out = True
        record.session.logout(reason)
        if record.logged_on:
            record.session.next(quickfix.UtcTimeStamp.now())
        self.listen_while_closed(record)
        self._raise_fault()

    def logon(self, session_id: str) -> None:
        """Let a session that was logged out come back."""
        self._records[session_id].closed_text = ""
        self._records[session_id].session.logon()

    def listen_while_closed(self, record: SessionRecord) -> None:
        """QuickFIX drops Logons of a session that is logged out: only once it is down may it take
        one, which `closed_text` refuses.
        """
        if record.closed_text and not record.logged_on:
            record.session.logon()

    def logout_cause(self, session_id: str) -> LogoutCause:
        """Whose doing the last logout was."""
        return self._records[session_id].logout_cause

    def reset(self, session_id: str) -> None:
        """Both numbers to 1, and forget what was sent; only while it is logged out.

        The handler is not told: whoever calls this knows.
        """
        record = self._records[session_id]
        assert not record.logged_on, f"session {session_id} must be logged out before its reset"
        record.session.reset()
        if record.files is not None:
            record.files.keep()
        self._callbacks.tried.discard(session_id)
        self._raise_fault()

    def watch_resends(self, tell: Callable[[str, bool, int, int], None]) -> None:
        """Be told of each ResendRequest: session, whether it is ours, BeginSeqNo, EndSeqNo."""
        self._callbacks.on_resend_request = tell

    def expected_inbound(self, session_id: str) -> int:
        return sequences.expected_inbound(self._records[session_id].session)

    def set_expected_inbound(self, session_id: str, number: int) -> None:
        """Set it, in either direction: what the journal lacks is asked for again."""
        sequences.set_expected_inbound(self._records[session_id].session, number)

    def next_outbound(self, session_id: str) -> int:
        return sequences.next_outbound(self._records[session_id].session)

    def set_next_outbound(self, session_id: str, number: int) -> None:
        """Raise it; ValueError where it would go backwards."""
        sequences.set_next_outbound(self._records[session_id].session, number)

    def _raise_fault(self) -> None:
        if self._callbacks.fault is not None:
            self._stopped_by(self._callbacks.fault)

    def _stopped_by(self, fault: BaseException) -> NoReturn:
        raise EngineFault(f"the FIX engine stopped: {type(fault).__name__}: {fault}") from fault
