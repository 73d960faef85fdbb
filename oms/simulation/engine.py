"""The FIX engine of a simulated core: QuickFIX's place, taken by the session model.

It offers what the edge uses of fix_sessions.remote_engine.RemoteEngine, and calls back as that
does. The session layer itself is fix_sessions.light_session, which a contract suite holds against
QuickFIX.
"""

from collections.abc import Callable, Sequence

from fix_sessions.light_session import LOGON, Fields, LightSession, LightSettings, Message
from fix_sessions.remote_engine import RemoteHandler
from fix_sessions.wire import fields_of
from oms.domain.session_commands import LogoutCause

Numbers = dict[str, tuple[int, int]]
_RESEND_REQUEST, _REJECT = "2", "3"
_POSS_RESEND = 97
_SESSION_LEVEL = frozenset({"0", "1", "2", "4", "5", "A"})


class EngineSession(LightSession):
    """One session of the core: keeps numbers only, and what was sent it asks its handler for."""

    def __init__(
        self,
        name: str,
        settings: LightSettings,
        clock_us: Callable[[], int],
        handler: RemoteHandler,
    ) -> None:
        super().__init__(settings, clock_us)
        self.name = name
        self.enabled = True
        self.cause = LogoutCause.LOST
        self._handler = handler
        self._by_us = self._by_them = False

    def prepare(self, msg_type: str, fields: Fields, header: Fields = ()) -> bytes:
        data = super().prepare(msg_type, fields, header)
        self.sent.clear()
        return data

    def leave(self, text: str) -> None:
        """Log out, and come back only when enabled again."""
        self.enabled = False
        if self.logged_on and not self._by_us:
            self._by_us = True
            self.send_logout(text)

    def disconnected(self, reason: str) -> None:
        was_on = self.logged_on
        super().disconnected(reason)
        if was_on:
            if self._by_us:
                self.cause = LogoutCause.OURS if self._by_them else LogoutCause.UNANSWERED
            else:
                self.cause = LogoutCause.PEER if self._by_them else LogoutCause.LOST
            self._handler.on_logout(self.name, reason, self.cause)
        self._by_us = self._by_them = False

    def _send_now(self, msg_type: str, fields: Fields) -> None:
        fields = list(fields)
        if msg_type == _RESEND_REQUEST:
            asked = dict(fields)
            self._handler.on_resend_request(
                self.name, by_us=True, begin=int(asked[7]), end=int(asked[16]), highest=0
            )
        super()._send_now(msg_type, fields)

    def _act(self, message: Message) -> None:
        if message.msg_type == "5":
            self._by_them = True
        super()._act(message)

    def _logon_accepted(self, message: Message) -> bool:
        through_gate = self.settings.initiates or message.get(554) == TICKET
        if not through_gate or not self.enabled:
            self._refuse("the session is not open" if through_gate else "not through the gate")
            return False
        if message.get(141) == "Y" and not self.settings.initiates:
            self._handler.on_sequence_reset(self.name, 1)
        return super()._logon_accepted(message)

    def _on_logon(self, message: Message) -> None:
        super()._on_logon(message)
        self._handler.on_logon(self.name)

    def _hard_reset(self, message: Message, ready: list[Message]) -> None:
        new = int(message.get(36) or 0)
        if new > self.next_in:
            self._handler.on_sequence_reset(self.name, new)
        super()._hard_reset(message, ready)

    def _resend(self, begin: int, end: int) -> None:
        highest = self.next_out - 1
        self._handler.on_resend_request(
            self.name, by_us=False, begin=begin, end=end, highest=highest
        )
        last = self.next_out - 1 if end == 0 else min(end, self.next_out - 1)
        for number, text in self._handler.sent_before(self.name, begin, last):
            self.sent[number] = text.encode("latin-1")
        super()._resend(begin, end)
        self.sent.clear()


class SimEngine:
    """The sessions of one core; its FIX process acts at once.

    `boundary` is where a crash may strike, `flush` writes.
    """

    def __init__(
        self,
        settings: dict[str, LightSettings],
        clock_us: Callable[[], int],
        handler: RemoteHandler,
        *,
        boundary: Callable[[], None],
        flush: Callable[[str], None],
    ) -> None:
        self.sessions = {
            name: EngineSession(name, one, clock_us, handler) for name, one in settings.items()
        }
        self._handler = handler
        self._boundary = boundary
        self._flush = flush

    def numbers(self) -> Numbers:
        """What its store holds: next out and next in by session."""
        return {name: (one.next_out, one.next_in) for name, one in self.sessions.items()}

    def load(self, numbers: Numbers) -> None:
        """Go on with these."""
        for name, (next_out, next_in) in numbers.items():
            self.sessions[name].next_out, self.sessions[name].next_in = next_out, next_in

    def receive(self, session_id: str, data: bytes) -> None:
        """The bytes of one frame came in."""
        session = self.sessions[session_id]
        for message in session.receive(data):
            if message.msg_type in _SESSION_LEVEL:
                continue
            self._boundary()
            self._handler.on_message(session_id, message.raw.decode("latin-1"))
        self._flush(session_id)

    # What the edge and the core ask for

    def send_pieces(
        self,
        session_id: str,
        msg_type: str,
        pieces: Sequence[str],
        *,
        groups: bool = True,  # noqa: ARG002 - pieces keep their order here
    ) -> None:
        """See fix_sessions.remote_engine.RemoteEngine."""
        self._boundary()
        session = self.sessions[session_id]
        fields = [(int(tag), value) for tag, _, value in (one.partition("=") for one in pieces)]
        body = [one for one in fields if one[1] and one[0] != _POSS_RESEND]
        header = [one for one in fields if one[0] == _POSS_RESEND]
        data = session.prepare(msg_type, body, header)
        number = session.next_out - 1
        self._handler.on_sent(session_id, number, data.decode("latin-1"))
        if session.logged_on:
            session.write(data)
            self._flush(session_id)
        self._boundary()

    def logout(self, session_id: str, reason: str) -> None:
        """Log out and stay so until `logon`."""
        self.sessions[session_id].leave(reason)
        self._flush(session_id)

    def logon(self, session_id: str) -> None:
        """Let it come back."""
        self.sessions[session_id].enabled = True

    def reset(self, session_id: str, reason: str) -> None:
        """Log out, then both numbers to 1, unless it is up still."""
        self.logout(session_id, reason)
        session = self.sessions[session_id]
        if not session.logged_on:
            session.next_in = session.next_out = 1
            self._handler.on_sequence_reset(session_id, 1)

    def expected_inbound(self, session_id: str) -> int:
        return self.sessions[session_id].next_in

    def set_expected_inbound(self, session_id: str, number: int) -> None:
        """In either direction."""
        self.sessions[session_id].next_in = number

    def next_outbound(self, session_id: str) -> int:
        return self.sessions[session_id].next_out

    def set_next_outbound(self, session_id: str, number: int) -> None:
        """Only ever up."""
        assert number >= self.sessions[session_id].next_out
        self.sessions[session_id].next_out = number


def settings_of(name: str, *, client: bool, ours: bool) -> LightSettings:
    """One side of a session between the server and a party."""
    sender, target = ("OMS", name) if ours else (name, "OMS")
    return LightSettings(
        sender_comp_id=sender,
        target_comp_id=target,
        heartbeat_s=10,
        # Clients begin, and we begin with venues.
        initiates=client is not ours,
        username="" if ours or not client else name,
        password="" if ours or not client else TICKET,
    )


TICKET = "the gate's word"
__all__ = ["LOGON", "EngineSession", "SimEngine", "fields_of", "settings_of"]
