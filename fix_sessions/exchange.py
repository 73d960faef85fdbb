"""`oms exchange`: a simulated venue as a process, a FIX acceptor with price-time matching.

One thread: poll the FIX engine, carry out what came in, send the answers, tell the market. A
command is in the log before it is carried out, and QuickFIX counts a message as received only
after that, so a killed venue finds itself again with nothing lost and nothing done twice.
"""

import contextlib
import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import structlog

from ems.simulator.commands import Command, WalkPrices
from ems.simulator.model import ExecutionReport
from ems.simulator.statements import utc_date
from fix_sessions.engine import Engine, EngineFault, PortInUse
from fix_sessions.exchange_codec import (
    REQUESTS,
    Body,
    Fields,
    MessageRefused,
    business_reject,
    decode_mass_status,
    decode_status,
)
from fix_sessions.exchange_config import ExchangeConfig
from fix_sessions.exchange_control_server import ControlServer
from fix_sessions.exchange_drop_copy import DropCopies
from fix_sessions.exchange_durable import DurableVenue
from fix_sessions.exchange_files import DayFiles, write_day_files
from fix_sessions.exchange_log import LogError
from fix_sessions.exchange_operator import answer_of, command_of, counts
from fix_sessions.exchange_outbox import Outbox, Parcel
from fix_sessions.exchange_quotes import Quotes
from fix_sessions.exchange_speech import Speech
from fix_sessions.exchange_tls import TlsFront
from fix_sessions.settings import SessionSpec
from oms.domain.fix import BusinessRejectReason, MsgType

# The exit codes of every oms command.
EXIT_STOPPED = 0
EXIT_UNUSABLE = 1  # the log or a directory cannot be used
EXIT_PORT_IN_USE = 4
EXIT_FAULT = 8

_log = structlog.get_logger(__name__)
_POLL_S = 0.5
_STOP_TIMEOUT_S = 5.0
_REJECTS = frozenset({MsgType.REJECT, MsgType.BUSINESS_MESSAGE_REJECT})


def clock_us() -> int:
    """Now in microseconds since 1970 UTC, in whole milliseconds: what TransactTime can say."""
    return time.time_ns() // 1_000_000 * 1000


