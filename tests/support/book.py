"""A core without its runtime: commands in, batches out. The state, numbers and time are real."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from oms.core import step
from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    CoreStarted,
    ExecutionReport,
    MessagesSent,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    Origin,
    Quote,
    QuoteObserved,
    SentMessage,
    SessionLoggedOn,
    Stamped,
)
from oms.domain.events import Event, OrderRouted
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side
from oms.domain.instrument import Client, Instrument, Reference, Venue
from oms.domain.order import Order
from oms.domain.state import State
from oms.store.batch import GENESIS, Batch, SealedBatch

START = 1_795_233_600_000_000
CLIENT = "ALPHA"
VENUES = ("XONE", "XTWO")
SYMBOLS = ("AAPL", "MSFT", "NVDA")
ACCOUNTS = ("ACC1", "ACC2")


def reference() -> Reference:
    """One client with two accounts, two venues, three shares."""
    return Reference(
        instruments={
            symbol: Instrument(
                symbol=symbol,
                currency="USD",
                tick=Decimal("0.01"),
                lot=Decimal(1),
                venues=VENUES,
                reference_px=Decimal(100),
            )
            for symbol in SYMBOLS
        },
        venues={name: Venue(name=name, session=name) for name in VENUES},
        clients={
            CLIENT: Client(name=CLIENT, session=CLIENT, accounts=frozenset({*ACCOUNTS, "ACC9"}))
        },
    )


@dataclass(slots=True, kw_only=True)
class Book:
    """Feeds oms.core.step and collects what it says in the batch."""

    leader_epoch: int = 1
    state: State = field(default_factory=lambda: State(reference=reference()))
    at: int = START
    seq: int = 0
    last_hash: bytes = GENESIS
    inbound: dict[str, int] = field(default_factory=dict)
    outbound: int = 0
    batch: Batch = field(init=False)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self.batch = Batch(
            self.state,
            first_seq=self.seq + 1,
            previous_hash=self.last_hash,
            leader_epoch=self.leader_epoch,
        )

    def take(self, command: Command) -> list[Event]:
        """Number and stamp a command, decide it, add it all to the batch."""
        self.at += 1_000
        self.seq += 1
        stamped = Stamped(seq=self.seq, at=self.at, command=command)
        events = []
        self.batch.add_command(self.seq, self.at, command)
        for seq, event in step(self.state, stamped):
            self.batch.add_event(seq, self.at, event)
            self.seq = seq
            events.append(event)
        return events

    def observe(self, venue: str, symbol: str) -> None:
        """A quote, which changes what the state knows and is not journaled."""
        quote = QuoteObserved(origin=self.origin(venue), symbol=symbol, quote=Quote())
        seq = self.seq + 1
        events = list(step(self.state, Stamped(seq=seq, at=self.at, command=quote)))
        assert not events
        self.state.seq = self.seq

    def seal(self) -> SealedBatch:
        """The batch so far; the next one is open."""
        sealed = self.batch.seal()
        self.last_hash = sealed.last_hash
        self._open()
        return sealed

    def origin(self, session: str, raw: str = "") -> Origin:
        """The next message of a session."""
        number = self.inbound[session] = self.inbound.get(session, 0) + 1
        return Origin(
            channel=Channel.CLIENT if session == CLIENT else Channel.VENUE,
            counterparty=session,
            session=session,
            epoch=self.state.session(session).epoch,
            msg_seq_num=number,
            received_at=self.at,
            raw=raw or f"8=FIX.4.4\x019=178\x0135=D\x0149={session}\x0134={number}\x0110=000\x01",
        )

    def start(self) -> None:
        """A leader, everybody logged on, venues resynchronised."""
        self.take(
            CoreStarted(
                origin=SYSTEM, leader_epoch=self.leader_epoch, version="1", trade_date="2026-11-20"
            )
        )
        for session in (CLIENT, *VENUES):
            self.take(SessionLoggedOn(origin=self.origin(session)))
        for venue in VENUES:
            report = self.report(None, venue, ExecType.ORDER_STATUS, OrdStatus.REJECTED)
            self.take(report)

    def report(
        self,
        child: Order | None,
        venue: str,
        exec_type: ExecType,
        ord_status: OrdStatus,
        *,
        last_qty: Decimal | None = None,
        last_px: Decimal | None = None,
        exec_ref_id: str = "",
    ) -> ExecutionReport:
        """What a venue says of a child; of none: that its mass status is complete."""
        origin = self.origin(venue)
        cum_qty = (child.cum_qty if child else Decimal(0)) + (last_qty or Decimal(0))
        return ExecutionReport(
            origin=origin,
            order_id=f"V{child.order_id}" if child else "",
            cl_ord_id=child.cl_ord_id if child else "",
            exec_id=f"X{origin.msg_seq_num}",
            exec_type=exec_type,
            ord_status=ord_status,
            symbol=child.symbol if child else "",
            side=child.side if child else Side.BUY,
            exec_ref_id=exec_ref_id,
            last_qty=last_qty,
            last_px=last_px,
            cum_qty=cum_qty,
            transact_time=self.at,
            mass_status_req_id="" if child else self.state.session(venue).resync_id,
            tot_num_reports=None if child else 0,
            last_rpt_requested=child is None,
        )

    def order(self, number: int, rng: random.Random) -> NewOrderSingle:
        """A client's new order, every fifth over REST; a few ask for what risk refuses."""
        rest = Origin(channel=Channel.REST, counterparty=CLIENT, user="kim")
        return NewOrderSingle(
            origin=self.origin(CLIENT) if number % 5 else rest,
            cl_ord_id=f"ORD-{number}",
            account=rng.choice(ACCOUNTS),
            symbol=rng.choice([*SYMBOLS, *SYMBOLS, *SYMBOLS, "NONE"]),
            side=rng.choice(list(Side)),
            order_qty=Decimal(rng.randint(1, 500)),
            ord_type=OrdType.LIMIT,
            price=Decimal(rng.randint(9_900, 10_100)) / 100,
        )

    def sent(self, events: list[tuple[int, Event]]) -> MessagesSent:
        """As if each of these events had sent one message to the client."""
        messages = []
        for seq, event in events:
            self.outbound += 1
            messages.append(
                SentMessage(
                    session=CLIENT,
                    epoch=0,
                    msg_seq_num=self.outbound,
                    event_seq=seq,
                    msg_type="8",
                    order_id=getattr(event, "order_id", ""),
                    text=f"8=FIX.4.4\x0135=8\x0134={self.outbound}\x0158={'x' * 120}\x0110=000\x01",
                )
            )
        return MessagesSent(origin=SYSTEM, messages=tuple(messages))


