"""The process of a core's FIX sessions: QuickFIX works here, the core decides beside it.

Both keep one processor busy each, where together they would take turns. What is received is read
here and goes to the core as commands, what is to be sent comes whole and committed. This process
ends with the core, and any fault here ends it, which ends the core: both recover by the journal.
"""

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from fix_sessions.change_under_way import ChangeUnderWay
from fix_sessions.engine import Engine
from fix_sessions.faults import EngineFault
from fix_sessions.fix_link import FixLink
from fix_sessions.fix_process_config import FixProcessConfig
from fix_sessions.frames import Kind
from fix_sessions.gate_config import GateClient
from fix_sessions.gate_keeper import GateKeeper
from fix_sessions.reading import Reading, parties_from_json
from fix_sessions.session_change import SessionChange, change_from_json

_POLL_S: Final = 0.25
# After so long without a turn the core may have lost the lead; see oms.runtime.journal_line.
_AWAY_S: Final = 1.0
_LAST_WORD_S: Final = 1.0
_MS_PER_SECOND: Final = 1_000


class Housekeeping(Protocol):
    """What is done between two turns."""

    def look(self, *, quiet: bool) -> None:
        """quiet: nothing waits."""


class FixProcess:
    """The engine, its gate, and the link to the core, which says what they do."""

    def __init__(self, sock: socket.socket, config: FixProcessConfig, reading: Reading) -> None:
        """sock: to the core. Creating it makes the sessions; none is open before START."""
        self._reading = reading
        self._link = FixLink(sock, config.sessions, config.ticket, reading)
        self._names = [spec.session_id for spec in config.sessions]
        self._engine = Engine(
            config.sessions,
            store_dir=config.store_dir,
            handler=self._link,
            resend_source=self._link.sent_before,
        )
        self._link.cause_of = self._engine.logout_cause
        self._engine.watch_resends(self._on_resend_request)
        self._engine.add_wakeup(sock.fileno(), self._take)
        self._engine.before_work = self._look_for_doubt
        self._engine.stay_awake(config.awake_s)
        self._gate_config = config.gate
        self._gate: GateKeeper | None = None
        self._rejects_told = 0
        self._is_started = False
        self._change: ChangeUnderWay | None = None
        self._present_at = time.monotonic()
        # Set once the core has said STOP.
        self._stop_within_s: float | None = None

    def run(self, housekeeping: Housekeeping) -> None:
        """Until CoreGone, which it raises, like EngineFault, PortInUse and GateError.

        After STOP too: what becomes durable only then is numbered and kept for who asks for it.
        """
        engine, link = self._engine, self._link
        numbers = [(engine.expected_inbound(one), engine.next_outbound(one)) for one in self._names]
        link.tell(Kind.MADE, text=json.dumps(numbers))
        while not self._is_started:
            link.flush()
            link.wait()
            self._obey_all()
        link.flush()
        while True:
            if not link.behind:
                engine.poll(_POLL_S)
            else:
                # Counterparties wait on their connections, but for heartbeats.
                link.wait()
                if not link.full:
                    engine.tick()
            self._obey_all()
            self._log_out()
            self._go_on_changing()
            self._tell_rejects()
            housekeeping.look(quiet=link.quiet)
            engine.busy = link.end_turn()
            link.look_at_core()

    def close(self) -> None:
        """End the gate and all connections, and what was begun to be told."""
        self._link.end(_LAST_WORD_S)
        if self._gate is not None:
            self._gate.stop()
        self._engine.close()

    def _start(self) -> None:
        self._is_started = True
        self._engine.start()
        if self._gate_config is not None:
            config = replace(self._gate_config, engine_port=self._engine.acceptor_port)
            self._gate = GateKeeper(config, self._engine, self._on_refusal)
            self._gate.start()
        self._link.tell(Kind.STARTED)
        self._present_at = time.monotonic()

    def _log_out(self) -> None:
        if self._stop_within_s is not None:
            limit_s, self._stop_within_s = self._stop_within_s, None
            self._link.tell(Kind.STOPPED, number=int(self._engine.stop(limit_s)))

    def _take(self) -> None:
        self._link.read()
        self._obey_all()

    def _obey_all(self) -> None:
        frames, names, engine = self._link.frames, self._names, self._engine
        while frames:
            self._look_for_doubt()
            kind, session, number, content = frames.popleft()
            text = content.decode()
            if kind == Kind.SEND:
                engine.send_text(names[session], text, groups=bool(number))
            else:
                self._obey(kind, names[session] if names else "", number, text)

    def _obey(self, kind: int, session_id: str, number: int, text: str) -> None:
        engine = self._engine
        match kind:
            case Kind.EXPECT_INBOUND:
                engine.set_expected_inbound(session_id, number)
            case Kind.NUMBER_OUTBOUND:
                engine.set_next_outbound(session_id, number)
            case Kind.LOGON:
                engine.logon(session_id)
            case Kind.LOGOUT:
                engine.logout(session_id, text, answers=bool(number))
            case Kind.RESET:
                self._reset(session_id, text)
            case Kind.DISCONNECT:
                if engine.is_logged_on(session_id):
                    engine.disconnect(session_id)
            case Kind.PARTIES:
                self._reading.take_in(*parties_from_json(text))
            case Kind.NEW_EPOCH:
                self._reading.reset(session_id)
            case Kind.CHANGE:
                self._begin_change(change_from_json(text))
            case Kind.START:
                self._start()
            case Kind.STOP:
                self._stop_within_s = number / _MS_PER_SECOND
            case _:
                raise EngineFault(f"the core sent a frame of kind {kind}")

    def _begin_change(self, change: SessionChange) -> None:
        if self._change is not None:
            raise EngineFault("the core changes sessions while it changes sessions")
        self._link.know(change.made)
        known = set(self._names)
        self._names += [one.session_id for one in change.made if one.session_id not in known]
        self._change = ChangeUnderWay(self._engine, change)

    def _go_on_changing(self) -> None:
        if self._change is None:
            return
        numbers = self._change.advance(self._admit)
        if numbers is not None:
            self._change = None
            self._link.tell(Kind.CHANGED, text=numbers)

    def _admit(self, clients: Sequence[GateClient]) -> None:
        if self._gate is not None:
            self._gate.let_in(clients)

    def _reset(self, session_id: str, text: str) -> None:
        """New numbers both ways, for a session that is logged out."""
        self._engine.logout(session_id, text)
        # It may have come up meanwhile: its end is journaled, and asks for this again.
        if not self._engine.is_logged_on(session_id):
            self._engine.reset(session_id)
            self._link.on_sequence_reset(session_id, 1)

    def _look_for_doubt(self) -> None:
        """Who was frozen sends nothing before the core has said that it leads still."""
        now = time.monotonic()
        away, self._present_at = now - self._present_at, now
        if away >= _AWAY_S:
            self._link.tell(Kind.DOUBT)
            self._link.answer()
            self._present_at = time.monotonic()

    def _on_resend_request(self, session_id: str, by_us: bool, begin: int, end: int) -> None:
        highest = 0 if by_us else self._engine.next_outbound(session_id) - 1
        text = json.dumps([by_us, begin, end, highest])
        self._link.tell(Kind.RESEND, session_id, text=text)

    def _on_refusal(self, reason: str, count: int) -> None:
        self._link.tell(Kind.REFUSED, number=count, text=reason)

    def _tell_rejects(self) -> None:
        if self._engine.rejects_sent != self._rejects_told:
            self._rejects_told = self._engine.rejects_sent
            self._link.tell(Kind.REJECTS, number=self._rejects_told)
