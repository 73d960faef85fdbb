"""Orders through the server's own code without sockets, threads or a database.

It makes the batches that the server would commit, so that the database can be measured with the
very rows and the very statement, and it shows what the server's own work costs.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from fix_sessions.decode import Decoder
from fix_sessions.encode import encode
from fix_sessions.registry import Counterparty
from fix_sessions.wire import SOH, fields_of, frame, utc_timestamp_ms
from oms.bench import answers
from oms.bench.load import BenchError, OrderShape
from oms.core import step
from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    CoreStarted,
    MessagesSent,
    Origin,
    SentMessage,
    SessionLoggedOn,
    Stamped,
)
from oms.domain.effects import ControlSession, Effect
from oms.domain.instrument import Client, Instrument, Reference, Venue
from oms.domain.kept_orders import Orders
from oms.domain.state import State
from oms.outbound import effects_of
from oms.store.batch import Batch, SealedBatch

_CLIENT, _VENUE, _COMP_ID = "BENCH1", "BENCHVENUE", "PLUMBLINE"


class Flow:
    """One client, one venue, and the core between them.

    previous_hash: of the journal's last entry, number `seq`; own_ns: time spent in the server's own
    code so far, from FIX text in to FIX text out and a packed batch.
    """

    def __init__(
        self,
        *,
        shape: OrderShape,
        leader_epoch: int,
        seq: int,
        previous_hash: bytes,
        orders: Orders | None = None,
    ) -> None:
        self.own_ns = 0
        self.style: answers.Style = "new and trade"
        kept = Orders() if orders is None else orders
        self.state = State(reference=_reference(shape), seq=seq, orders=kept)
        self._shape = shape
        self._leader_epoch = leader_epoch
        self._last_hash = previous_hash
        self._orders = self._venue_orders = 0
        self._prefix = f"F{time.time_ns():x}-"
        self._decoders = {
            _CLIENT: Decoder(Counterparty(session_id=_CLIENT, name=_CLIENT, role="client")),
            _VENUE: Decoder(Counterparty(session_id=_VENUE, name=_VENUE, role="venue")),
        }
        self._inbound = dict.fromkeys(self._decoders, 0)
        self._outbound = dict.fromkeys(self._decoders, 0)
        self._sent: list[SentMessage] = []
        self._from_venue: list[tuple[str, answers.Body]] = []

    def opened(self) -> list[SealedBatch]:
        """The batches that open the day: the leader's start, both logons, resynchronisation."""
        date = datetime.now(UTC).date().isoformat()
        epoch = self._leader_epoch
        start = CoreStarted(origin=SYSTEM, leader_epoch=epoch, version="bench", trade_date=date)
        logons = [
            SessionLoggedOn(origin=Origin(channel=channel, counterparty=name, session=name))
            for channel, name in ((Channel.CLIENT, _CLIENT), (Channel.VENUE, _VENUE))
        ]
        batches = [self.sealed([start, *logons]), self.sealed(self.round(0))]
        if not self.state.session(_VENUE).ready:
            raise BenchError("the bench's own flow is stuck: its venue session is not ready")
        return batches

    def round(self, orders: int) -> list[Command]:
        """What comes next: the note of what was sent, the venue's answers to it, new orders."""
        commands: list[Command] = []
        if self._sent:
            commands.append(MessagesSent(origin=SYSTEM, messages=tuple(self._sent)))
            self._sent = []
        waiting, self._from_venue = self._from_venue, []
        texts = [(_VENUE, self._text(_VENUE, *each)) for each in waiting]
        for _ in range(orders):
            self._orders += 1
            body = self._shape.fields(self._orders, f"{self._prefix}{self._orders}")
            texts.append((_CLIENT, self._text(_CLIENT, "D", body)))
        start_ns = time.perf_counter_ns()
        for session, text in texts:
            commands += self._decoders[session].decode(text, epoch=0, at=_now_us())
        self.own_ns += time.perf_counter_ns() - start_ns
        return commands

    def sealed(self, commands: Sequence[Command]) -> SealedBatch:
        """These commands decided, their events folded, the rows packed; one batch."""
        state = self.state
        start_ns = time.perf_counter_ns()
        batch = Batch(
            state,
            first_seq=state.seq + 1,
            previous_hash=self._last_hash,
            leader_epoch=self._leader_epoch,
        )
        effects: list[Effect] = []
        for command in commands:
            seq, at = state.seq + 1, _now_us()
            batch.add_command(seq, at, command)
            for number, event in step(state, Stamped(seq=seq, at=at, command=command)):
                batch.add_event(number, at, event)
                effects.extend(effects_of(state, number, event))
        sealed = batch.seal()
        messages = [one for one in effects if not isinstance(one, ControlSession)]
        bodies = [encode(message) for message in messages]
        self.own_ns += time.perf_counter_ns() - start_ns
        self._last_hash = sealed.last_hash
        for effect, (msg_type, pieces) in zip(messages, bodies, strict=True):
            self._send(effect, msg_type, fields_of("".join([f"{piece}{SOH}" for piece in pieces])))
        return sealed

    def _send(self, effect: Effect, msg_type: str, body: answers.Body) -> None:
        session = effect.session
        self._outbound[session] += 1
        number = self._outbound[session]
        text = _framed(msg_type, number, _COMP_ID, session, body)
        self._sent.append(
            SentMessage(
                session=session,
                epoch=0,
                msg_seq_num=number,
                event_seq=effect.event_seq,
                msg_type=msg_type,
                order_id=getattr(effect, "order_id", ""),
                text=text,
            )
        )
        if session != _VENUE:
            return
        match msg_type:
            case "D":
                self._venue_orders += 1
                found = answers.reports(dict(body), self._venue_orders, self.style)
                self._from_venue += [("8", each) for each in found]
            case "AF":
                self._from_venue.append(("8", answers.no_orders(dict(body)[584])))
            case _:
                pass

    def _text(self, session: str, msg_type: str, body: answers.Body) -> str:
        self._inbound[session] += 1
        return _framed(msg_type, self._inbound[session], session, _COMP_ID, body)


def _framed(msg_type: str, number: int, sender: str, target: str, body: answers.Body) -> str:
    now = utc_timestamp_ms(_now_us())
    header = [(35, msg_type), (34, str(number)), (49, sender), (52, now), (56, target)]
    return frame("FIX.4.4", [*header, *body]).decode("latin-1")


def _now_us() -> int:
    return time.time_ns() // 1000


def _reference(shape: OrderShape) -> Reference:
    return Reference(
        instruments={
            symbol: Instrument(
                symbol=symbol,
                currency="USD",
                tick=Decimal("0.01"),
                lot=Decimal(1),
                venues=(_VENUE,),
            )
            for symbol in shape.symbols
        },
        venues={_VENUE: Venue(name=_VENUE, session=_VENUE, market_data=False)},
        clients={
            _CLIENT: Client(name=_CLIENT, session=_CLIENT, accounts=frozenset({shape.account}))
        },
    )
