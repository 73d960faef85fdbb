"""A gate process between test clients and an engine that records and answers."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from argon2 import PasswordHasher

from fix_sessions.gate_config import GateClient, GateConfig, GateLimits, GateTls
from fix_sessions.gate_events import GateEvent, GateEventKind, RefusalReason
from fix_sessions.gate_process import GateProcess
from fix_sessions.wire import fields_of, first, frame

TICKET = "t1cket0123456789abcdef"
PASSWORD = "correct horse"
ENGINE_LOGOUT_SEQ = "77"
PATIENCE_S = 20.0
SENDING_TIME = "20260102-03:04:05.678"
LOCALHOST = "127.0.0.1"

_cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD_HASH = _cheap.hash(PASSWORD)


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Poll; fails the test after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.005)


class EngineConnection:
    """One connection that the gate made to the engine."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = b""
        self.early = b""  # what came before the Logon was answered
        self.is_closed = False
        self.reads = threading.Event()  # cleared: the engine does not read
        self.reads.set()

    @property
    def logon(self) -> list[tuple[int, str]]:
        """The first frame's fields."""
        end = self.received.index(b"\x0110=") + len("|10=000|")
        return fields_of(self.received[:end].decode())

    @property
    def behind_logon(self) -> bytes:
        return self.received[self.received.index(b"\x0110=") + len("|10=000|") :]


class RecordingEngine:
    """Stands in for the FIX engine: welcomes a Logon with the ticket, refuses others, echoes.

    A connection's first read is taken for one whole Logon and nothing else, as QuickFIX takes it.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server((LOCALHOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[EngineConnection] = []
        self.echoes = True
        self.answers = True  # False: takes a Logon and says nothing
        self.may_answer = threading.Event()
        self.may_answer.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for connection in self.connections:
            connection.reads.set()
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                connection = EngineConnection(sock)
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: EngineConnection) -> None:
        with contextlib.suppress(OSError), connection.sock:
            connection.received += connection.sock.recv(1 << 16)
            if not self.answers:
                connection.sock.recv(1 << 16)
            elif first(connection.logon, 554) == TICKET:
                self.may_answer.wait(PATIENCE_S)
                with contextlib.suppress(BlockingIOError):
                    connection.early = connection.sock.recv(1 << 16, socket.MSG_DONTWAIT)
                connection.sock.sendall(reply_frame("A", "1", [(98, "0"), (108, "30")]))
                self._echo(connection)
            else:
                text = [(58, "no ticket"), (354, "3")]
                connection.sock.sendall(reply_frame("5", ENGINE_LOGOUT_SEQ, text))
        connection.is_closed = True

    def _echo(self, connection: EngineConnection) -> None:
        while connection.reads.wait() and (data := connection.sock.recv(1 << 16)):
            connection.received += data
            if self.echoes:
                connection.sock.sendall(data)


def reply_frame(msg_type: str, seq: str, more: Sequence[tuple[int, str]]) -> bytes:
    """A frame from the engine to session C1."""
    head = [(35, msg_type), (34, seq), (49, "PLUMB"), (52, SENDING_TIME), (56, "C1")]
    return frame("FIX.4.4", [*head, *more])


def logon_fields(sender: str = "C1", **changes: str | None) -> list[tuple[int, str]]:
    """A good Logon's fields; `t554="x"` sets a tag, None leaves it out."""
    fields = {
        35: "A",
        34: "1",
        49: sender,
        52: SENDING_TIME,
        56: "PLUMB",
        98: "0",
        108: "30",
        553: sender,
        554: PASSWORD,
    }
    for name, value in changes.items():
        if value is None:
            del fields[int(name[1:])]
        else:
            fields[int(name[1:])] = value
    return list(fields.items())


def logon(sender: str = "C1", **changes: str | None) -> bytes:
    return frame("FIX.4.4", logon_fields(sender, **changes))


