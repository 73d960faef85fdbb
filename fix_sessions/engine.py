"""All FIX sessions of a process, driven from its one main thread by `poll`.

QuickFIX's own threads cost half the throughput (they and Python take turns at one lock), starve
each other's heartbeats and call back where nothing can be caught. Here its acceptor and initiators
are polled by hand when one epoll says that a socket of theirs has something.

Sessions can be added while others run: initiators are one to a session, and more acceptor sessions
come on a port of their own, as QuickFIX's acceptor takes no more once it is made.
"""

import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from fix_sessions import descriptors
from fix_sessions.acceptor import Acceptor
from fix_sessions.application import Callbacks, SessionHandler, SessionRecord
from fix_sessions.backlog import Backlog
from fix_sessions.binding import quickfix
from fix_sessions.faults import EngineFault, PortInUse
from fix_sessions.initiator import Initiator
from fix_sessions.pumping import pump
from fix_sessions.quickfix_parts import QuickfixParts, check_free, quickfix_id_of
from fix_sessions.refused_resets import mend_stores, open_files
from fix_sessions.resends import Resends, ResendSource
from fix_sessions.sessions import Sessions
from fix_sessions.settings import SessionSpec, check_specs, dictionary_of
from fix_sessions.taken_over import TakenOver
from fix_sessions.transport import Transport
from fix_sessions.waiting import Waiting

_log = structlog.get_logger(__name__)

__all__ = ["Engine", "EngineFault", "PortInUse"]

_TICK_S = 0.5
_CONNECTING_TICK_S = 0.1
_STOP_POLL_S = 0.02


