"""The bench's reference: what QuickFIX and Python relay at all when nothing is decided or kept.

Client's order in, acknowledgement and order to the venue out; the venue's trade in, report to the
client out: three messages in and three out for each order, as with the server. Acceptor and
initiator are polled by one thread when their sockets have something, with memory stores and no data
dictionary.

Two ways to handle a message: by field, as QuickFIX's interface is meant to be used (the reference),
and as one text, the least that can be done at all (the upper bound).
"""

import os
import select
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

from fix_sessions import descriptors
from fix_sessions.binding import quickfix
from fix_sessions.wire import utc_timestamp_ms

_CONNECTING_S = 0.02
_BEGIN_STRING = "FIX.4.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayConfig:
    """Where the clients come in, by their comp ids, and the one venue to connect to."""

    port: int
    comp_id: str
    client_comp_ids: tuple[str, ...]
    venue_comp_id: str
    venue_port: int
    style: Literal["fields", "text"] = "fields"


class _Relay(quickfix.Application, ABC):  # type: ignore[misc]
    def __init__(self, config: RelayConfig) -> None:
        super().__init__()
        self.fault = ""
        self.logged_on = 0
        self.venue = quickfix.SessionID(_BEGIN_STRING, config.comp_id, config.venue_comp_id)
        self._venue_text = self.venue.toString()
        self.clients: dict[str, Any] = {}
        self._exec_id = 0

    def onCreate(self, session_id: Any) -> None:
        """Nothing to prepare."""

    def onLogon(self, session_id: Any) -> None:
        self.logged_on += 1

    def onLogout(self, session_id: Any) -> None:
        self.logged_on -= 1

    def toAdmin(self, message: Any, session_id: Any) -> None:
        """Nothing to add."""

    def fromAdmin(self, message: Any, session_id: Any) -> None:
        """Everybody is welcome: loopback only, and for the length of a bench."""

    def toApp(self, message: Any, session_id: Any) -> None:
        """Everything leaves."""

    def fromApp(self, message: Any, session_id: Any) -> None:
        try:
            if session_id.toString() == self._venue_text:
                self.on_report(message)
            else:
                self.on_order(message, session_id)
        except Exception as error:  # noqa: BLE001 - an exception that leaves a callback is the end
            self.fault = f"{type(error).__name__}: {error}"

    @abstractmethod
    def on_order(self, message: Any, session_id: Any) -> None:
        """Acknowledge to the client, pass on to the venue."""

    @abstractmethod
    def on_report(self, message: Any) -> None:
        """Pass a trade on to the client."""

    def remember(self, session_id: Any, cl_ord_id: str) -> str:
        """Our OrderID for a client's order."""
        self._exec_id += 1
        order_id = f"R{self._exec_id}"
        self.clients[order_id] = (session_id, cl_ord_id)
        return order_id


class _FieldRelay(_Relay):
    """Reads and makes messages field by field."""

    def on_order(self, message: Any, session_id: Any) -> None:
        """See _Relay."""
        get = message.getField
        cl_ord_id = get(11)
        order_id = self.remember(session_id, cl_ord_id)
        same = [(tag, get(tag)) for tag in (1, 54, 55, 38, 40, 44)]
        now = utc_timestamp_ms(_now_us())
        qty = get(38)
        told = [(37, order_id), (17, f"N{order_id}"), (150, "0"), (39, "0"), (151, qty)]
        rest = [(14, "0"), (6, "0"), (60, now)]
        self._send("8", [(11, cl_ord_id), *told, *rest, *same], session_id)
        self._send("D", [(11, order_id), (21, "1"), (59, "0"), (60, now), *same], self.venue)

    def on_report(self, message: Any) -> None:
        """See _Relay."""
        get = message.getField
        if get(150) != "F":
            return
        order_id = get(11)
        session_id, cl_ord_id = self.clients.pop(order_id)
        same = [(tag, get(tag)) for tag in _OF_A_TRADE]
        now = utc_timestamp_ms(_now_us())
        self._send("8", [(11, cl_ord_id), (37, order_id), (60, now), *same], session_id)

    def _send(self, msg_type: str, fields: Sequence[tuple[int, str]], session_id: Any) -> None:
        message = quickfix.Message()
        message.getHeader().setField(35, msg_type)
        for tag, value in fields:
            message.setField(tag, value)
        quickfix.Session.sendToTarget(message, session_id)


_OF_A_TRADE = (17, 150, 39, 54, 55, 38, 40, 44, 32, 31, 151, 14, 6)


