"""The relay to venues: a process beside the core that speaks TLS where QuickFIX cannot.

A session's initiator connects to a loopback port of ours; for each such connection one with TLS is
made to the venue, its certificate and name verified. There is no way without TLS: where that fails,
the initiator's connection is closed, and it comes again.

Started by the core as `python -m fix_sessions.venue_relay CONFIG` with the listening sockets, so
that a relay in the place of another takes up what waits there and nobody else gets the port. One
JSON line for each event goes to standard output. It ends when standard input closes.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys
from functools import partial
from typing import Final, cast

import uvloop

from fix_sessions.descriptors import uid_of_peer
from fix_sessions.parent_watch import ParentWatch, until_stopped
from fix_sessions.tls_faults import fault_of
from fix_sessions.tls_files import Contexts, TlsFileError
from fix_sessions.venue_relay_config import (
    UNREACHABLE,
    RelayConfig,
    RelayEvent,
    RelayEventKind,
    VenueRoute,
    config_from_json,
    event_to_json,
)

EXIT_OK: Final = 0
EXIT_CONFIG: Final = 2

_MS_PER_SECOND: Final = 1_000
_NO_TIMEOUT_OF_ITS_OWN_S: Final = 3_600.0  # ours is shorter
_MAX_UNREAD_BYTES: Final = 4 << 20
_BACKLOG: Final = 16
_FAREWELL_S: Final = 0.02
_STDIN, _STDOUT = 0, 1


class Teller:
    """Event lines to the core. A failure like the last one of its session is told now and then."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, output: asyncio.WriteTransport, remind_s: float
    ) -> None:
        self._loop = loop
        self._output = output
        self._remind_s = remind_s
        self._failing: dict[str, tuple[str, int, float]] = {}  # reason, untold, when last told

    def tell(self, event: RelayEvent) -> None:
        """A core that does not read is not waited for."""
        unread = self._output.get_write_buffer_size() > _MAX_UNREAD_BYTES
        if not unread and not self._output.is_closing():
            self._output.write(event_to_json(event).encode() + b"\n")

    def connected(self, session_id: str, detail: str) -> None:
        self.tell(RelayEvent(kind=RelayEventKind.CONNECTED, session_id=session_id, detail=detail))

    def heard(self, session_id: str) -> None:
        """The venue has spoken: the next failure is a new one."""
        self._failing.pop(session_id, None)

    def failed(self, session_id: str, reason: str, detail: str) -> None:
        last, untold, told_at = self._failing.get(session_id, ("", 0, 0.0))
        now = self._loop.time()
        if last == reason and now < told_at + self._remind_s:
            self._failing[session_id] = (reason, untold + 1, told_at)
            return
        count = untold + 1 if last == reason else 1
        self._failing[session_id] = (reason, 0, now)
        kind = RelayEventKind.FAILED
        self.tell(
            RelayEvent(kind=kind, session_id=session_id, reason=reason, detail=detail, count=count)
        )


class Way:
    """One session's way to its venue: one connection at a time, the newest."""

    def __init__(
        self,
        config: RelayConfig,
        route: VenueRoute,
        loop: asyncio.AbstractEventLoop,
        teller: Teller,
    ) -> None:
        """Raises TlsFileError."""
        self.config = config
        self.route = route
        self.loop = loop
        self.teller = teller
        self.tasks: set[asyncio.Task[None]] = set()
        self.idle = asyncio.Event()
        self.idle.set()
        self._current: CoreEnd | None = None
        self._contexts = Contexts(route.files, self._files_refused)

    def _files_refused(self, fault: str) -> None:
        kind = RelayEventKind.FILES_REFUSED
        self.teller.tell(RelayEvent(kind=kind, session_id=self.route.session_id, detail=fault))

    def taken(self, end: "CoreEnd") -> None:
        """The core has connected; what it had before is over."""
        if self._current is not None:
            self._current.abort()
        self._current = end
        self.idle.clear()
        task = self.loop.create_task(self._reach(end))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def gone(self, end: "CoreEnd") -> None:
        if self._current is end:
            self._current = None
            self.idle.set()

    def end(self) -> None:
        """Close what there is, after what it has to be given."""
        if self._current is not None:
            self._current.close()

    async def _reach(self, core: "CoreEnd") -> None:
        """Connect with the venue, again and again for as long as the core waits."""
        give_up_at = self.loop.time() + self.config.give_up_ms / _MS_PER_SECOND
        pause_s = self.config.retry_ms / _MS_PER_SECOND
        while not core.is_closing():
            try:
                await self._connect(core)
            except OSError as error:  # ssl.SSLError and TimeoutError are some
                self.teller.failed(self.route.session_id, *_said(error, self.config))
            else:
                return
            if self.loop.time() + pause_s > give_up_at:
                break
            await asyncio.sleep(pause_s)
        core.close()

    async def _connect(self, core: "CoreEnd") -> None:
        route, config = self.route, self.config
        async with asyncio.timeout(config.connect_timeout_ms / _MS_PER_SECOND):
            transport, _ = await self.loop.create_connection(
                lambda: VenueEnd(self, core),
                route.host,
                route.port,
                ssl=self._contexts.current(),
                server_hostname=route.server_name,
                ssl_handshake_timeout=_NO_TIMEOUT_OF_ITS_OWN_S,
                ssl_shutdown_timeout=config.linger_ms / _MS_PER_SECOND,
            )
        connection = transport.get_extra_info("ssl_object")
        detail = f"{connection.version()} {connection.cipher()[0]}"
        self.teller.connected(route.session_id, detail)


