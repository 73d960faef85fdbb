"""Light FIX peers on TCP: any number of clients and venues driven by one thread through a Hub.

Nothing runs in the background: sockets are served while some call of the hub or of one of its
peers waits. So a test is deterministic, and a bench process spends its time on nothing else.
"""

import contextlib
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from fix_sessions.light_session import Fields, LightSession, LightSettings, Message
from fix_sessions.wire import Frame

_READ_BYTES = 1 << 18
_TICK_S = 0.2
_CONNECT_TIMEOUT_S = 5.0
_RETRY_S = 0.02
_SHOWN_MESSAGES = 5

Predicate = Callable[[Message], bool]


class Hub:
    """The sockets of several peers and the loop that serves them all."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._peers: list[LightPeer] = []
        self._next_tick = 0.0

    def client(self, host: str, port: int, settings: LightSettings) -> "LightPeer":
        """A peer that connects to host:port; call `connect` or `logon`."""
        return self._added(LightPeer(self, settings, (host, port)))

    def venue(self, settings: LightSettings, host: str = "127.0.0.1", port: int = 0) -> "LightPeer":
        """A peer that listens on host:port from now on; port 0 takes a free one, see `port`."""
        if settings.initiates:
            raise ValueError("settings.initiates is True: a venue waits for the other side's Logon")
        peer = self._added(LightPeer(self, settings, (host, port)))
        peer.listen()
        return peer

    def pump(self, timeout_s: float) -> None:
        """Serve the sockets once, waiting at most `timeout_s` for the first to be ready."""
        for key, _ in self._selector.select(timeout_s):
            serve: Callable[[], None] = key.data
            serve()
        now = time.monotonic()
        ticks = now >= self._next_tick
        if ticks:
            self._next_tick = now + _TICK_S
        for peer in self._peers:
            peer.flush(tick=ticks)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Serve the sockets until `condition` holds; TimeoutError names `what` was awaited."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"{what}: not within {timeout_s} s")
            self.pump(min(left_s, _TICK_S))

    def watch(self, sock: socket.socket | int, events: int, serve: Callable[[], None]) -> None:
        """Have `serve` called when `sock`, or that descriptor, is ready for `events`."""
        if sock in self._selector.get_map():
            self._selector.modify(sock, events, serve)
        else:
            self._selector.register(sock, events, serve)

    def unwatch(self, sock: socket.socket) -> None:
        """Forget a socket, if it was watched."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def close(self) -> None:
        """Drop every connection and listener."""
        for peer in self._peers:
            peer.kill()
        self._selector.close()

    def _added(self, peer: "LightPeer") -> "LightPeer":
        self._peers.append(peer)
        return peer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class LightPeer:
    """One session on one connection at a time; numbers and store go on over connections.

    `messages` holds what came, in sequence, session messages included, unless `keep` is False;
    `on_message` is called for each, after the session has answered what the protocol demands.
    """

    def __init__(self, hub: Hub, settings: LightSettings, address: tuple[str, int]) -> None:
        self.hub = hub
        self.session = LightSession(settings)
        self.messages: list[Message] = []
        self.keep = True
        self.reads = True
        self.on_message: Callable[[Message], None] | None = None
        self._address = address
        self._socket: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._unsent: deque[memoryview] = deque()
        self._watched_events = 0

    # State

    @property
    def port(self) -> int:
        """The port connected to or listened on."""
        return self._address[1]

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    @property
    def is_logged_on(self) -> bool:
        return self.session.logged_on

    @property
    def faults(self) -> list[Frame]:
        """Garbled bytes that came, each with the rule that it breaks."""
        return self.session.faults

    # Connecting and leaving

    def listen(self) -> None:
        """Accept connections; a new one replaces the one before."""
        if self._listener is not None:
            return
        listener = socket.create_server(self._address, backlog=8)
        listener.setblocking(False)
        self._address = listener.getsockname()[:2]
        self._listener = listener
        self.hub.watch(listener, selectors.EVENT_READ, self._take_connection)

    def connect(self, *, logon: bool = True, timeout_s: float = 10.0) -> None:
        """Connect, trying again while nobody listens, and send the Logon unless told otherwise."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                found = socket.create_connection(self._address, timeout=_CONNECT_TIMEOUT_S)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                self.hub.pump(_RETRY_S)
            else:
                self._attach(found, logon=logon)
                return

    def logon(self, timeout_s: float = 10.0) -> None:
        """Be logged on: a client connects first, a venue waits for the other side.

        Raises TimeoutError, or ConnectionError with the reason when the other side refuses.
        """
        if self._listener is None and not self.is_connected:
            self.connect(timeout_s=timeout_s)
        waits_for_other = self._listener is not None
        self.hub.wait_until(
            lambda: self.is_logged_on or not (waits_for_other or self.is_connected),
            timeout_s,
            f"logon of {self.session.settings.sender_comp_id}",
        )
        if not self.is_logged_on:
            raise ConnectionError(f"logon refused: {self.session.close_reason}")

    def logout(self, timeout_s: float = 10.0) -> None:
        """Log out and wait until the connection is closed."""
        self.session.send_logout()
        self.wait_until(lambda: not self.is_connected, timeout_s, "logout")

    def kill(self) -> None:
        """Drop the TCP connection, unsent bytes with it, and stop listening."""
        self._drop("killed")
        if self._listener is not None:
            self.hub.unwatch(self._listener)
            self._listener.close()
            self._listener = None

    def reconnect(self, timeout_s: float = 10.0) -> None:
        """After `kill` or a lost connection: connect or listen again, and be logged on."""
        self._drop("reconnecting")
        if not self.session.settings.initiates:
            self.listen()
        self.logon(timeout_s)

    # Messages

    def send(self, msg_type: str, fields: Fields, header: Fields = ()) -> int:
        """Number and send one message; see LightSession.send. Written at the latest by a wait."""
        seq = self.session.send(msg_type, fields, header)
        self.flush()
        return seq

    def send_bytes(self, data: bytes) -> None:
        """Write bytes as they are, numbered by nobody."""
        self.session.write(data)
        self.flush()

    def wait_for(self, predicate: Predicate, timeout_s: float = 10.0, since: int = 0) -> Message:
        """The first of `messages[since:]` for which `predicate` holds, now or soon.

        The TimeoutError says what came last and in which state the session is.
        """
        position = since
        found: Message | None = None

        def arrived() -> bool:
            nonlocal position, found
            while position < len(self.messages) and found is None:
                if predicate(self.messages[position]):
                    found = self.messages[position]
                position += 1
            return found is not None

        self.wait_until(arrived, timeout_s, "awaited message")
        assert found is not None
        return found

    def wait_until(
        self, condition: Callable[[], bool], timeout_s: float = 10.0, what: str = "condition"
    ) -> None:
        """Serve all peers of the hub until `condition` holds."""
        try:
            self.hub.wait_until(condition, timeout_s, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self._state()}") from None

    def _state(self) -> str:
        session = self.session
        last = "\n  ".join(str(message) for message in self.messages[-_SHOWN_MESSAGES:])
        return (
            f"{session.settings.sender_comp_id} connected={self.is_connected} "
            f"logged_on={session.logged_on} closed by {session.close_reason!r} "
            f"next_in={session.next_in} next_out={session.next_out} "
            f"faults={session.faults[-1:]}; last messages:\n  {last}"
        )

    # Sockets

    def _take_connection(self) -> None:
        if self._listener is None:
            return
        try:
            found, _ = self._listener.accept()
        except OSError:
            return
        self._attach(found, logon=True)

    def _attach(self, found: socket.socket, *, logon: bool) -> None:
        self._drop("replaced by a new connection")
        found.setblocking(False)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = found
        self._watched_events = 0
        self.session.connected(logon=logon)
        self.flush()

    def _drop(self, reason: str) -> None:
        if self._socket is None:
            return
        self.hub.unwatch(self._socket)
        self._socket.close()
        self._socket = None
        self._unsent.clear()
        self.session.disconnected(reason)

    def _serve(self) -> None:
        if self._socket is None:
            return
        if self.reads:
            try:
                data = self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._drop(f"read failed: {error}")
                return
            if not data:
                self._drop("closed by the other side")
                return
            self._deliver(data)
        self.flush()

    def _deliver(self, data: bytes) -> None:
        for message in self.session.receive(data, time.perf_counter_ns()):
            if self.keep:
                self.messages.append(message)
            if self.on_message is not None:
                self.on_message(message)

    def flush(self, *, tick: bool = False) -> None:
        """Write what the session has to say, as far as the socket takes it, without waiting."""
        if self._socket is None:
            return
        if tick:
            self.session.tick()
        data = self.session.take_outgoing()
        if data:
            self._unsent.append(memoryview(data))
        while self._unsent:
            try:
                written = self._socket.send(self._unsent[0])
            except BlockingIOError:
                break
            except OSError as error:
                self._drop(f"write failed: {error}")
                return
            if written == len(self._unsent[0]):
                self._unsent.popleft()
            else:
                self._unsent[0] = self._unsent[0][written:]
        if self.session.closing and not self._unsent:
            self._drop(self.session.close_reason)
            return
        self._watch()

    def _watch(self) -> None:
        """Ask the selector for what is of use now: `reads` False models a peer that is stuck."""
        events = selectors.EVENT_READ if self.reads else 0
        events |= selectors.EVENT_WRITE if self._unsent else 0
        if self._socket is None or events == self._watched_events:
            return
        if events:
            self.hub.watch(self._socket, events, self._serve)
        else:
            self.hub.unwatch(self._socket)
        self._watched_events = events