class Engine(Sessions):
    """FIX sessions by their short names. Not safe for threads: one thread calls everything.

    Sessions exist once the engine is made, so their numbers can be set before `start` opens them.
    A connection whose counterparty reads nothing for `slow_consumer_s` is ended; what it missed
    it can ask for.
    """

    def __init__(
        self,
        sessions: Sequence[SessionSpec],
        *,
        store_dir: Path,
        handler: SessionHandler,
        slow_consumer_s: float = 10.0,
        resend_source: ResendSource | None = None,
    ) -> None:
        """resend_source: where texts that were sent come from; without one QuickFIX keeps them."""
        check_specs(sessions)
        check_free(sessions)
        # All that QuickFIX has, and among them the one that each name has now.
        self._made = {spec.quickfix_id: SessionRecord(spec) for spec in sessions}
        super().__init__(
            {record.session_id: record for record in self._made.values()},
            callbacks=Callbacks(self._made, handler, self._has_connection),
            handler=handler,
            store_dir=store_dir,
        )
        self._epoll = select.epoll()
        # Whether the owner has more than a few messages at once; see fix_sessions.waiting.
        self.busy = False
        self._waiting = Waiting(self._epoll, 0.0)
        self._owners: dict[int, Transport] = {}
        self._wakeups: dict[int, Callable[[], None]] = {}
        self._backlog = Backlog(slow_consumer_s, self._pump)
        self._epoll.register(self._backlog.fileno(), select.EPOLLIN)
        self._dictionaries: dict[Path, Any] = {}
        self._next_tick_s = self._next_connecting_tick_s = 0.0
        self._parts = QuickfixParts(self._callbacks, store_dir)
        # Called after a wait, before all work, where what it raises ends `poll`; and after all.
        self.before_work: Callable[[], None] | None = None
        self.after_work: Callable[[], None] | None = None
        self.taken_over = TakenOver(store_dir)
        if resend_source is not None:
            self._callbacks.resends = Resends(store_dir, resend_source)
        # By QuickFIX's name of a session, which stays in its acceptor for ever.
        self._acceptors: dict[str, Acceptor] = {}
        self._initiators: dict[str, Initiator] = {}
        self._transports: tuple[Transport, ...] = ()
        self._make(sessions)

    def _make(self, specs: Sequence[SessionSpec]) -> None:
        """QuickFIX's part of sessions whose records are there. None is open before `start`."""
        made = {spec.session_id: self._records[spec.session_id] for spec in specs}
        open_files(made, self._store_dir)
        if self._callbacks.resends is not None:
            self._callbacks.resends.keep(specs)
        accepting = [spec for spec in specs if spec.role == "acceptor"]
        if accepting:
            acceptor = Acceptor(accepting, self, self._parts.acceptor)
            self._acceptors |= {spec.quickfix_id: acceptor for spec in accepting}
        for spec in specs:
            if spec.role == "initiator":
                self._initiators[spec.session_id] = Initiator(spec, self, self._parts.initiator)
        acceptors = dict.fromkeys(self._acceptors.values())
        self._transports = (*acceptors, *self._initiators.values())
        for spec in specs:
            self._adopt(spec)

    def _adopt(self, spec: SessionSpec) -> None:
        """Take hold of a session that QuickFIX has made."""
        record = self._records[spec.session_id]
        path = spec.dictionary or dictionary_of(spec.begin_string)
        if path not in self._dictionaries:
            self._dictionaries[path] = quickfix.DataDictionary(str(path)).this
        record.dictionary = self._dictionaries[path]
        record.session = quickfix.Session.lookupSession(quickfix_id_of(spec))
        record.session.setPersistMessages(self._callbacks.resends is None)
        if record.files is not None:
            record.files.keep()

    # Running

    def start(self) -> None:
        """Listen, and begin to connect. Raises PortInUse, before any session is open."""
        for acceptor in dict.fromkeys(self._acceptors.values()):
            acceptor.start()
        self._next_tick_s = self._next_connecting_tick_s = time.monotonic()

    @property
    def acceptor_port(self) -> int:
        """The port listened on, also where 0 was configured; known after `start`."""
        assert self._acceptors, "there is no acceptor session"
        return next(iter(self._acceptors.values())).port

    def port_of(self, session_id: str) -> int:
        """The port that an acceptor session listens on; known after `start`."""
        acceptor = self._acceptor_of(session_id)
        assert acceptor is not None, f"session {session_id} is no acceptor's"
        return acceptor.port

    def stay_awake(self, awake_s: float) -> None:
        """How long `poll` looks for more before it sleeps; see fix_sessions.waiting."""
        self._waiting = Waiting(self._epoll, awake_s)

    def add_wakeup(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Have `poll` return when the descriptor is readable; `callback` empties it."""
        self._wakeups[descriptor] = callback
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove_wakeup(self, descriptor: int) -> None:
        """Undo `add_wakeup`; call it before the descriptor is closed."""
        del self._wakeups[descriptor]
        self._epoll.unregister(descriptor)

    def poll(self, timeout_s: float) -> None:
        """Wait for something, at most `timeout_s`, and do all that is there to do.

        Handlers are called from inside. Raises EngineFault once a callback or QuickFIX has failed.
        """
        self._raise_fault()
        now_s = time.monotonic()
        wait_s = min(timeout_s, self._next_tick_s - now_s, self._connecting_in_s(now_s))
        if self._backlog.pending or any(transport.unfinished for transport in self._transports):
            wait_s = 0.0
        events = self._waiting.wait(wait_s, busy=self.busy)
        if self.before_work is not None:
            self.before_work()
        for descriptor, _ in events:
            if descriptor in self._wakeups:
                self._wakeups[descriptor]()
        self._work(events)

    def tick(self) -> None:
        """Instead of `poll` where the owner can take no more for now: heartbeats when they are due.

        Little is read, so that those of the counterparties are heard. Raises EngineFault.
        """
        self._raise_fault()
        if self.before_work is not None:
            self.before_work()
        if time.monotonic() >= self._next_tick_s:
            self._work(None)

    def _work(self, served: list[tuple[int, int]] | None) -> None:
        events = served or []
        try:
            if served is not None:
                self._serve(served)
            if self._callbacks.tried:
                mend_stores(self._records, self._callbacks.tried)
            if self._callbacks.resends is not None:
                self._callbacks.resends.clear()
            now_s = time.monotonic()
            ticks = now_s >= self._next_tick_s
            if ticks:
                self._tick(now_s)
            if self.taken_over:
                ready = [one for one, _ in events if one in self.taken_over]
                self.taken_over.look_after(ready, all_of_them=ticks)
            if self.after_work is not None:
                self.after_work()
            if now_s >= self._next_connecting_tick_s:
                self._connect(now_s)
        except EngineFault:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine cannot be trusted
            self._callbacks.fault = self._callbacks.fault or error
        self._raise_fault()

    def stop(self, timeout_s: float) -> bool:
        """Log every session out and wait for the answers; whether all came in time.

        Afterwards nothing is left to do but `close`, or `os._exit`.
        """
        deadline_s = time.monotonic() + timeout_s
        for session_id, record in self._records.items():
            if record.logged_on:
                self.logout(session_id, "the server is stopping")
        while any(record.logged_on for record in self._records.values()):
            if time.monotonic() >= deadline_s:
                return False
            self.poll(_STOP_POLL_S)
        return True

    def close(self) -> None:
        """Close all sockets and connections at once, without logging out; nothing works after it.

        A process that ends needs `os._exit` and not this; sessions of the same names in the same
        process do.
        """
        for record in self._made.values():
            record.session = None
        for transport in self._transports:
            transport.close()
        self._parts.forget()
        self._backlog.close()
        self._epoll.close()

    # Sessions

    def remake(self, specs: Sequence[SessionSpec]) -> None:
        """Make sessions while others run, each in the place of what its name has now.

        What that was must be logged out; what is made is until `logon`. Not from inside `poll`.
        An acceptor's session stays where it is: its name finds it again with the same comp ids.
        """
        check_specs(specs)
        for spec in specs:
            self._let_go(spec.session_id)
        fresh = [spec for spec in specs if spec.quickfix_id not in self._made]
        check_free(fresh)
        self._made |= {spec.quickfix_id: SessionRecord(spec) for spec in fresh}
        for spec in specs:
            self._records[spec.session_id] = self._made[spec.quickfix_id]
        self._make(fresh)
        for spec in specs:
            if self._callbacks.resends is not None and spec not in fresh:
                self._callbacks.resends.keep([spec])
            self._records[spec.session_id].closed_text = ""
            self._records[spec.session_id].session.logout("")
        for spec in fresh:
            acceptor = self._acceptor_of(spec.session_id)
            if acceptor is not None and not acceptor.port:
                acceptor.start()
        self._raise_fault()

    def _let_go(self, session_id: str) -> None:
        record = self._records.get(session_id)
        assert record is None or not record.logged_on, f"session {session_id} must be logged out"
        initiator = self._initiators.pop(session_id, None)
        if record is not None and initiator is not None:
            record.session = None
            del self._made[record.spec.quickfix_id]
            # It may be in the middle of connecting: what nobody has seen yet is closed too.
            initiator.find_connections(descriptors.open_sockets())
            initiator.close()

    def disconnect(self, session_id: str) -> None:
        """End the connection without a Logout; the counterparty, or we, may connect again."""
        self._records[session_id].session.disconnect()
        self._transport_of(session_id).unfinished = True
        self._raise_fault()

    def take_over(
        self, session_id: str, client: int, *, peer_port: int, bytes_in: int, bytes_out: int
    ) -> bool:
        """Let a session that is logged on go on over another connection; see Acceptor.take_over."""
        record, acceptor = self._records.get(session_id), self._acceptor_of(session_id)
        if acceptor is None or record is None or not record.logged_on:
            return False
        if not acceptor.take_over(peer_port, client, bytes_in=bytes_in, bytes_out=bytes_out):
            return False
        self.taken_over.add(client, record, acceptor)
        return True

    # Inside

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`, before the descriptor is closed; for the transports."""
        self._epoll.unregister(descriptor)
        self._backlog.remove(descriptor)

    def watch(self, descriptor: int, transport: Transport, *, connection: bool) -> None:
        """Wait on a descriptor of QuickFIX; for the transports."""
        self._owners[descriptor] = transport
        try:
            self._epoll.register(descriptor, select.EPOLLIN)
        except FileExistsError:
            self._epoll.modify(descriptor, select.EPOLLIN)
        if connection:
            self._backlog.add(descriptor, transport)

    def is_anothers(self, descriptor: int, inode: int, transport: Transport) -> bool:
        """Whether a descriptor is known to belong to another transport; for the transports."""
        owner = self._owners.get(descriptor)
        return owner is not None and owner is not transport and owner.holds(descriptor, inode)

    def _transport_of(self, session_id: str) -> Transport:
        transport: Transport | None = self._initiators.get(session_id)
        transport = transport or self._acceptor_of(session_id)
        assert transport is not None
        return transport

    def _acceptor_of(self, session_id: str) -> Acceptor | None:
        record = self._records.get(session_id)
        return None if record is None else self._acceptors.get(record.spec.quickfix_id)

    def _has_connection(self, record: SessionRecord) -> bool:
        return self._initiators[record.session_id].is_connected()

    def _serve(self, events: list[tuple[int, int]]) -> None:
        ready: dict[Transport, list[int]] = {t: [] for t in self._transports if t.unfinished}
        connected: list[Acceptor] = []
        for descriptor, _ in events:
            if descriptor == self._backlog.fileno():
                self._backlog.note_room()
            elif descriptor in self._owners:
                ready.setdefault(self._owners[descriptor], []).append(descriptor)
                owner = self._owners[descriptor]
                if isinstance(owner, Acceptor) and owner.is_listener(descriptor):
                    owner.has_callers = True
                    connected.append(owner)
        for transport, descriptors_ready in ready.items():
            self._pump(transport, descriptors_ready)
            if isinstance(transport, Initiator) and not self.is_logged_on(
                transport.spec.session_id
            ):
                transport.find_connections(descriptors.open_sockets())
        for acceptor in connected:
            acceptor.find_connections(descriptors.open_sockets())
        self._backlog.send_on()

    def _pump(self, transport: Transport, ready: Sequence[int]) -> None:
        pump(transport, ready, self._callbacks)

    def _tick(self, now_s: float) -> None:
        """What QuickFIX does only when its sockets are silent: heartbeats, requests, timeouts."""
        self._next_tick_s = now_s + _TICK_S
        stamp = quickfix.UtcTimeStamp.now()
        for record in self._records.values():
            if record.logged_on:
                record.session.next(stamp)
            elif record.files is not None:
                self._callbacks.tried.add(record.session_id)
                self.listen_while_closed(record)
        mend_stores(self._records, self._callbacks.tried)
        for transport in self._transports:
            self._pump(transport, [])
        self._backlog.check(now_s)

    def _connect(self, now_s: float) -> None:
        """Move on the initiators that are not logged on: connect, and see the connection made."""
        self._next_connecting_tick_s = now_s + _CONNECTING_TICK_S
        for session_id, initiator in self._initiators.items():
            if not self.is_logged_on(session_id):
                self._pump(initiator, [])
                self._pump(initiator, [])
                initiator.find_connections(descriptors.open_sockets())

    def _connecting_in_s(self, now_s: float) -> float:
        if any(not self.is_logged_on(session_id) for session_id in self._initiators):
            return self._next_connecting_tick_s - now_s
        return _TICK_S
