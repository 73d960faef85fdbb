"""TLS between a TCP transport and a protocol: the server's side, on Python's ssl.MemoryBIO.

The event loop has such a thing too, but it closes a connection whose handshake fails before the
alert has left that tells the other side why.
"""

import asyncio
import contextlib
import ssl
from typing import Any, Final

_READ_BYTES: Final = 1 << 18


class TlsTransport(asyncio.Transport):
    """What a protocol sees of a connection with TLS, before and after its handshake.

    Flow control is the TCP transport's: nothing is kept here but what is not yet a whole record.
    """

    def __init__(self, tcp: asyncio.Transport, context: ssl.SSLContext) -> None:
        super().__init__()
        self._tcp = tcp
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._protocol: asyncio.BaseProtocol | None = None
        self._undelivered = b""
        self._is_paused = False
        self._has_said_farewell = False

    # From the network

    def shake_hands(self, data: bytes) -> bool:
        """Take what came; whether the handshake is done. Raises ssl.SSLError; the alert is sent."""
        self._incoming.write(data)
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        return True

    def received(self, data: bytes) -> None:
        """Take what came after the handshake, and give the protocol what it says."""
        if self._has_said_farewell:
            return
        self._incoming.write(data)
        pieces = [self._undelivered]
        has_ended = False
        try:
            while piece := self._ssl.read(_READ_BYTES):
                pieces.append(piece)
            has_ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # the other side's farewell
            has_ended = True
        except ssl.SSLError:
            self._flush()
            self.abort()
            return
        self._flush()
        self._undelivered = b"".join(pieces)
        self._deliver()
        if has_ended:
            self.close()

    def _deliver(self) -> None:
        if self._is_paused or not self._undelivered or self.is_closing():
            return
        data, self._undelivered = self._undelivered, b""
        protocol = self._protocol
        assert isinstance(protocol, asyncio.Protocol)
        protocol.data_received(data)

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data and not self._tcp.is_closing():
            self._tcp.write(data)

    # From the protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_closing() or self._has_said_farewell:
            return
        view = memoryview(data)
        while view:
            view = view[self._ssl.write(view) :]
        self._flush()

    def write_eof(self) -> None:
        """Say farewell and end our direction; what the other side still says is not read."""
        if self.is_closing() or self._has_said_farewell:
            return
        self._has_said_farewell = True
        with contextlib.suppress(ssl.SSLError):  # it waits for the other side's, which we do not
            self._ssl.unwrap()
        self._flush()
        self._tcp.write_eof()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.write_eof()
        self._tcp.close()

    def abort(self) -> None:
        self._tcp.abort()

    def is_closing(self) -> bool:
        return self._tcp.is_closing()

    def pause_reading(self) -> None:
        self._is_paused = True
        self._tcp.pause_reading()

    def resume_reading(self) -> None:
        self._is_paused = False
        if self.is_closing():
            return
        self._tcp.resume_reading()
        if self._undelivered:  # as a TCP transport does: not before the caller is done
            asyncio.get_running_loop().call_soon(self._deliver)

    def is_reading(self) -> bool:
        return not self._is_paused

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._tcp.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._tcp.get_write_buffer_size()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._ssl if name == "ssl_object" else self._tcp.get_extra_info(name, default)
