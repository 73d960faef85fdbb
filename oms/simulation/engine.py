"""The FIX engine of a simulated core: QuickFIX's place, taken by the session model.

It offers what the edge uses of fix_sessions.remote_engine.RemoteEngine, and calls back as that
does. The session layer itself is fix_sessions.light_session, which a contract suite holds against
QuickFIX.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from fix_sessions.light_session import LOGON, Fields, LightSession, LightSettings, Message
from fix_sessions.reading import Reading
from fix_sessions.registry import Counterparty
from fix_sessions.remote_engine import RemoteHandler
from fix_sessions.wire import fields_of
from oms.domain.session_commands import LogoutCause
from oms.simulation.agenda import Action, Agenda
from oms.simulation.line import Line
from oms.simulation.versions import LOGON_FIELDS
from oms.store.codec import pack

Numbers = dict[str, tuple[int, int]]
Done = Callable[[Numbers], None]
# As QuickFIX's, and a little more.
LOGOUT_LIMIT_US = 8_000_000
_RESEND_REQUEST, _REJECT = "2", "3"
_POSS_RESEND = 97
_SESSION_LEVEL = frozenset({"0", "1", "2", "4", "5", "A"})


class Teller:
    """A RemoteHandler that tells the real one over the line."""

    def __init__(self, handler: RemoteHandler, line: Line, reading: Reading) -> None:
        self._handler = handler
        self._line = line
        self._reading = reading

    def on_command(self, session_id: str, number: int, packed: bytes) -> None:
        self._line.send(partial(self._handler.on_command, session_id, number, packed))

    def on_logon(self, session_id: str) -> None:
        self._line.send(partial(self._handler.on_logon, session_id))

    def on_logout(self, session_id: str, reason: str, cause: LogoutCause) -> None:
        self._line.send(partial(self._handler.on_logout, session_id, reason, cause))

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        self._reading.reset(session_id)
        self._line.send(partial(self._handler.on_sequence_reset, session_id, next_inbound))

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        self._line.send(partial(self._handler.on_sent, session_id, msg_seq_num, text))

    def on_resend_request(
        self, session_id: str, *, by_us: bool, begin: int, end: int, highest: int
    ) -> None:
        tell = partial(
            self._handler.on_resend_request,
            session_id,
            by_us=by_us,
            begin=begin,
            end=end,
            highest=highest,
        )
        self._line.send(tell)

    def sent_before(self, session_id: str, first: int, last: int) -> Iterable[tuple[int, str]]:
        """The FIX process waits for the answer, which comes behind all that it has told."""
        self._line.catch_up()
        return self._handler.sent_before(session_id, first, last)


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

    def cut(self, reason: str) -> None:
        """Wait for no answer to the Logout."""
        self._close(reason)

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
        if self.logged_on:
            # One connection carries one Logon; see fix_sessions.application.
            self._refuse("this session is logged on already")
            return False
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
    """What the core sees of its FIX process, and that process: both act a moment after each other.

    The edge uses it as it uses fix_sessions.remote_engine.RemoteEngine.
    """

    def __init__(
        self,
        settings: dict[str, LightSettings],
        agenda: Agenda,
        randomness: random.Random,
        handler: RemoteHandler,
        *,
        slow_us: int,
        into_core: Callable[[Action], None],
        flush: Callable[[str], None],
        versions: Mapping[str, str],
        stored: Numbers,
    ) -> None:
        """into_core: does something in the core's process; flush: writes what a session has.
        versions, stored: for sessions that are made later, their BeginString (8) and what the files
        of this machine hold.
        """
        self._agenda = agenda
        self._versions = versions
        self._stored = stored
        self._ended = False
        self.there = Line(agenda, randomness, slow_us, lambda action: action())
        self._back = Line(agenda, randomness, slow_us, into_core)
        self._reading = Reading(pack, agenda.now)
        teller = Teller(handler, self._back, self._reading)
        self.sessions = {
            name: EngineSession(name, one, agenda.now, teller) for name, one in settings.items()
        }
        self._teller = teller
        # Told of a reset of ours: the other side agreed to it by telephone.
        self.on_reset: Callable[[str], None] = lambda _: None
        self._flush = flush

    def numbers(self) -> Numbers:
        """What its store holds: next out and next in by session."""
        return {name: (one.next_out, one.next_in) for name, one in self.sessions.items()}

    def load(self, numbers: Numbers) -> None:
        """Go on with these, as far as they are of sessions that there are."""
        for name in numbers.keys() & self.sessions.keys():
            next_out, next_in = numbers[name]
            self.sessions[name].next_out, self.sessions[name].next_in = next_out, next_in

    def end(self, obeyed: int) -> None:
        """The core is gone. The process beside it has obeyed so much more when it notices."""
        self._ended = True
        self._back.end()
        self.there.end(obeyed)

    # In the FIX process

    def receive(self, session_id: str, data: bytes) -> None:
        """The bytes of one frame came in."""
        session = self.sessions[session_id]
        for message in session.receive(data):
            if message.msg_type not in _SESSION_LEVEL:
                text = message.raw.decode("latin-1")
                for number, packed in self._reading.read(session_id, text):
                    self._teller.on_command(session_id, number, packed)
        self._flush(session_id)

    def _send(self, session_id: str, msg_type: str, pieces: Sequence[str]) -> None:
        session = self.sessions[session_id]
        fields = [(int(tag), value) for tag, _, value in (one.partition("=") for one in pieces)]
        body = [one for one in fields if one[1] and one[0] != _POSS_RESEND]
        header = [one for one in fields if one[0] == _POSS_RESEND]
        data = session.prepare(msg_type, body, header)
        self._teller.on_sent(session_id, session.next_out - 1, data.decode("latin-1"))
        if session.logged_on:
            session.write(data)
            self._flush(session_id)

    def _logout(self, session_id: str, reason: str) -> None:
        self.sessions[session_id].leave(reason)
        self._flush(session_id)

    def _logon(self, session_id: str) -> None:
        self.sessions[session_id].enabled = True

    def _reset(self, session_id: str, reason: str) -> None:
        self._logout(session_id, reason)
        session = self.sessions[session_id]
        # It may have come up meanwhile: its end is journaled, and asks for this again.
        if not session.logged_on:
            session.next_in = session.next_out = 1
            self.on_reset(session_id)
            self._teller.on_sequence_reset(session_id, 1)

    def _begin_change(self, closed: dict[str, str], made: dict[str, bool], done: Done) -> None:
        for name, text in closed.items():
            if name in self.sessions:
                self._logout(name, text)
        self._go_on_changing(list(closed), made, done, self._agenda.now_us + LOGOUT_LIMIT_US)

    def _go_on_changing(
        self, closed: list[str], made: dict[str, bool], done: Done, give_up_us: int
    ) -> None:
        """See fix_sessions.change_under_way."""
        if self._ended:
            return
        up = [one for one in closed if one in self.sessions and self.sessions[one].logged_on]
        if up:
            for name in up if self._agenda.now_us >= give_up_us else ():
                self.sessions[name].cut("no answer to the Logout")
                self._flush(name)
            again = partial(self._go_on_changing, closed, made, done, give_up_us)
            self._agenda.after(20_000, again)
            return
        for name, client in made.items():
            if name not in self.sessions:
                self.sessions[name] = self._made(name, client=client)
        numbers = {one: (self.sessions[one].next_in, self.sessions[one].next_out) for one in made}
        self._back.send(partial(done, numbers))

    def _made(self, name: str, *, client: bool) -> EngineSession:
        """One that this process had not; its store holds what it was left with."""
        settings = settings_of(name, self._versions[name], client=client, ours=True)
        session = EngineSession(name, settings, self._agenda.now, self._teller)
        session.enabled = False
        session.next_out, session.next_in = self._stored.get(name, (1, 1))
        return session

    # What the edge and the core ask for

    def change(self, closed: dict[str, str], made: dict[str, bool], done: Done) -> None:
        """See fix_sessions.remote_engine.RemoteEngine. made: by name, whether it is a client's."""
        self.there.send(partial(self._begin_change, closed, made, done))

    def understand(self, parties: Sequence[Counterparty], epochs: Mapping[str, int]) -> None:
        """Before the sessions open, as all that is asked of numbers."""
        self._reading.take_in(parties, epochs)

    def new_epoch(self, session_id: str) -> None:
        """Before the sessions open."""
        self._reading.reset(session_id)

    def send_pieces(
        self,
        session_id: str,
        msg_type: str,
        pieces: Sequence[str],
        *,
        groups: bool = True,  # noqa: ARG002 - pieces keep their order here
    ) -> None:
        """See fix_sessions.remote_engine.RemoteEngine."""
        self.there.send(partial(self._send, session_id, msg_type, list(pieces)))

    def flush(self) -> None:
        """What was sent is on the line already."""

    def logout(self, session_id: str, reason: str, *, answers: bool = False) -> None:  # noqa: ARG002
        """Log out and stay so until `logon`."""
        self.there.send(partial(self._logout, session_id, reason))

    def logon(self, session_id: str) -> None:
        """Let it come back."""
        self.there.send(partial(self._logon, session_id))

    def reset(self, session_id: str, reason: str) -> None:
        """Log out, then both numbers to 1, unless it is up still."""
        self.there.send(partial(self._reset, session_id, reason))

    def expected_inbound(self, session_id: str) -> int:
        return self.sessions[session_id].next_in

    def set_expected_inbound(self, session_id: str, number: int) -> None:
        """In either direction; before the sessions open."""
        self.sessions[session_id].next_in = number

    def next_outbound(self, session_id: str) -> int:
        return self.sessions[session_id].next_out

    def set_next_outbound(self, session_id: str, number: int) -> None:
        """Only ever up; before the sessions open."""
        assert number >= self.sessions[session_id].next_out
        self.sessions[session_id].next_out = number


def settings_of(name: str, version: str, *, client: bool, ours: bool) -> LightSettings:
    """One side of a session between the server and a party."""
    sender, target = ("OMS", name) if ours else (name, "OMS")
    return LightSettings(
        sender_comp_id=sender,
        target_comp_id=target,
        begin_string=version,
        logon_fields=LOGON_FIELDS.get(version, ()),
        heartbeat_s=10,
        # Clients begin, and we begin with venues.
        initiates=client is not ours,
        username="" if ours or not client else name,
        password="" if ours or not client else TICKET,
    )


TICKET = "the gate's word"
__all__ = ["LOGON", "EngineSession", "SimEngine", "fields_of", "settings_of"]
