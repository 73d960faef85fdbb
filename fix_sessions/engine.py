"""All FIX sessions of a process, driven from its one main thread by `poll`.

QuickFIX's own threads cost half the throughput (they and Python take turns at one lock), starve
each other's heartbeats and call back where nothing can be caught. Here its acceptor and initiators
are polled by hand when one epoll says that a socket of theirs has something.
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
from fix_sessions.quickfix_parts import QuickfixParts
from fix_sessions.refused_resets import mend_stores, open_files
from fix_sessions.resends import Resends, ResendSource
from fix_sessions.sessions import Sessions
from fix_sessions.settings import SessionSpec, SettingsError, check_specs, dictionary_of
from fix_sessions.taken_over import TakenOver
from fix_sessions.transport import Transport
from fix_sessions.waiting import Waiting

_log = structlog.get_logger(__name__)

__all__ = ["Engine", "EngineFault", "PortInUse"]

_TICK_S = 0.5
_CONNECTING_TICK_S = 0.1
_STOP_POLL_S = 0.02


def _session_id(spec: SessionSpec) -> Any:
    return quickfix.SessionID(spec.begin_string, spec.sender_comp_id, spec.target_comp_id)


def _check_free(specs: Sequence[SessionSpec]) -> None:
    for spec in specs:
        if quickfix.Session.doesSessionExist(_session_id(spec)):
            raise SettingsError(f"session {spec.quickfix_id}: this process runs it already")


def _dictionaries_of(specs: Sequence[SessionSpec]) -> dict[Path, Any]:
    paths = {spec.dictionary or dictionary_of(spec.begin_string) for spec in specs}
    return {path: quickfix.DataDictionary(str(path)).this for path in paths}


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
        _check_free(sessions)
        by_quickfix_id = {spec.quickfix_id: SessionRecord(spec) for spec in sessions}
        super().__init__(
            {record.session_id: record for record in by_quickfix_id.values()},
            callbacks=Callbacks(by_quickfix_id, handler, self._has_connection),
            handler=handler,
            store_dir=store_dir,
        )
        self._epoll = select.epoll()
        # Whether the owner has more than a few messages at once; see fix_sessions.waiting.
        self.busy = False
        self._waiting = Waiting(self._epoll, 0.0)
        self._owners: dict[int, Transport] = {}
        self._wakeups: dict[int, Callable[[], None]] = {}
        self._backlog = Backlog(slow_consumer_s)
        self._epoll.register(self._backlog.fileno(), select.EPOLLIN)
        dictionaries = _dictionaries_of(sessions)
        self._next_tick_s = self._next_connecting_tick_s = 0.0
        self._parts = QuickfixParts(self._callbacks, store_dir)
        # Called after a wait, before all work, where what it raises ends `poll`; and after all.
        self.before_work: Callable[[], None] | None = None
        self.after_work: Callable[[], None] | None = None
        self.taken_over = TakenOver(store_dir)
        open_files(self._records, store_dir)
        if resend_source is not None:
            self._callbacks.resends = Resends(sessions, store_dir, resend_source)
        accepting = [spec for spec in sessions if spec.role == "acceptor"]
        self._acceptor = Acceptor(accepting, self, self._parts.acceptor) if accepting else None
        self._initiators = {
            spec.session_id: Initiator(spec, self, self._parts.initiator)
            for spec in sessions
            if spec.role == "initiator"
        }
        acceptors = () if self._acceptor is None else (self._acceptor,)
        self._transports: tuple[Transport, ...] = (*acceptors, *self._initiators.values())
        for spec in sessions:
            self._adopt(spec, dictionaries[spec.dictionary or dictionary_of(spec.begin_string)])

    def _adopt(self, spec: SessionSpec, dictionary: Any) -> None:
        """Take hold of a session that QuickFIX has made."""
        record = self._records[spec.session_id]
        record.dictionary = dictionary
        record.session = quickfix.Session.lookupSession(_session_id(spec))
        record.session.setPersistMessages(self._callbacks.resends is None)
        if record.files is not None:
            record.files.keep()

    # Running

    def start(self) -> None:
        """Listen, and begin to connect. Raises PortInUse, before any session is open."""
        if self._acceptor is not None:
            self._acceptor.start()
        self._next_tick_s = self._next_connecting_tick_s = time.monotonic()

    @property
    def acceptor_port(self) -> int:
        """The port listened on, also where 0 was configured; known after `start`."""
        assert self._acceptor is not None, "there is no acceptor session"
        return self._acceptor.port

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
            if self.taken_over and self._acceptor is not None:
                ready = [one for one, _ in events if one in self.taken_over]
                self.taken_over.look_after(self._acceptor, ready, all_of_them=ticks)
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
        for record in self._records.values():
            record.session = None
        for transport in self._transports:
            transport.close()
        self._parts.forget()
        self._backlog.close()
        self._epoll.close()

    # Sessions

    def disconnect(self, session_id: str) -> None:
        """End the connection without a Logout; the counterparty, or we, may connect again."""
        self._records[session_id].session.disconnect()
        self._transport_of(session_id).unfinished = True
        self._raise_fault()

    def take_over(
        self, session_id: str, client: int, *, peer_port: int, bytes_in: int, bytes_out: int
    ) -> bool:
        """Let a session that is logged on go on over another connection; see Acceptor.take_over."""
        record = self._records.get(session_id)
        if self._acceptor is None or record is None or not record.logged_on:
            return False
        if not self._acceptor.take_over(peer_port, client, bytes_in=bytes_in, bytes_out=bytes_out):
            return False
        self.taken_over.add(client, record)
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
        transport: Transport | None = self._initiators.get(session_id, self._acceptor)
        assert transport is not None
        return transport

    def _has_connection(self, record: SessionRecord) -> bool:
        return self._initiators[record.session_id].is_connected()

    def _serve(self, events: list[tuple[int, int]]) -> None:
        ready: dict[Transport, list[int]] = {t: [] for t in self._transports if t.unfinished}
        connected = False
        for descriptor, _ in events:
            if descriptor == self._backlog.fileno():
                self._backlog.note_room()
            elif descriptor in self._owners:
                ready.setdefault(self._owners[descriptor], []).append(descriptor)
                if self._acceptor is not None and self._acceptor.is_listener(descriptor):
                    connected = self._acceptor.has_callers = True
        for transport, descriptors_ready in ready.items():
            self._pump(transport, descriptors_ready)
            if isinstance(transport, Initiator) and not self.is_logged_on(
                transport.spec.session_id
            ):
                transport.find_connections(descriptors.open_sockets())
        if connected and self._acceptor is not None:
            self._acceptor.find_connections(descriptors.open_sockets())
        self._backlog.send_on()

    def _pump(self, transport: Transport, ready: Sequence[int]) -> None:
        """Pump, and end the connection whose bytes made QuickFIX fail.

        Some session messages out of place do, such as a SequenceReset before any Logon. QuickFIX
        does not say whose they were: all that were readable are ended, and recover by logging on.
        """
        try:
            transport.pump()
        except Exception as error:
            suspects = [d for d in transport.connections if d in ready] or transport.connections
            if self._callbacks.fault is not None or not suspects:
                raise
            _log.warning(
                "fix.input_failed",
                transport=transport.name,
                connections_ended=len(suspects),
                error=str(error),
            )
            for descriptor in suspects:
                descriptors.shut_down(descriptor)

    def _tick(self, now_s: float) -> None:
        """What QuickFIX does only when its sockets are silent: heartbeats, requests, timeouts."""
        self._next_tick_s = now_s + _TICK_S
        stamp = quickfix.UtcTimeStamp.now()
        for record in self._records.values():
            if record.logged_on:
                record.session.next(stamp)
            elif record.files is not None:
                self._callbacks.tried.add(record.session_id)
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
