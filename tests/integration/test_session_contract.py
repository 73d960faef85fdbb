"""QuickFIX over a real socket keeps the contract that the simulator's session model is held to."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.wire import FrameReader, fields_of, first
from tests.contract.session_contract import SessionContract, Told
from tests.support.fix_engine import EngineHub, Recorder, accepting


class Owner(Recorder):
    """A recorder that tells in order."""

    def on_message(self, session_id: str, text: str) -> None:
        del session_id
        self.calls.append(("message", first(fields_of(text), 148) or ""))

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        super().on_sequence_reset(session_id, next_inbound)
        self.calls[-1] = ("reset", str(next_inbound))


class SocketRig:
    """An engine, and a socket that knows nothing of FIX."""

    def __init__(self, hub: EngineHub) -> None:
        hub.recorder = Owner()
        self._hub = hub
        self._engine = hub.run(accepting())
        self._engine.watch_resends(self._asked)
        self._socket: socket.socket | None = None
        self._reader = FrameReader(1 << 20)
        self._open = False

    def _asked(self, _: str, by_us: bool, begin: int, __: int) -> None:
        if by_us:
            self._hub.recorder.calls.append(("asked", str(begin)))

    def connect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._hub.until(lambda: not self._engine.is_logged_on("ALPHA"))
        self._socket = socket.create_connection(("127.0.0.1", self._engine.acceptor_port))
        self._socket.setblocking(False)
        self._reader = FrameReader(1 << 20)
        self._open = True
        self._hub.serve_for(0.05)

    def send(self, data: bytes) -> None:
        assert self._socket is not None
        with contextlib.suppress(OSError):
            self._socket.sendall(data)
        self._hub.serve_for(0.05)

    def received(self) -> list[bytes]:
        assert self._socket is not None
        self._hub.serve_for(0.2)
        data = b""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while self._open:
                piece = self._socket.recv(1 << 16)
                self._open = bool(piece)
                data += piece
        return [one.raw for one in self._reader.feed(data)]

    def connected(self) -> bool:
        return self._open

    def say(self, text: str) -> None:
        self._engine.send("ALPHA", "B", [(148, text), (33, "1"), (58, "text")])
        self._hub.serve_for(0.05)

    def told(self) -> list[Told]:
        told = []
        for call in self._hub.recorder.calls:
            match call:
                case ("logon" | "logout", *_):
                    told.append(call[:1])
                case ("check", *_):
                    pass
                case _:
                    told.append(call)
        self._hub.recorder.calls = []
        return told


class TestQuickfix(SessionContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> Iterator[SocketRig]:
        with EngineHub(tmp_path, texts_in_store=False) as hub:
            yield SocketRig(hub)