def client_of(sender: str, *addresses: str, allow_reset: bool = False) -> GateClient:
    return GateClient(
        session_id=f"session-{sender}",
        begin_string="FIX.4.4",
        sender_comp_id=sender,
        target_comp_id="PLUMB",
        password_hash=PASSWORD_HASH,
        allowed_addresses=addresses or ("127.0.0.1/32",),
        allow_reset=allow_reset,
    )


class Rig:
    """A gate on a free port with its engine; it tells its events to `events`."""

    def __init__(self, config: GateConfig, engine: RecordingEngine) -> None:
        self.engine = engine
        self.process = GateProcess(config)
        self.port = self.process.start()
        self.events: list[GateEvent] = []

    def connect(self, source: str = LOCALHOST, *, timeout_s: float = PATIENCE_S) -> socket.socket:
        return socket.create_connection(
            (LOCALHOST, self.port), timeout=timeout_s, source_address=(source, 0)
        )

    def log_on(self, sender: str = "C1", **changes: str | None) -> socket.socket:
        """A client that is connected through to the engine."""
        sock = self.connect()
        sock.sendall(logon(sender, **changes))
        answer = read_frame(sock)
        assert b"\x0135=A\x01" in answer, answer
        return sock

    def wait_for(self, holds: Callable[[GateEvent], bool], what: str) -> GateEvent:
        """The first event that fits, past ones included."""

        def has_come() -> bool:
            self.events += self.process.read_events()
            return any(holds(event) for event in self.events)

        try:
            wait_until(has_come, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; events: {self.events}") from None
        return next(event for event in self.events if holds(event))

    def wait_for_refusal(self, reason: RefusalReason) -> GateEvent:
        return self.wait_for(
            lambda event: event.kind is GateEventKind.REFUSED and event.reason is reason,
            f"refusal {reason}",
        )

    def wait_for_kind(self, kind: GateEventKind) -> GateEvent:
        return self.wait_for(lambda event: event.kind is kind, f"event {kind}")


@contextlib.contextmanager
def running_gate(
    *clients: GateClient,
    limits: GateLimits | None = None,
    engine_port: int | None = None,
    answer_refusals: bool = True,
    tls: GateTls | None = None,
    plain: bool = True,
) -> Iterator[Rig]:
    """A rig with these clients, by default C1 and C2 from 127.0.0.1."""
    engine = RecordingEngine()
    config = GateConfig(
        host=LOCALHOST,
        port=0,
        engine_host=LOCALHOST,
        engine_port=engine_port or engine.port,
        ticket=TICKET,
        clients=clients or (client_of("C1"), client_of("C2")),
        limits=limits or GateLimits(),
        answer_refusals=answer_refusals,
        tls=tls,
        plain=plain,
    )
    rig = Rig(config, engine)
    try:
        yield rig
    finally:
        rig.process.stop()
        engine.close()


def limits_with(**changes: int) -> GateLimits:
    return replace(GateLimits(), **changes)


def read_frame(sock: socket.socket) -> bytes:
    """The next frame; the socket's timeout bounds the wait."""
    data = b""
    while not (data.endswith(b"\x01") and b"\x0110=" in data):
        piece = sock.recv(1)
        assert piece, f"closed after {data!r}"
        data += piece
    return data


def read_exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = sock.recv(min(size - len(data), 1 << 16))
        assert piece, f"closed after {len(data)} of {size} bytes"
        data += piece
    return bytes(data)


def read_to_end(sock: socket.socket) -> bytes:
    """All bytes until the other side closes, which a reset is too."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(1 << 16):
            data += piece
    return data


def assert_echoes(sock: socket.socket, number: int) -> None:
    """One round trip through gate and engine."""
    message = frame("FIX.4.4", [(35, "0"), (34, str(number)), (112, f"ping {number}")])
    sock.sendall(message)
    assert read_exactly(sock, len(message)) == message
