"""The brain with two venues and two clients in memory: commands in, events and effects out."""

from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from oms.core import replay, step
from oms.domain import effects as fx
from oms.domain.commands import (
    OBSERVATIONS,
    SYSTEM,
    Channel,
    ClockTicked,
    Command,
    CoreStarted,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    Origin,
    Quote,
    QuoteObserved,
    SessionLoggedOn,
    SessionLoggedOut,
    Stamped,
)
from oms.domain.effects import Effect
from oms.domain.events import Event
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.instrument import Client, Instrument, Reference, Venue
from oms.domain.order import Order
from oms.domain.state import State
from oms.outbound import effects_of

START = 1_790_000_000_000_000
DATE = "2026-09-21"

REFERENCE = Reference(
    instruments={
        "AAPL": Instrument(
            symbol="AAPL",
            currency="USD",
            tick=Decimal("0.01"),
            lot=Decimal(1),
            venues=("XA", "XB"),
            reference_px=Decimal(100),
        ),
        "HALT": Instrument(
            symbol="HALT", currency="USD", tick=Decimal(1), lot=Decimal(10), tradable=False
        ),
    },
    venues={
        "XA": Venue(name="XA", session="XA", fee_bps=Decimal("0.3")),
        "XB": Venue(name="XB", session="XB", fee_bps=Decimal("0.1")),
    },
    clients={
        "ALPHA": Client(name="ALPHA", session="ALPHA", accounts=frozenset({"A1", "A2"})),
        "BETA": Client(name="BETA", session="BETA", accounts=frozenset({"B1"})),
    },
)


