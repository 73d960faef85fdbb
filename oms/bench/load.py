"""The client side of the bench: light FIX clients that keep orders in flight and note the times."""

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from fix_sessions.light_session import LightSettings, Message, wall_clock_us
from fix_sessions.light_socket import Hub, LightPeer
from fix_sessions.wire import utc_timestamp_ms

_LOGON_TIMEOUT_S = 30.0
_STALL_S = 20.0
_CHECK_S = 0.5
PAUSE_S = 0.001
"""Before each order that comes alone."""
_PRICE_TICKS = 19


class BenchError(RuntimeError):
    """The run cannot be finished or its figures mean nothing; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShape:
    """What the orders are made of. Contents vary, so that no check takes one for a duplicate."""

    symbols: tuple[str, ...]
    account: str

    def fields(self, number: int, cl_ord_id: str) -> list[tuple[int, str]]:
        """NewOrderSingle number `number`: a limit order around 100, buys and sells in turn."""
        return [
            (11, cl_ord_id),
            (1, self.account),
            (21, "1"),
            (55, self.symbols[number // 2 % len(self.symbols)]),
            (54, "12"[number % 2]),
            (60, utc_timestamp_ms(wall_clock_us())),
            (38, str(100 * (1 + number // 2 % 40))),
            (40, "2"),
            (44, f"100.{number // 80 % _PRICE_TICKS:02d}"),
            (59, "0"),
        ]


@dataclass(slots=True, kw_only=True)
class ClientTimes:
    """For each order in turn, CLOCK_MONOTONIC ns: just before it left, and when its Trade came."""

    order_out_ns: "array[int]" = field(default_factory=lambda: array("q"))
    report_in_ns: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def seconds(self) -> float:
        """From the first order out to the last report in."""
        return (max(self.report_in_ns) - min(self.order_out_ns)) / 1e9


class Load:
    """Clients of one server, all driven by the calling thread."""

    def __init__(
        self, *, host: str, port: int, sessions: Sequence[LightSettings], shape: OrderShape
    ) -> None:
        self._hub = Hub()
        self._peers = [self._hub.client(host, port, settings) for settings in sessions]
        self._shape = shape
        self._runs = 0
        for peer in self._peers:
            peer.keep = False

    def logon(self) -> None:
        """Have all sessions logged on."""
        for peer in self._peers:
            peer.logon(_LOGON_TIMEOUT_S)

    def close(self) -> None:
        """Drop the connections."""
        self._hub.close()

    def run(self, *, orders: int, in_flight: int, one_by_one: bool = False) -> ClientTimes:
        """Send `orders` orders, at most `in_flight` per session unfilled, and await every fill.

        `one_by_one` sends each order a moment after the one before is filled, by the first session.
        Raises BenchError for a reject, a lost session, or when nothing comes for a while.
        """
        self._runs += 1
        run = _Run(f"B{wall_clock_us():x}-{self._runs}-", orders, self._shape)
        peers = self._peers[:1] if one_by_one else self._peers
        for peer in peers:
            peer.on_message = run.answers_of(peer, refill=not one_by_one)
        if one_by_one:
            for number in range(orders):
                self._hub.pump(PAUSE_S)
                run.send_next(peers[0])
                self._await(run, number + 1, peers)
        else:
            for _ in range(min(in_flight, orders // len(peers) or 1)):
                for peer in peers:
                    run.send_next(peer)
            self._await(run, orders, peers)
        return run.times

    def _await(self, run: "_Run", filled: int, peers: Sequence[LightPeer]) -> None:
        stalled_at = time.monotonic() + _STALL_S
        check_at = 0.0
        before = run.filled
        while run.filled < filled:
            if run.failure:
                raise BenchError(run.failure)
            now = time.monotonic()
            if now >= check_at:
                check_at = now + _CHECK_S
                _check_logged_on(peers, f"{run.filled} of {filled} orders filled")
            if now > stalled_at:
                raise BenchError(
                    f"no fill for {_STALL_S} s: {run.filled} of {filled} orders are filled"
                )
            self._hub.pump(_CHECK_S)
            if run.filled > before:
                before = run.filled
                stalled_at = now + _STALL_S


def _check_logged_on(peers: Sequence[LightPeer], progress: str) -> None:
    for peer in peers:
        if not peer.is_logged_on:
            session = peer.session
            raise BenchError(
                f"session with {session.settings.target_comp_id} lost in mid-run, "
                f"{progress}: {session.close_reason}"
            )


class _Run:
    """One run's orders: what is sent, what is filled, and when."""

    def __init__(self, prefix: str, orders: int, shape: OrderShape) -> None:
        self.times = ClientTimes(report_in_ns=array("q", bytes(8 * orders)))
        self.filled = 0
        self.failure = ""
        self._prefix = prefix
        self._orders = orders
        self._shape = shape

    def send_next(self, peer: LightPeer) -> None:
        """Send the next order by this session, if any is left."""
        number = len(self.times.order_out_ns)
        if number >= self._orders:
            return
        data = peer.session.prepare("D", self._shape.fields(number, f"{self._prefix}{number}"))
        self.times.order_out_ns.append(time.perf_counter_ns())
        peer.session.write(data)
        peer.flush()

    def answers_of(self, peer: LightPeer, *, refill: bool) -> "_Answers":
        return _Answers(self, peer, refill=refill)

    def on_report(self, message: Message) -> bool:
        """Note a report; whether it filled its order."""
        exec_type, ord_status = message.get(150), message.get(39)
        cl_ord_id = message.get(11) or ""
        if exec_type == "F" and ord_status == "2" and cl_ord_id.startswith(self._prefix):
            number = int(cl_ord_id[len(self._prefix) :])
            if self.times.report_in_ns[number]:
                self.failure = f"order {cl_ord_id} is filled twice: {message}"
            self.times.report_in_ns[number] = message.at_ns
            self.filled += 1
            return True
        if exec_type not in {"0", "A", "F"}:
            self.failure = f"an order was not accepted: {message}"
        return False


class _Answers:
    """What one session does with what comes."""

    def __init__(self, run: _Run, peer: LightPeer, *, refill: bool) -> None:
        self._run = run
        self._peer = peer
        self._refill = refill

    def __call__(self, message: Message) -> None:
        if message.msg_type == "8":
            if self._run.on_report(message) and self._refill:
                self._run.send_next(self._peer)
        elif message.msg_type in {"3", "j", "9", "5"}:
            self._run.failure = f"the server refuses: {message}"