class Exchange:
    """The venue's sessions, timers and operator; also the FIX engine's handler."""

    def __init__(self, config: ExchangeConfig) -> None:
        self._config = config
        self._durable = DurableVenue(config, clock_us())
        self._venue = self._durable.venue
        self._outbox = Outbox()
        self._speech = Speech(config.begin_string)
        self._quotes = Quotes(self._venue)
        self._dirty: set[str] = set()
        self._unheard: list[tuple[str, Body]] = []  # market data requests while silent
        self._next_walk_s = time.monotonic() + config.walk_interval_ms / 1000
        self._next_publish_s = 0.0
        self._stopping = False
        self._first_day = self._day = utc_date(clock_us())
        # Without a resend_source: the log holds commands, not the messages that came of them.
        self._engine = Engine(
            [_spec(config, name) for name in (*config.target_comp_ids, *config.drop_copies)],
            store_dir=config.data_dir / "sessions",
            handler=self,
        )
        self._copies = DropCopies(config.drop_copies, self._send)
        for delivery in self._durable.unsent:
            self._copies.tell(delivery, poss_resend=True)
            parcel = Parcel(answer=delivery.answer, number=delivery.number, poss_resend=True)
            self._outbox.put(parcel)

    # Running

    def run(self, announce: Callable[[dict[str, Any]], None]) -> None:
        """Serve until SIGTERM or SIGINT; `announce` is given the ports once all is ready."""
        try:
            self._engine.start()
            control = ControlServer(self._engine, self._config.control_port)
            front = _front(self._config, self._engine.acceptor_port)
            port = front.port if front is not None else self._engine.acceptor_port
            with self._signals():
                announce({"listening": port, "control": control.port})
                while not self._stopping:
                    self._engine.poll(self._wait_s())
                    control.serve(self._operate)
                    self._turn()
            control.close()
            if not self._engine.stop(_STOP_TIMEOUT_S):
                _log.warning("exchange.logout_unanswered")
            if front is not None:
                front.close()
            self._write_last_files()
        finally:
            self._engine.close()
            self._durable.close()

    def write_files(self, day: date) -> DayFiles:
        """Write the end-of-day files of a UTC date."""
        return write_day_files(self._venue, self._config, day)

    def _write_files_before(self, today: date) -> None:
        """The files of the dates that are over by then and have none of this process yet."""
        while self._day < today:
            self.write_files(self._day)
            self._day += timedelta(days=1)

    def _write_last_files(self) -> None:
        """The files of every date on which this process ran, with what came of those since."""
        self._day = self._first_day
        self._write_files_before(utc_date(clock_us()) + timedelta(days=1))

    def _turn(self) -> None:
        """What is to be done after each poll: files, timers, answers, market data."""
        self._write_files_before(utc_date(clock_us()))
        now_s = time.monotonic()
        if self._config.walk_interval_ms and now_s >= self._next_walk_s:
            self._next_walk_s = now_s + self._config.walk_interval_ms / 1000
            self._carry_out(WalkPrices())
        self._dirty |= self._venue.take_touched()
        if self._venue.faults.silent:
            return
        self._hear()
        left = self._outbox.flush(now_s, self._engine.is_logged_on, self._send)
        if left:
            self._durable.sent(left)
        if self._dirty and now_s >= self._next_publish_s:
            touched, self._dirty = self._dirty, set()
            self._next_publish_s = now_s + self._config.market_data_interval_ms / 1000
            for session_id, (msg_type, fields) in self._quotes.publish(touched):
                self._send(session_id, msg_type, fields)

    def _send(self, session_id: str, msg_type: str, fields: Fields) -> int:
        return self._engine.send(session_id, msg_type, self._speech.write(msg_type, fields))

    def _hear(self) -> None:
        unheard, self._unheard = self._unheard, []
        for session_id, body in unheard:
            if self._engine.is_logged_on(session_id):
                self._receive(session_id, body)

    def _wait_s(self) -> float:
        """How long until a timer is due."""
        due = [_POLL_S]
        now_s = time.monotonic()
        if self._outbox.next_due_s is not None and not self._venue.faults.silent:
            due.append(self._outbox.next_due_s - now_s)
        if self._config.walk_interval_ms:
            due.append(self._next_walk_s - now_s)
        if self._dirty and not self._venue.faults.silent:
            due.append(self._next_publish_s - now_s)
        return max(min(due), 0.0)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the loop, and wake it where it waits."""

        def stop(_number: int, _frame: object) -> None:
            self._stopping = True

        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        self._engine.add_wakeup(reader.fileno(), lambda: drain(reader))
        previous = {number: signal.signal(number, stop) for number in _STOP_SIGNALS}
        previous_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous_fd)
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._engine.remove_wakeup(reader.fileno())
            reader.close()
            writer.close()

    # The FIX engine's handler

    def on_message(self, session_id: str, text: str) -> None:
        body = self._speech.read(text)
        try:
            fault = self._speech.fault_of(body)
            if fault is not None:
                raise fault
            if body.get(35) not in _REJECTS:
                self._copies.refuse_requests(session_id)
            self._receive(session_id, body)
        except MessageRefused as refused:
            self._send(session_id, "j", business_reject(body, refused))

    def on_logon(self, session_id: str) -> None:
        """What waits for the session leaves in the next turn."""

    def on_logout(self, session_id: str, reason: str) -> None:
        _log.info("exchange.session_ended", session=session_id, reason=reason)
        self._quotes.drop(session_id)
        self._outbox.forget_questions(session_id)

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        self._durable.reset(session_id)

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        """The log takes note of answers in batches, see _turn."""

    def check_logon(self, session_id: str, fields: list[tuple[int, str]]) -> str | None:
        """Every counterparty that the configuration names is welcome."""
        return None

    def _receive(self, session_id: str, body: Body) -> None:
        msg_type = body.get(35)
        decode = REQUESTS.get(msg_type)
        if decode is not None:
            seq = body.integer(34, "MsgSeqNum")
            if body.get(43) == "Y" and self._durable.seen(session_id, seq):
                return
            self._carry_out(decode(session_id, body), session=session_id, seq=seq)
        elif msg_type == MsgType.ORDER_STATUS_REQUEST:
            echo, request_id = decode_status(session_id, body)
            self._answer(self._venue.status(echo, request_id, clock_us()))
        elif msg_type == MsgType.ORDER_MASS_STATUS_REQUEST:
            echo, request_id = decode_mass_status(session_id, body)
            for report in self._venue.mass_status(echo, request_id, clock_us()):
                self._answer(report)
        elif msg_type == MsgType.MARKET_DATA_REQUEST and self._venue.faults.silent:
            self._unheard.append((session_id, body))
        elif msg_type == MsgType.MARKET_DATA_REQUEST:
            for out_type, fields in self._quotes.request(session_id, body):
                self._send(session_id, out_type, fields)
        elif msg_type in _REJECTS:
            _log.warning("exchange.peer_refused", session=session_id, text=body.get(58))
        else:
            reason = BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE
            raise MessageRefused(f"MsgType (35) {msg_type}: not supported here", reason)

    def _answer(self, report: ExecutionReport) -> None:
        """Answer a question, as late as the faults want it."""
        delay_s = self._venue.faults.delay_ms / 1000
        due_s = time.monotonic() + delay_s if delay_s else None
        self._outbox.put(Parcel(answer=report), due_s=due_s)

    def _carry_out(self, command: Command, *, session: str = "", seq: int = 0) -> tuple[str, str]:
        outcome = self._durable.take(command, clock_us(), session=session, seq=seq)
        now_s = time.monotonic()
        for delivery in outcome.deliveries:
            self._copies.tell(delivery)
            self._outbox.put_delivery(delivery, now_s)
        return outcome.refused, outcome.subject

    # The operator

    def _operate(self, request: dict[str, Any]) -> dict[str, Any]:
        command = command_of(request, self._config.target_comp_ids[0])
        if command is not None:
            refused, subject = self._carry_out(command)
            return {"error": refused} if refused else {"id": subject}
        answer = answer_of(request, self._venue)
        if answer is not None:
            return answer
        match request.get("do"):
            case "stats":
                return self._stats()
            case "disconnect":
                return self._disconnect(request.get("session"))
            case "write_trade_file":
                day = request.get("day")
                chosen = date.fromisoformat(day) if day else utc_date(clock_us())
                files = self.write_files(chosen)
                return {"trades": str(files.trades), "orders": str(files.orders)}
            case unknown:
                raise ValueError(f"do: {unknown!r}: unknown")

    def _stats(self) -> dict[str, Any]:
        sessions = (*self._config.target_comp_ids, *self._config.drop_copies)
        return {
            **counts(self._venue.orders, self._venue.trades),
            "name": self._config.name,
            "commands": self._durable.commands,
            "waiting": self._outbox.waiting,
            "logged_on": [name for name in sessions if self._engine.is_logged_on(name)],
        }

    def _disconnect(self, session: str | None) -> dict[str, Any]:
        if session is not None and session not in self._config.target_comp_ids:
            raise ValueError(f"session: {session!r}: unknown")
        for name in self._config.target_comp_ids if session is None else (session,):
            if self._engine.is_logged_on(name):
                self._engine.disconnect(name)
        return {}


_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def drain(reader: socket.socket) -> None:
    """Empty a wake-up socket."""
    with contextlib.suppress(BlockingIOError):
        while reader.recv(4096):
            pass


def _spec(config: ExchangeConfig, target_comp_id: str) -> SessionSpec:
    return SessionSpec(
        session_id=target_comp_id,
        role="acceptor",
        begin_string=config.begin_string,
        sender_comp_id=config.sender_comp_id,
        target_comp_id=target_comp_id,
        host="127.0.0.1" if config.tls else config.host,
        port=0 if config.tls else config.port,
        heart_bt_int_s=config.heart_bt_int_s,
    )


def _front(config: ExchangeConfig, plain_port: int) -> TlsFront | None:
    if config.tls is None:
        return None
    return TlsFront((config.host, config.port), config.tls, plain_port)


def _announce(ready: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


def run(config: ExchangeConfig) -> int:
    """Run one venue until SIGTERM or SIGINT; the process's exit code.

    Prints one JSON line with both ports when ready, and one line on stderr when it cannot run.
    """
    try:
        (config.data_dir / "sessions").mkdir(parents=True, exist_ok=True)
        Exchange(config).run(_announce)
    except PortInUse as error:
        sys.stderr.write(f"venue {config.name}: {error}\n")
        return EXIT_PORT_IN_USE
    except (LogError, OSError) as error:
        sys.stderr.write(f"venue {config.name}: {error}\n")
        return EXIT_UNUSABLE
    except EngineFault as error:
        sys.stderr.write(f"venue {config.name}: {error}\n")
        return EXIT_FAULT
    return EXIT_STOPPED