class _TextRelay(_Relay):
    """Reads and makes messages as one text."""

    def on_order(self, message: Any, session_id: Any) -> None:
        """See _Relay."""
        fields = _split(message)
        order_id = self.remember(session_id, fields["11"])
        now = utc_timestamp_ms(_now_us())
        same = (
            f"54={fields['54']}\x0155={fields['55']}\x0138={fields['38']}\x0140={fields['40']}\x01"
            f"44={fields['44']}\x0160={now}\x01"
        )
        self._send(
            f"35=8\x0111={fields['11']}\x0137={order_id}\x0117=N{order_id}\x01150=0\x0139=0\x01"
            f"1={fields['1']}\x01151={fields['38']}\x0114=0\x016=0\x01{same}",
            session_id,
        )
        self._send(f"35=D\x0111={order_id}\x0121=1\x0159=0\x01{same}", self.venue)

    def on_report(self, message: Any) -> None:
        """See _Relay."""
        fields = _split(message)
        if fields.get("150") != "F":
            return
        session_id, cl_ord_id = self.clients.pop(fields["11"])
        same = "".join([f"{tag}={fields[str(tag)]}\x01" for tag in _OF_A_TRADE])
        self._send(
            f"35=8\x0111={cl_ord_id}\x0137={fields['11']}\x01{same}"
            f"60={utc_timestamp_ms(_now_us())}\x01",
            session_id,
        )

    def _send(self, text: str, session_id: Any) -> None:
        message = quickfix.Message(f"8={_BEGIN_STRING}\x019=0\x01{text}10=000\x01", False)
        quickfix.Session.sendToTarget(message, session_id)


def _split(message: Any) -> dict[str, str]:
    return dict([piece.split("=", 1) for piece in message.toString().split("\x01")[:-1]])


def _now_us() -> int:
    return time.time_ns() // 1000


def serve(pipe: Connection, config: RelayConfig) -> None:
    """Relay until the other end of `pipe` closes; says "ready" there once all are logged on."""
    relay = _FieldRelay(config) if config.style == "fields" else _TextRelay(config)
    store = quickfix.MemoryStoreFactory()
    client_settings, venue_settings = _client_settings(config), _venue_settings(config)
    acceptor = quickfix.SocketAcceptor(relay, store, client_settings)
    initiator = quickfix.SocketInitiator(relay, store, venue_settings)
    everybody = len(config.client_comp_ids) + 1
    acceptor.poll()
    pipe.send("listening")
    while relay.logged_on < everybody:
        acceptor.poll()
        initiator.poll()
        select.select([], [], [], _CONNECTING_S)
        if relay.fault or pipe.poll():
            os._exit(1)
    pipe.send("ready")
    _relay_until_closed(relay, pipe, acceptor, initiator, config)
    if relay.fault:
        sys.stderr.write(f"bare relay: {relay.fault}\n")
    # QuickFIX's own end may wait for a silent counterparty; nothing here is worth waiting for.
    os._exit(1 if relay.fault else 0)


def _relay_until_closed(
    relay: _Relay, pipe: Connection, acceptor: Any, initiator: Any, config: RelayConfig
) -> None:
    epoll = select.epoll()
    owners: dict[int, Any] = {}
    for descriptor in descriptors.open_sockets():
        if descriptors.local_port(descriptor) == config.port:
            owners[descriptor] = acceptor
        elif descriptors.peer_port(descriptor) == config.venue_port:
            owners[descriptor] = initiator
    for descriptor in owners:
        epoll.register(descriptor, select.EPOLLIN)
    epoll.register(pipe.fileno(), select.EPOLLIN)
    while not relay.fault and relay.logged_on == len(config.client_comp_ids) + 1:
        ready = {descriptor for descriptor, _ in epoll.poll(1.0)}
        if pipe.fileno() in ready:
            return
        for engine in {owners[descriptor] for descriptor in ready} or (acceptor, initiator):
            engine.poll()


def _settings(*sessions: Sequence[str]) -> Any:
    blocks = [
        *("[DEFAULT]", "NonStopSession=Y", "SocketNodelay=Y", "SocketReuseAddress=Y"),
        *("UseDataDictionary=N", "CheckLatency=N", "ReconnectInterval=1", "HeartBtInt=60"),
        f"BeginString={_BEGIN_STRING}",
    ]
    for session in sessions:
        blocks += ["[SESSION]", *session]
    settings = quickfix.SessionSettings()
    settings.setFromString("\n".join([*blocks, ""]))
    return settings


def _client_settings(config: RelayConfig) -> Any:
    return _settings(
        *[
            (
                "ConnectionType=acceptor",
                f"SenderCompID={config.comp_id}",
                f"TargetCompID={client}",
                f"SocketAcceptPort={config.port}",
            )
            for client in config.client_comp_ids
        ]
    )


def _venue_settings(config: RelayConfig) -> Any:
    return _settings(
        (
            "ConnectionType=initiator",
            f"SenderCompID={config.comp_id}",
            f"TargetCompID={config.venue_comp_id}",
            "SocketConnectHost=127.0.0.1",
            f"SocketConnectPort={config.venue_port}",
        )
    )
