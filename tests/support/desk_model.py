"""A day's traffic around the brain, made of small numbers: what any sequence of them may do.

`Desk.act` turns one pair of numbers into something that a client, a venue, the network, an operator
or a crash does; `Desk.settle` lets everybody answer until nothing is left to say.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    Channel,
    CloseTradingDay,
    Command,
    CoreStarted,
    EngageKillSwitch,
    OpenTradingDate,
    OrderMassCancelRequest,
    OrderStatusRequest,
    Origin,
    ReleaseKillSwitch,
    SequenceReset,
    SessionLoggedOn,
)
from oms.domain.events import CancelRejected, Event, OrderRefused, OrphanReported
from oms.domain.fix import ExecType, OrdStatus, Side, TimeInForce
from oms.domain.instrument import Reference
from oms.domain.order import Order
from tests.support.venue_model import Standing, VenueModel
from tests.support.world import REFERENCE, World

SIDES = (Side.BUY, Side.SELL, Side.SELL_SHORT)
TIFS = (TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
REST = Origin(channel=Channel.REST, counterparty="ALPHA", user="kim")


class Desk:
    """See the module. answers: how often each client request was answered, by ClOrdID."""

    def __init__(self, check: Callable[["Desk"], None], reference: Reference = REFERENCE) -> None:
        self.world = World(reference)
        self.venues = [VenueModel(self.world, name) for name in ("XA", "XB")]
        self.asked: list[str] = []
        self.answers: Counter[str] = Counter()
        self.stubborn: set[str] = set()
        self._check = check
        self.orphans = 0
        self._days = 0
        for n in (2, 3):
            self._connect(n)
            self._process(n)
            self._read(n + 10)

    def send(self, command: Command, after_us: int = 1_000) -> None:
        """One command, and where its effects go."""
        self._note(self.world.send(command, after_us))

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, CancelRejected):
                self.stubborn.add(event.order_id)
            self.orphans += isinstance(event, OrphanReported)
        for effect in self.world.effects:
            venue = next((one for one in self.venues if one.name == effect.session), None)
            if venue is not None:
                venue.inbox.append(effect)
            else:
                self._count(effect)
        self._check(self)

    def _count(self, effect: fx.Effect) -> None:
        if isinstance(effect, fx.SendOrderCancelReject):
            self.answers[effect.cl_ord_id] += 1
        elif isinstance(effect, fx.SendExecutionReport):
            final = effect.exec_type in (ExecType.NEW, ExecType.REPLACED)
            asked = effect.exec_type is ExecType.CANCELED and effect.orig_cl_ord_id
            refused = any(isinstance(one, OrderRefused) for one in self.world.events)
            if final or asked or refused:
                self.answers[effect.cl_ord_id] += 1

    def act(self, kind: int, n: int) -> None:
        """Do what these numbers stand for; nothing where it cannot be done now."""
        ACTIONS[kind % len(ACTIONS)](self, n)

    def _venue(self, n: int) -> VenueModel:
        return self.venues[n % 2]

    def _orders(self) -> list[Order]:
        found = [one for one in self.world.state.orders.values() if not one.is_child]
        return sorted(found, key=lambda one: (one.created_at, one.order_id))

    def _new_id(self) -> str:
        self.asked.append(f"c{len(self.asked) + 1}")
        return self.asked[-1]

    def _new(self, n: int) -> None:
        events = self.world.new(
            self._new_id(),
            str(10 * (1 + n % 7)),
            "100",
            side=SIDES[n % 3],
            tif=TIFS[n // 3 % 4],
        )
        self._note(events)

    def _cancel(self, n: int) -> None:
        orders = self._orders()
        if orders:
            order = orders[n % len(orders)]
            self._note(self.world.cancel(self._new_id(), order.cl_ord_id))

    def _replace(self, n: int) -> None:
        orders = self._orders()
        if orders:
            order = orders[n % len(orders)]
            quantity = str(5 * (1 + n // 7 % 20))
            price = str(99 + n % 3)
            events = self.world.replace(self._new_id(), order.cl_ord_id, quantity, price)
            self._note(events)

    def _process(self, n: int) -> None:
        venue = self._venue(n)
        if venue.up:
            venue.process(accept=n // 2 % 4 != 0)

    def _read(self, n: int) -> None:
        venue = self._venue(n)
        if venue.up and venue.reports:
            again = venue.reports[0]
            self.send(venue.reports.popleft())
            if n % 10 == 0 and getattr(again, "exec_type", None) is not ExecType.ORDER_STATUS:
                self.send(again)

    def _standing(self, venue: VenueModel, n: int) -> Standing | None:
        working = venue.working()
        return working[n % len(working)] if working else None

    def _trade(self, n: int) -> None:
        venue = self._venue(n)
        standing = self._standing(venue, n)
        if standing is not None:
            quantity = min(Decimal(5 * (1 + n // 11 % 8)), standing.leaves_qty)
            venue.trade(standing, quantity, Decimal(99) + Decimal(n % 7) / 100)

    def _bust(self, n: int) -> None:
        venue = self._venue(n)
        traded = [one for one in venue.orders if one.trades]
        if traded:
            standing = traded[n % len(traded)]
            venue.bust(standing, list(standing.trades)[n % len(standing.trades)])

    def _end(self, n: int) -> None:
        venue = self._venue(n)
        standing = self._standing(venue, n)
        if standing is not None:
            venue.end(standing, OrdStatus.EXPIRED if n % 3 else OrdStatus.CANCELED)

    def _disconnect(self, n: int) -> None:
        venue = self._venue(n)
        if venue.up:
            venue.up = False
            self._note(self.world.disconnect(venue.name))

    def _connect(self, n: int) -> None:
        venue = self._venue(n)
        if not venue.up:
            venue.up = True
            origin = replace(self.world.origin(venue.name), msg_seq_num=0)
            if n % 5 == 0:
                self.send(SequenceReset(origin=origin))
            self.send(SessionLoggedOn(origin=origin))

    def _wait(self, n: int) -> None:
        self._note(self.world.tick(1_000_000 * (1 + n % 30)))

    def _ask_status(self, n: int) -> None:
        named = self.asked[n % len(self.asked)] if self.asked else "none"
        self.send(OrderStatusRequest(origin=self.world.origin("ALPHA"), cl_ord_id=named))

    def _quote(self, n: int) -> None:
        bid, ask = str(95 + n % 5), str(100 + n % 3)
        self.world.quote(self._venue(n).name, bid, ask, str(n % 50))

    def _restart(self, n: int) -> None:
        """A crash: what was decided and had not left the process never reaches the venues."""
        for venue in self.venues:
            for _ in range(min(n % 3, len(venue.inbox))):
                venue.inbox.pop()
            venue.up = False
        date = self.world.state.trade_date
        self.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=date))

    def _kill(self, n: int) -> None:
        origin = replace(SYSTEM, user="kim")
        self.send(
            EngageKillSwitch(
                origin=origin,
                level="ACCOUNT",
                subject="A1",
                reason="test",
                cancel_open_orders=n % 3 != 0,
            )
        )

    def _release(self, n: int) -> None:  # noqa: ARG002 - one signature for all
        origin = replace(SYSTEM, user="kim")
        self.send(ReleaseKillSwitch(origin=origin, level="ACCOUNT", subject="A1", reason="test"))

    def _mass_cancel(self, n: int) -> None:
        self.send(OrderMassCancelRequest(origin=REST, cl_ord_id=f"mass{n}"))

    def _close_day(self, n: int) -> None:  # noqa: ARG002 - one signature for all
        self.send(CloseTradingDay(origin=SYSTEM, trade_date=self.world.state.trade_date))

    def _next_day(self, n: int) -> None:  # noqa: ARG002 - one signature for all
        self._days += 1
        self.send(OpenTradingDate(origin=SYSTEM, trade_date=f"2026-10-{self._days:02d}"))

    def settle(self) -> None:
        """Everybody connects and answers, time passes, until nobody has anything to say."""
        self._release(0)
        for _ in range(400):
            for n, venue in enumerate(self.venues):
                self._connect(n + 2)
                while venue.inbox or venue.reports:
                    venue.process()
                    while venue.reports:
                        self.send(venue.reports.popleft())
            state = self.world.state
            quiet = not any(one.inbox or one.reports for one in self.venues)
            if quiet and not (state.awaiting or state.in_doubt):
                return
            self._note(self.world.tick(61_000_000))
        raise AssertionError(f"still open: {self.world.state.awaiting} {self.world.state.in_doubt}")


ACTIONS: tuple[Callable[[Desk, int], None], ...] = (
    *[Desk._new] * 20,
    *[Desk._cancel] * 8,
    *[Desk._replace] * 14,
    *[Desk._process] * 40,
    *[Desk._read] * 45,
    *[Desk._trade] * 30,
    *[Desk._bust] * 4,
    *[Desk._end] * 4,
    *[Desk._disconnect] * 2,
    *[Desk._connect] * 8,
    *[Desk._wait] * 4,
    *[Desk._ask_status] * 2,
    *[Desk._quote] * 8,
    Desk._restart,
    Desk._kill,
    *[Desk._release] * 4,
    Desk._mass_cancel,
    Desk._close_day,
    Desk._next_day,
)