class World:
    """Everything that happened, and shorthand for what clients and venues send."""

    def __init__(self, reference: Reference = REFERENCE) -> None:
        self.state = State(reference=reference)
        self.journal: list[tuple[int, int, Command | Event]] = []
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.at = START
        self._numbers: dict[str, int] = {}
        self._exec_ids = 0
        self.send(CoreStarted(origin=SYSTEM, leader_epoch=1, version="1", trade_date=DATE))

    def send(self, command: Command, after_us: int = 1_000) -> list[Event]:
        """The events of one command; a later clock each time."""
        self.at += after_us
        seq = self.state.seq + 1
        journaled = len(self.journal)
        self.events, self.effects = [], []
        for number, event in step(self.state, Stamped(seq=seq, at=self.at, command=command)):
            self.journal.append((number, self.at, event))
            self.events.append(event)
            self.effects.extend(effects_of(self.state, number, event))
        if self.events or not isinstance(command, OBSERVATIONS):
            self.journal.insert(journaled, (seq, self.at, command))
        return self.events

    def replayed(self) -> State:
        """A second state, folded from the journal."""
        state = State(reference=self.state.reference)
        for seq, at, entry in self.journal:
            replay(state, seq, at, entry)
        return state

    def origin(self, name: str) -> Origin:
        """The next message of a client's or venue's session."""
        self._numbers[name] = self._numbers.get(name, 0) + 1
        venue = name in self.state.reference.venues
        return Origin(
            channel=Channel.VENUE if venue else Channel.CLIENT,
            counterparty=name,
            session=name,
            msg_seq_num=self._numbers[name],
        )

    def connect(self, *venues: str) -> None:
        """Log venues on, and let them say that they have no orders of ours."""
        for venue in venues:
            self.connect_only(venue)
            self.resync_done(venue)

    def connect_only(self, name: str) -> list[Event]:
        """A session logs on, and says nothing yet."""
        return self.send(SessionLoggedOn(origin=replace(self.origin(name), msg_seq_num=0)))

    def disconnect(self, venue: str) -> list[Event]:
        """Lose a venue's session."""
        origin = replace(self.origin(venue), msg_seq_num=0)
        return self.send(SessionLoggedOut(origin=origin, text="test"))

    def resync_done(self, venue: str) -> list[Event]:
        """The empty answer to the mass status request."""
        return self.send(
            self.report(
                venue,
                "",
                ExecType.ORDER_STATUS,
                OrdStatus.REJECTED,
                mass_status_req_id=self.state.session(venue).resync_id,
                tot_num_reports=0,
                ord_rej_reason="5",
            )
        )

    def quote(self, venue: str, bid: str | None, ask: str | None, size: str = "1000") -> None:
        """A venue's top of book in AAPL."""
        quote = Quote(
            bid=Decimal(bid) if bid else None,
            bid_size=Decimal(size),
            ask=Decimal(ask) if ask else None,
            ask_size=Decimal(size),
        )
        self.send(QuoteObserved(origin=self.origin(venue), symbol="AAPL", quote=quote))

    def tick(self, after_us: int) -> list[Event]:
        """Let time pass."""
        return self.send(ClockTicked(), after_us)

    def new(
        self,
        cl_ord_id: str,
        qty: str = "100",
        price: str | None = "100",
        *,
        client: str = "ALPHA",
        account: str = "A1",
        symbol: str = "AAPL",
        side: Side = Side.BUY,
        tif: TimeInForce = TimeInForce.DAY,
        poss_resend: bool = False,
    ) -> list[Event]:
        """A client's new order."""
        return self.send(
            NewOrderSingle(
                origin=replace(self.origin(client), poss_resend=poss_resend),
                cl_ord_id=cl_ord_id,
                account=account,
                symbol=symbol,
                side=side,
                order_qty=Decimal(qty),
                ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
                price=None if price is None else Decimal(price),
                time_in_force=tif,
            )
        )

    def cancel(self, cl_ord_id: str, orig: str, *, client: str = "ALPHA") -> list[Event]:
        """A client's cancel request."""
        return self.send(
            OrderCancelRequest(origin=self.origin(client), cl_ord_id=cl_ord_id, orig_cl_ord_id=orig)
        )

    def replace(
        self, cl_ord_id: str, orig: str, qty: str, price: str | None = "100"
    ) -> list[Event]:
        """A client's cancel/replace request."""
        return self.send(
            OrderCancelReplaceRequest(
                origin=self.origin("ALPHA"),
                cl_ord_id=cl_ord_id,
                orig_cl_ord_id=orig,
                order_qty=Decimal(qty),
                price=None if price is None else Decimal(price),
            )
        )

    def order(self, cl_ord_id: str, client: str = "ALPHA") -> Order:
        """The client order of that ClOrdID."""
        found = self.state.order_of(client, cl_ord_id)
        assert found is not None, cl_ord_id
        return found

    def child(self, cl_ord_id: str, n: int = -1) -> Order:
        """A child of that client order, the newest by default."""
        return self.state.orders[self.order(cl_ord_id).children[n]]

    def report(
        self, venue: str, cl_ord_id: str, exec_type: ExecType, ord_status: OrdStatus, **more: object
    ) -> ExecutionReport:
        """An ExecutionReport of a venue."""
        self._exec_ids += 1
        values: dict[str, object] = {
            "origin": self.origin(venue),
            "order_id": f"V-{cl_ord_id}",
            "cl_ord_id": cl_ord_id,
            "exec_id": f"{venue}-{self._exec_ids}",
            "exec_type": exec_type,
            "ord_status": ord_status,
            "symbol": "AAPL",
            "side": Side.BUY,
        }
        return ExecutionReport(**(values | more))  # type: ignore[arg-type]

    def ack(self, child: Order) -> list[Event]:
        """The venue's New."""
        return self.send(
            self.report(child.counterparty, child.cl_ord_id, ExecType.NEW, OrdStatus.NEW)
        )

    def fill(self, child: Order, qty: str, price: str = "100", **more: object) -> list[Event]:
        """A trade of the child at its venue."""
        report = self.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.TRADE,
            OrdStatus.PARTIALLY_FILLED,
            side=child.side,
            last_qty=Decimal(qty),
            last_px=Decimal(price),
            **more,
        )
        return self.send(report)

    def canceled(self, child: Order, cl_ord_id: str = "") -> list[Event]:
        """The venue's Canceled, of its own accord or under the request's ClOrdID."""
        return self.send(
            self.report(
                child.counterparty,
                cl_ord_id or child.cl_ord_id,
                ExecType.CANCELED,
                OrdStatus.CANCELED,
                orig_cl_ord_id=child.cl_ord_id,
            )
        )


E = TypeVar("E")


def of_type(world: World, kind: type[E]) -> list[E]:
    """The last command's events of that type."""
    return [event for event in world.events if isinstance(event, kind)]


def reports(world: World) -> list[tuple[ExecType, OrdStatus]]:
    """ExecType and OrdStatus of the reports that the last command sent to clients."""
    return [
        (one.exec_type, one.ord_status)
        for one in world.effects
        if isinstance(one, fx.SendExecutionReport)
    ]


def connected() -> World:
    """A world with both venues up and in step."""
    world = World()
    world.connect("XA", "XB")
    return world
