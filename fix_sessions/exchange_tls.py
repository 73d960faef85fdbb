"""A simulated venue's port with TLS, in front of the one that it has on loopback then."""

import asyncio
import socket
import ssl
import threading
from typing import Any, Final

import structlog

from fix_sessions.faults import PortInUse
from fix_sessions.tls_faults import fault_of
from fix_sessions.tls_files import ServerFiles, server_context

_LOOPBACK: Final = "127.0.0.1"
_READ_BYTES: Final = 1 << 16
_HANDSHAKE_S: Final = 10.0
_log = structlog.get_logger(__name__)


class TlsFront:
    """Passes on what comes by TLS, by a thread of its own, until `close`."""

    def __init__(self, place: tuple[str, int], files: ServerFiles, plain_port: int) -> None:
        """place: host and port, 0 for a free one. Raises PortInUse, and TlsFileError."""
        self._plain_port = plain_port
        self._context = server_context(files)
        try:
            self._listener = socket.create_server(place)
        except OSError as error:
            raise PortInUse(f"port {place[1]} of {place[0]}: {error.strerror}") from None
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_failed)
        self._thread = threading.Thread(target=self._run, name="tls", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all connections and stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = asyncio.start_server(
            self._serve,
            sock=self._listener,
            ssl=self._context,
            ssl_handshake_timeout=_HANDSHAKE_S,
        )
        self._loop.run_until_complete(server)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
        self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inward = await asyncio.open_connection(_LOOPBACK, self._plain_port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pass_on(reader, inward[1]), _pass_on(inward[0], writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One way, to its end: what ends one ends the other."""
    try:
        while data := await reader.read(_READ_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Who does not get through the handshake."""
    error = context.get("exception")
    if isinstance(error, ssl.SSLError | OSError):
        fault, detail = fault_of(error)
        _log.warning("exchange.tls_refused", reason=fault.value, detail=detail)
    else:
        _log.warning("exchange.tls_refused", reason="fault", detail=str(context.get("message")))
