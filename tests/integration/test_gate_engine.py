"""The gate in front of the real engine: what a refused Logon may and may not change there."""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix_sessions.engine import Engine
from fix_sessions.gate_config import GateConfig
from fix_sessions.gate_process import GateProcess
from fix_sessions.settings import SessionSpec
from fix_sessions.wire import Frame, FrameReader, fields_of, first, frame, utc_timestamp_ms
from tests.integration.gate_rig import (
    LOCALHOST,
    PASSWORD,
    PATIENCE_S,
    TICKET,
    client_of,
    logon_fields,
)

SESSION = "orders"
_numbers = itertools.count(1)
INBOUND, OUTBOUND = 600, 500


class Handler:
    """Notes what the engine tells, and welcomes the ticket only."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.logons: list[tuple[str, list[tuple[int, str]]]] = []

    def has_logged_on(self) -> bool:
        return "logon" in [what for _, what in self.told]

    def resets(self) -> int:
        return [what for _, what in self.told].count("reset")

    def on_message(self, session_id: str, text: str) -> None:
        self.told.append((session_id, text))

    def on_logon(self, session_id: str) -> None:
        self.told.append((session_id, "logon"))

    def on_logout(self, session_id: str, reason: str) -> None:
        self.told.append((session_id, reason))

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:  # noqa: ARG002
        self.told.append((session_id, "reset"))

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        self.told.append((session_id, f"sent {msg_seq_num} {text}"))

    def check_logon(self, session_id: str, fields: list[tuple[int, str]]) -> str | None:
        self.logons.append((session_id, fields))
        return None if first(fields, 554) == TICKET else "no ticket"


class Site:
    """The engine, polled by whoever waits, behind a gate."""

    def __init__(self, store: Path) -> None:
        # QuickFIX knows its sessions by their comp ids for as long as the process lives.
        self.comp_id = f"C{next(_numbers)}"
        self.handler = Handler()
        spec = SessionSpec(
            session_id=SESSION,
            role="acceptor",
            sender_comp_id="PLUMB",
            target_comp_id=self.comp_id,
            port=0,
        )
        self.store = store
        self.engine = Engine([spec], store_dir=store, handler=self.handler)
        self.engine.set_expected_inbound(SESSION, INBOUND)
        self.engine.set_next_outbound(SESSION, OUTBOUND)
        self.engine.start()
        self.gate = GateProcess(
            GateConfig(
                host=LOCALHOST,
                port=0,
                engine_host=LOCALHOST,
                engine_port=self.engine.acceptor_port,
                ticket=TICKET,
                clients=(client_of(self.comp_id, allow_reset=True),),
            )
        )
        self.port = self.gate.start()

    def close(self) -> None:
        self.gate.stop()
        self.engine.close()

    def numbers(self) -> tuple[int, int]:
        return self.engine.expected_inbound(SESSION), self.engine.next_outbound(SESSION)

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"not in time: {what}"
            self.engine.poll(0.01)


class Caller:
    """A raw FIX client that lets the engine work while it waits."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._reader = FrameReader()
        self._frames: list[Frame] = []
        self.is_closed = False
        self.sock = socket.create_connection((LOCALHOST, site.port), timeout=PATIENCE_S)
        self.sock.setblocking(False)

    def send(self, fields: list[tuple[int, str]]) -> None:
        now = utc_timestamp_ms(time.time_ns() // 1_000)
        stamped = [(tag, now if tag == 52 else value) for tag, value in fields]
        self.sock.sendall(frame("FIX.4.4", stamped))

    def answer(self) -> list[tuple[int, str]]:
        """The next message."""
        self._site.wait_until(lambda: self._read() or self.is_closed, "an answer")
        assert self._frames, "closed without an answer"
        return fields_of(self._frames.pop(0).text)

    def wait_for_close(self) -> None:
        self._site.wait_until(lambda: not self._read() and self.is_closed, "the close")

    def _read(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            try:
                data = self.sock.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            self.is_closed = self.is_closed or not data
            self._frames += self._reader.feed(data)
        return bool(self._frames)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path)
    try:
        yield found
    finally:
        found.close()


@contextlib.contextmanager
def caller(site: Site) -> Iterator[Caller]:
    found = Caller(site)
    with found.sock:
        yield found


def test_a_reset_with_a_wrong_password_resets_nothing(site: Site) -> None:
    with caller(site) as stranger:
        stranger.send(logon_fields(site.comp_id, t554="wrong", t141="Y"))
        answer = dict(stranger.answer())
        assert answer[35] == "5"
        assert answer[58].startswith("Logon refused: Username (553) and Password (554)")
        stranger.wait_for_close()
    assert site.handler.resets() == 0
    assert not site.handler.has_logged_on()
    # MsgSeqNum too low is what the engine finds first; either way its Logout took one number.
    assert answer[34] == str(OUTBOUND)
    assert site.numbers() == (INBOUND, OUTBOUND + 1)


def test_the_numbers_of_a_refused_client_stay_in_step(site: Site) -> None:
    for attempt in range(3):
        with caller(site) as stranger:
            stranger.send(logon_fields(site.comp_id, t554="wrong", t34=str(INBOUND + attempt)))
            answer = dict(stranger.answer())
            assert (answer[35], answer[34]) == ("5", str(OUTBOUND + attempt))
            stranger.wait_for_close()
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        answer = dict(client.answer())
        assert (answer[35], answer[34]) == ("A", str(OUTBOUND + 3)), "not the next number"
        site.wait_until(site.handler.has_logged_on, "the logon")


def test_an_admitted_client_talks_with_the_engine(site: Site) -> None:
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        assert dict(client.answer())[35] == "A"
        head = [(35, "1"), (34, str(INBOUND + 1)), (49, site.comp_id), (52, ""), (56, "PLUMB")]
        client.send([*head, (112, "are you there")])
        answer = dict(client.answer())
        assert (answer[35], answer[112]) == ("0", "are you there")


def test_a_client_that_may_reset_does(site: Site) -> None:
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t141="Y"))
        answer = dict(client.answer())
        assert (answer[35], answer[34], answer[141]) == ("A", "1", "Y")
    assert site.handler.resets() == 1


def test_the_password_is_nowhere_behind_the_gate(site: Site) -> None:
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        assert dict(client.answer())[35] == "A"
    written = [path.read_bytes() for path in site.store.rglob("*") if path.is_file()]
    assert written
    assert not [data for data in written if PASSWORD.encode() in data]
    assert PASSWORD not in repr(site.handler.logons)


def test_a_logon_behind_the_gates_back_is_refused(site: Site) -> None:
    with caller(site) as local:
        direct = socket.create_connection((LOCALHOST, site.engine.acceptor_port), PATIENCE_S)
        direct.setblocking(False)
        local.sock.close()
        local.sock = direct
        local.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        answer = dict(local.answer())
        assert (answer[35], answer[58]) == ("5", "Rejected Logon Attempt: no ticket")
        local.wait_for_close()
    assert not site.handler.has_logged_on()