def _said(error: OSError, config: RelayConfig) -> tuple[str, str]:
    """Reason and detail of a connection that did not come about."""
    if isinstance(error, TimeoutError):
        fault, _ = fault_of(error)
        return fault.value, f"no connection with TLS in {config.connect_timeout_ms} ms"
    if not isinstance(error, ssl.SSLError | ConnectionError) or _is_refused(error):
        return UNREACHABLE, error.strerror or str(error)
    fault, detail = fault_of(error)
    return fault.value, detail


def _is_refused(error: OSError) -> bool:
    """Whether nobody listens there: no connection at all, rather than one that ended."""
    return isinstance(error, ConnectionRefusedError)


class CoreEnd(asyncio.Protocol):
    """The connection of the core's initiator. What it says waits until the venue is there."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self.venue: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        uid = uid_of_peer(transport.get_extra_info("peername"), connection.getsockname())
        # Whoever is relayed speaks with our certificate, so it is for our own account alone.
        if uid not in {None, os.getuid()}:
            kind, session_id = RelayEventKind.STRANGER, self._way.route.session_id
            event = RelayEvent(kind=kind, session_id=session_id, detail=f"account {uid}")
            self._way.teller.tell(event)
            transport.abort()
            return
        transport.set_write_buffer_limits(high=self._way.config.buffer_bytes)
        self._way.taken(self)

    def data_received(self, data: bytes) -> None:
        if self.venue is not None:
            self.venue.write(data)
            return
        self._held += data
        self.pause_reading()

    def reached(self, venue: asyncio.Transport) -> None:
        """The venue is there, its certificate and name verified."""
        self.venue = venue
        held, self._held = self._held, b""
        if held:
            venue.write(held)
        self.resume_reading()

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause_writing(self) -> None:
        if self.venue is not None and not self.venue.is_closing():
            self.venue.pause_reading()

    def resume_writing(self) -> None:
        if self.venue is not None and not self.venue.is_closing():
            self.venue.resume_reading()

    def pause_reading(self) -> None:
        if not self.is_closing() and self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self.is_closing() and self._transport is not None:
            self._transport.resume_reading()

    def is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        """After what is still to be written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._way.gone(self)
        venue, way = self.venue, self._way
        if venue is None or venue.is_closing():
            return
        venue.close()
        way.loop.call_later(way.config.linger_ms / _MS_PER_SECOND, venue.abort)


class VenueEnd(asyncio.Protocol):
    """The connection with the venue, from the end of its handshake."""

    def __init__(self, way: Way, core: CoreEnd) -> None:
        self._way = way
        self._core = core
        self._is_heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._core.is_closing():
            transport.close()
            return
        transport.set_write_buffer_limits(high=self._way.config.buffer_bytes)
        self._core.reached(transport)

    def data_received(self, data: bytes) -> None:
        if not self._is_heard:
            self._is_heard = True
            self._way.teller.heard(self._way.route.session_id)
        self._core.write(data)

    def pause_writing(self) -> None:
        self._core.pause_reading()

    def resume_writing(self) -> None:
        self._core.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        session_id, teller = self._way.route.session_id, self._way.teller
        if exc is not None and not self._is_heard:  # TLS 1.3: refused after our own handshake
            fault, detail = fault_of(exc)
            teller.failed(session_id, fault.value, detail)
        teller.tell(RelayEvent(kind=RelayEventKind.CLOSED, session_id=session_id))
        linger_s = self._way.config.linger_ms / _MS_PER_SECOND
        self._core.close()
        self._way.loop.call_later(linger_s, self._core.abort)


async def serve(config: RelayConfig) -> int:
    """Relay until standard input closes, the parent is gone or frozen, or SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await loop.connect_read_pipe(lambda: ParentWatch(stop), os.fdopen(_STDIN, "rb", 0))
    output, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(_STDOUT, "wb", 0))
    teller = Teller(loop, output, config.remind_ms / _MS_PER_SECOND)
    ways = [Way(config, route, loop, teller) for route in config.routes]
    for way in ways:
        listener = socket.socket(fileno=way.route.listen_fd)
        listener.setblocking(False)
        await loop.create_server(partial(CoreEnd, way), sock=listener, backlog=_BACKLOG)
    await until_stopped(stop, config.parent_pid)
    for way in ways:
        way.end()
        for task in tuple(way.tasks):
            task.cancel()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(config.linger_ms / _MS_PER_SECOND):
            await asyncio.gather(*(way.idle.wait() for way in ways))
    await asyncio.sleep(_FAREWELL_S)  # what TLS says at the end leaves
    return EXIT_OK


def main() -> int:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(serve(config_from_json(sys.argv[1])))
            # Not through the interpreter's own ending: a name that is being looked up would hold
            # it up.
            os._exit(code)
    except TlsFileError as error:
        sys.stderr.write(f"the relay to venues: {error}\n")
        return EXIT_CONFIG


if __name__ == "__main__":
    sys.exit(main())