def flow(book: Book, orders: int, seed: int) -> Iterator[None]:
    """A seeded day: orders, acknowledgements, fills, cancels, replaces, busts and corrections.

    Yields after each command, where a batch may be sealed.
    """
    rng = random.Random(seed)
    working: list[Order] = []
    trades: list[tuple[Order, str, str, Decimal]] = []
    for number in range(orders):
        first = book.seq + 1
        events = book.take(book.order(number, rng))
        yield
        book.take(book.sent(list(enumerate(events, first + 1))))
        yield
        for event in events:
            if isinstance(event, OrderRouted):
                child = book.state.orders[event.order_id]
                working.append(child)
                book.take(book.report(child, child.counterparty, ExecType.NEW, OrdStatus.NEW))
                yield
        for _ in range(rng.randint(0, 3)):
            if working:
                child = rng.choice(working)
                book.take(_next_report(book, rng, child, trades))
                yield
        if rng.random() < 0.3 and working:
            parent = book.state.orders[rng.choice(working).parent_id]
            book.take(_request(book, rng, parent, number))
            yield
        working = [child for child in working[-50:] if child.is_open]


def _next_report(
    book: Book, rng: random.Random, child: Order, trades: list[tuple[Order, str, str, Decimal]]
) -> ExecutionReport:
    venue = child.counterparty
    chance = rng.random()
    if trades and chance < 0.1:
        traded, where, exec_id, last_qty = trades.pop(rng.randrange(len(trades)))
        if chance < 0.05:
            bust = ExecType.TRADE_CANCEL
            return book.report(traded, where, bust, OrdStatus.NEW, exec_ref_id=exec_id)
        return book.report(
            traded,
            where,
            ExecType.TRADE_CORRECT,
            OrdStatus.NEW,
            exec_ref_id=exec_id,
            last_qty=last_qty,
            last_px=Decimal("100.01"),
        )
    if chance < 0.2:
        return book.report(child, venue, ExecType.CANCELED, OrdStatus.CANCELED)
    last_qty = min(Decimal(rng.randint(1, 200)), child.leaves_qty or Decimal(1))
    report = book.report(
        child,
        venue,
        ExecType.TRADE,
        OrdStatus.PARTIALLY_FILLED,
        last_qty=last_qty,
        last_px=child.price,
    )
    trades.append((child, venue, report.exec_id, last_qty))
    return report


def _request(book: Book, rng: random.Random, order: Order, number: int) -> Command:
    if rng.random() < 0.5:
        return OrderCancelRequest(
            origin=book.origin(CLIENT),
            cl_ord_id=f"CXL-{number}",
            orig_cl_ord_id=order.cl_ord_id,
        )
    return OrderCancelReplaceRequest(
        origin=book.origin(CLIENT),
        cl_ord_id=f"RPL-{number}",
        orig_cl_ord_id=order.cl_ord_id,
        order_qty=order.order_qty + rng.randint(-50, 50),
        price=order.price,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
    )
