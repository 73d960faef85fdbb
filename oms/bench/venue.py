"""A light venue in a process of its own: accepts and fills every order at once, and notes when.

It answers what a server asks besides orders: market data with one fixed snapshot for each symbol,
and a mass status request with "no orders".
"""

import multiprocessing
import selectors
import time
from array import array
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from oms.bench.answers import Style, no_orders, reports, snapshots

_START_TIMEOUT_S = 20.0
_ANSWER_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTimes:
    """For each order in turn, CLOCK_MONOTONIC ns: when it came, and just before its Trade left."""

    order_in_ns: "array[int]"
    report_out_ns: "array[int]"


class Venue:
    """The handle of the venue's process."""

    def __init__(self, *, sender_comp_id: str, target_comp_id: str) -> None:
        settings = LightSettings(
            sender_comp_id=sender_comp_id, target_comp_id=target_comp_id, initiates=False
        )
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        self._process.start()
        theirs.close()
        self.port: int = self._received(_START_TIMEOUT_S)

    def set_style(self, style: Style) -> None:
        """Decide how the orders from now on are answered."""
        self._pipe.send(style)
        self._received(_ANSWER_TIMEOUT_S)

    def is_logged_on(self) -> bool:
        """Whether the other side has logged on."""
        self._pipe.send("logged on?")
        return bool(self._received(_ANSWER_TIMEOUT_S))

    def times(self) -> VenueTimes:
        """The times of all orders since the last call."""
        self._pipe.send("times")
        times: VenueTimes = self._received(_ANSWER_TIMEOUT_S)
        return times

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join(_ANSWER_TIMEOUT_S)
        self._pipe.close()

    def _received(self, timeout_s: float) -> Any:
        if not self._pipe.poll(timeout_s):
            raise TimeoutError(f"the bench's venue does not answer within {timeout_s} s")
        return self._pipe.recv()


def _serve(pipe: Connection, settings: LightSettings) -> None:
    with Hub() as hub:
        peer = hub.venue(settings)
        peer.keep = False
        book = _Book(peer)
        peer.on_message = book.on_message
        hub.watch(pipe.fileno(), selectors.EVENT_READ, lambda: book.on_request(pipe))
        pipe.send(peer.port)
        while not book.stopped:
            hub.pump(1.0)


class _Book:
    def __init__(self, peer: LightPeer) -> None:
        self.stopped = False
        self._peer = peer
        self._style: Style = "new and trade"
        self._orders = 0
        self._order_in_ns = array("q")
        self._report_out_ns = array("q")

    def on_request(self, pipe: Connection) -> None:
        try:
            request = pipe.recv()
        except EOFError:
            self.stopped = True
            return
        match request:
            case "logged on?":
                pipe.send(self._peer.is_logged_on)
            case "times":
                pipe.send(
                    VenueTimes(order_in_ns=self._order_in_ns, report_out_ns=self._report_out_ns)
                )
                self._order_in_ns, self._report_out_ns = array("q"), array("q")
            case style:
                self._style = style
                pipe.send(style)

    def on_message(self, message: Message) -> None:
        match message.msg_type:
            case "D":
                self._on_order(message)
            case "V":
                for body in snapshots(message.fields):
                    self._peer.session.send("W", body)
            case "AF":
                self._peer.session.send("8", no_orders(message.get(584) or ""))
            case _:
                pass

    def _on_order(self, message: Message) -> None:
        self._orders += 1
        *before, trade = reports(dict(message.fields), self._orders, self._style)
        session = self._peer.session
        for body in before:
            session.send("8", body)
        data = session.prepare("8", trade)
        self._order_in_ns.append(message.at_ns)
        self._report_out_ns.append(time.perf_counter_ns())
        # Written after all that came in one read is answered, as a venue under load does.
        session.write(data)
