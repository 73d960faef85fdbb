"""The real engine behind a real gate, and raw FIX clients; polled by whoever waits."""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from fix_sessions.engine import Engine
from fix_sessions.gate_config import GateConfig, GateTls
from fix_sessions.gate_events import GateEvent, GateEventKind
from fix_sessions.gate_process import GateProcess
from fix_sessions.handover import Handover
from fix_sessions.settings import SessionSpec
from fix_sessions.tls_files import ServerFiles
from fix_sessions.wire import Frame, FrameReader, fields_of, first, frame, utc_timestamp_ms
from tests.integration.gate_rig import (
    LOCALHOST,
    PATIENCE_S,
    TICKET,
    client_of,
    logon_fields,
)

_numbers = itertools.count(1)
INBOUND, OUTBOUND = 600, 500


class Handler:
    """Notes what the engine tells, and welcomes the ticket only."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.logons: list[tuple[str, list[tuple[int, str]]]] = []
        self.refusal: str | None = None
        self.on_text: Callable[[str, str], None] | None = None

    def has_logged_on(self) -> bool:
        return "logon" in [what for _, what in self.told]

    def resets(self) -> int:
        return [what for _, what in self.told].count("reset")

    def on_message(self, session_id: str, text: str) -> None:
        self.told.append((session_id, text))
        if self.on_text is not None:
            self.on_text(session_id, text)

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
        return self.refusal if first(fields, 554) == TICKET else "no ticket"


class Site:
    """The engine, polled by whoever waits, behind a gate."""

    def __init__(
        self,
        store: Path,
        *,
        sessions: int = 1,
        hands_over: bool = False,
        tls: GateTls | None = None,
    ) -> None:
        # QuickFIX knows its sessions by their comp ids for as long as the process lives.
        self.comp_ids = [f"C{next(_numbers)}" for _ in range(sessions)]
        self.comp_id = self.comp_ids[0]
        self.handler = Handler()
        specs = [
            SessionSpec(
                session_id=name,
                role="acceptor",
                sender_comp_id="PLUMB",
                target_comp_id=name,
                port=0,
            )
            for name in self.comp_ids
        ]
        self.store = store
        self.engine = Engine(specs, store_dir=store, handler=self.handler)
        for name in self.comp_ids:
            self.engine.set_expected_inbound(name, INBOUND)
            self.engine.set_next_outbound(name, OUTBOUND)
        self.engine.start()
        self.config = GateConfig(
            host=LOCALHOST,
            port=0,
            engine_host=LOCALHOST,
            engine_port=self.engine.acceptor_port,
            ticket=TICKET,
            clients=tuple(
                replace(client_of(name, allow_reset=True), session_id=name)
                for name in self.comp_ids
            ),
            tls=tls,
        )
        self.events: list[GateEvent] = []
        self.handover: Handover | None = None
        self._hands_over = hands_over
        self.start_gate()

    def start_gate(self) -> None:
        """The first one, or one in the place of one that has ended."""
        if self.handover is not None:
            self.handover.close()
        self.gate = GateProcess(self.config, hands_over=self._hands_over)
        self.port = self.gate.start()
        if self.gate.channel is not None:
            self.handover = Handover(self.gate.channel, self.engine)

    def close(self) -> None:
        self.gate.stop()
        if self.handover is not None:
            self.handover.close()
        self.engine.close()

    def numbers(self) -> tuple[int, int]:
        """Expected, and next to send, of the first session."""
        return self.engine.expected_inbound(self.comp_id), self.engine.next_outbound(self.comp_id)

    def hear_gate(self) -> list[GateEvent]:
        """All events so far."""
        self.events += self.gate.read_events()
        return self.events

    def wait_for_handover(self, *comp_ids: str) -> None:
        names = set(comp_ids or self.comp_ids[:1])
        self.wait_until(lambda: names <= set(self.engine.taken_over.session_ids), "the hand-over")

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"not in time: {what}"
            self.engine.poll(0.01)


class Caller:
    """A raw FIX client that lets the engine work while it waits."""

    def __init__(self, site: Site, comp_id: str = "") -> None:
        self.comp_id = comp_id or site.comp_id
        self.next_out = INBOUND
        self._site = site
        self._reader = FrameReader()
        self._frames: list[Frame] = []
        self.is_closed = False
        self.sock = socket.create_connection((LOCALHOST, site.port), timeout=PATIENCE_S)
        self.sock.setblocking(False)

    def send(self, fields: list[tuple[int, str]]) -> None:
        self.sock.sendall(framed(fields))

    def next_message(self, msg_type: str, *body: tuple[int, str]) -> bytes:
        """A message with the next number, not sent yet."""
        number, self.next_out = str(self.next_out), self.next_out + 1
        head = [(35, msg_type), (34, number), (49, self.comp_id), (52, ""), (56, "PLUMB")]
        return framed([*head, *body])

    def log_on(self, **changes: str) -> dict[int, str]:
        """Send the next Logon; the answer."""
        changes = {"t34": str(self.next_out)} | changes
        self.next_out = int(changes["t34"]) + 1
        self.send(logon_fields(self.comp_id, **changes))
        return dict(self.answer())

    def assert_answers(self, text: str) -> None:
        """Have the engine answer a TestRequest."""
        self.sock.sendall(self.next_message("1", (112, text)))
        answer = dict(self.answer())
        assert (answer[35], answer.get(112)) == ("0", text)

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


def framed(fields: list[tuple[int, str]]) -> bytes:
    """The message, its SendingTime (52) set to now."""
    now = utc_timestamp_ms(time.time_ns() // 1_000)
    return frame("FIX.4.4", [(tag, now if tag == 52 else value) for tag, value in fields])


def at_the_gate(files: ServerFiles) -> GateTls:
    return GateTls(host=LOCALHOST, port=0, files=files)


@contextlib.contextmanager
def caller(site: Site, comp_id: str = "") -> Iterator[Caller]:
    found = Caller(site, comp_id)
    with found.sock:
        yield found


def handed_over(site: Site, client: Caller) -> None:
    assert client.log_on()[35] == "A"
    site.wait_for_handover(client.comp_id)


def reports_to(client: Caller, count: int) -> list[dict[int, str]]:
    found: list[dict[int, str]] = []
    while len(found) < count:
        answer = dict(client.answer())
        if answer[35] == "8":
            found.append(answer)
    return found


def disconnections(site: Site) -> list[str]:
    return [
        str(event.cause) for event in site.hear_gate() if event.kind is GateEventKind.DISCONNECTED
    ]
