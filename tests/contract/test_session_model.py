"""The session model of the simulator keeps the same contract as QuickFIX."""

import random

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.registry import Counterparty
from fix_sessions.wire import FrameReader, fields_of, first, frame
from oms.domain.session_commands import LogoutCause
from oms.simulation.agenda import Agenda
from oms.simulation.engine import TICKET, SimEngine
from oms.store.codec import unpack
from tests.contract.session_contract import SessionContract, Told


class Owner:
    """A RemoteHandler that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.sent: dict[int, str] = {}

    def on_command(self, session_id: str, number: int, packed: bytes) -> None:
        del session_id
        text = unpack(number, packed).origin.raw
        self.told.append(("message", first(fields_of(text), 148) or ""))

    def on_logon(self, session_id: str) -> None:
        del session_id
        self.told.append(("logon",))

    def on_logout(self, session_id: str, reason: str, cause: LogoutCause) -> None:
        del session_id, reason, cause
        self.told.append(("logout",))

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        del session_id
        self.told.append(("reset", str(next_inbound)))

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        del session_id
        self.sent[msg_seq_num] = text

    def on_resend_request(
        self, session_id: str, *, by_us: bool, begin: int, end: int, highest: int
    ) -> None:
        del session_id, end, highest
        if by_us:
            self.told.append(("asked", str(begin)))

    def sent_before(self, session_id: str, begin: int, end: int) -> list[tuple[int, str]]:
        del session_id
        return [(one, text) for one, text in sorted(self.sent.items()) if begin <= one <= end]


class ModelRig:
    """The simulator's engine, with nothing between it and the script."""

    def __init__(self) -> None:
        self._agenda = Agenda()
        self._owner = Owner()
        self._reader = FrameReader(1 << 20)
        self._frames: list[bytes] = []
        settings = LightSettings(sender_comp_id="PLUMB", target_comp_id="ALPHA", initiates=False)
        self._engine = SimEngine(
            {"ALPHA": settings},
            self._agenda,
            random.Random(1),
            self._owner,
            slow_us=0,
            into_core=lambda action: action(),
            flush=self._flush,
            versions={},
            stored={},
        )
        party = Counterparty(session_id="ALPHA", name="ALPHA", role="client")
        self._engine.understand([party], {})
        self._session = self._engine.sessions["ALPHA"]
        self._open = False

    def _flush(self, _: str) -> None:
        data = self._session.take_outgoing()
        self._frames += [one.raw for one in self._reader.feed(data)]
        if self._session.closing:
            self._open = False
            self._session.disconnected(self._session.close_reason)

    def connect(self) -> None:
        self._session.disconnected("another connection")
        self._session.connected()
        self._open = True
        self._settle()

    def send(self, data: bytes) -> None:
        if self._open:
            self._engine.receive("ALPHA", with_ticket(data))
        self._settle()

    def _settle(self) -> None:
        while self._agenda.step():
            pass

    def received(self) -> list[bytes]:
        frames, self._frames = self._frames, []
        return frames

    def connected(self) -> bool:
        return self._open

    def say(self, text: str) -> None:
        self._engine.send_pieces("ALPHA", "B", [f"148={text}", "33=1", "58=text"])
        self._settle()

    def told(self) -> list[Told]:
        told, self._owner.told = self._owner.told, []
        return told


def with_ticket(data: bytes) -> bytes:
    """The model's Logons carry the gate's word, as they do in a core."""
    fields = fields_of(data.decode("latin-1"))
    if (35, "A") not in fields:
        return data
    return frame("FIX.4.4", [*(one for one in fields if one[0] not in {8, 9, 10}), (554, TICKET)])


class TestSessionModel(SessionContract):
    @pytest.fixture
    def rig(self) -> ModelRig:
        return ModelRig()
