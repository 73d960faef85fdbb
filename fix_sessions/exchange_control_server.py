"""The venue's control socket: newline-delimited JSON on loopback, read in the venue's own loop."""

import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any

from fix_sessions.engine import Engine, PortInUse

_READ_BYTES = 1 << 16
_MAX_LINE_BYTES = 1 << 16
_WRITE_TIMEOUT_S = 2.0


class ControlServer:
    """Collects requests while the engine polls; `serve` carries them out between two polls."""

    def __init__(self, engine: Engine, port: int) -> None:
        self._engine = engine
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise PortInUse(f"control port 127.0.0.1:{port}: {error.strerror}") from None
        self._listener.setblocking(False)
        self._buffers: dict[socket.socket, bytes] = {}
        self._requests: list[tuple[socket.socket, bytes]] = []
        engine.add_wakeup(self._listener.fileno(), self._accept)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def serve(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Answer every request that came in. `act` raises ValueError or KeyError to refuse one."""
        requests, self._requests = self._requests, []
        for client, line in requests:
            try:
                request = json.loads(line)
                if not isinstance(request, dict):
                    raise ValueError("a request is a JSON object")  # noqa: TRY004
                answer = act(request)
            except KeyError as error:
                answer = {"error": f"{error.args[0]}: missing"}
            except (ValueError, ArithmeticError) as error:
                answer = {"error": f"{error}"}
            self._answer(client, answer)

    def close(self) -> None:
        for client in list(self._buffers):
            self._drop(client)
        self._engine.remove_wakeup(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            self._buffers[client] = b""
            self._engine.add_wakeup(client.fileno(), lambda: self._read(client))

    def _read(self, client: socket.socket) -> None:
        try:
            data = client.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, rest = (self._buffers[client] + data).split(b"\n")
        if not data or len(rest) > _MAX_LINE_BYTES:
            self._drop(client)
            return
        self._buffers[client] = rest
        self._requests.extend((client, line) for line in lines if line.strip())

    def _answer(self, client: socket.socket, answer: dict[str, Any]) -> None:
        if client not in self._buffers:
            return
        try:
            client.settimeout(_WRITE_TIMEOUT_S)
            client.sendall(json.dumps(answer).encode() + b"\n")
            client.setblocking(False)
        except OSError:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        del self._buffers[client]
        self._engine.remove_wakeup(client.fileno())
        client.close()
