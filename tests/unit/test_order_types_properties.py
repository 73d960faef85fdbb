"""Whatever happens to stops and good-till orders, the laws hold, and a replay makes the same."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.commands import SYSTEM, CloseTradingDay, CoreStarted, OpenTradingDate
from oms.domain.events import OrderTriggered
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.order import Order
from tests.support.invariants import check_same
from tests.support.terms_world import TermsWorld, world_of
from tests.support.world import START

PRICES = st.sampled_from(["98", "99", "100", "101", "102"])
ACTIONS = st.tuples(
    st.sampled_from(
        [
            *("stop", "limit", "quote", "quote", "ack", "fill", "cancel", "amend", "expired"),
            *("time", "canceled", "triggered", "down", "up", "close", "open", "restart"),
        ]
    ),
    PRICES,
    PRICES,
    st.integers(0, 5),
)
DATES = [f"2026-09-{day}" for day in range(21, 30)]


class Story:
    """One world and what has happened in it."""

    def __init__(self, *, native: bool) -> None:
        types = {OrdType.STOP, OrdType.STOP_LIMIT} if native else set()
        times = {TimeInForce.GTC, TimeInForce.GTD}
        self.world: TermsWorld = world_of(types=types, times=times)
        self.names: list[str] = []
        self.triggers: list[str] = []
        self.day = 0

    def open_child(self, pick: int) -> Order | None:
        state = self.world.state
        found = sorted(one for one in state.open_orders if state.orders[one].is_child)
        return state.orders[found[pick % len(found)]] if found else None

    def known(self) -> list[str]:
        """ClOrdIDs that name an order; a refused request's does not."""
        return [one for one in self.names if self.world.state.order_of("ALPHA", one)]

    def name(self) -> str:
        self.names.append(f"c{len(self.names) + 1}")
        return self.names[-1]

    def act(self, kind: str, one: str, other: str, pick: int) -> None:
        """Do it, where it can be done."""
        world = self.world
        world.events = []  # where nothing can be done, nothing happens
        child = self.open_child(pick)
        match kind:
            case "stop" | "limit":
                self._order(kind, one, other, pick)
            case "quote":
                world.quote("XA" if pick % 2 else "XB", one, other)
            case "cancel" | "amend" if self.known():
                orig = self.known()[pick % len(self.known())]
                if kind == "cancel":
                    world.cancel(self.name(), orig)
                else:
                    world.amend(self.name(), orig, qty="90", stop_px=Decimal(one))
            case "ack" if child is not None:
                world.ack(child)
            case "fill" if child is not None:
                world.fill(child, "30", one)
            case "canceled" | "expired" | "triggered" if child is not None:
                said = {
                    "canceled": (ExecType.CANCELED, OrdStatus.CANCELED),
                    "expired": (ExecType.EXPIRED, OrdStatus.EXPIRED),
                    "triggered": (ExecType.TRIGGERED, OrdStatus.NEW),
                }[kind]
                more = {"cum_qty": child.cum_qty, "side": child.side}
                world.send(world.report(child.counterparty, child.cl_ord_id, *said, **more))
            case "time":
                world.tick(20_000_000)
            case _:
                self._turn(kind, pick)
        self.triggers += [event.order_id for event in world.of(OrderTriggered)]

    def _order(self, kind: str, price: str, stop_px: str, pick: int) -> None:
        tif = [TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD][pick % 3]
        until = {"expire_time": self.world.at + 30_000_000} if tif is TimeInForce.GTD else {}
        side = Side.BUY if pick % 2 else Side.SELL
        if kind == "stop":
            until |= {"stop_px": Decimal(stop_px)}
        ord_type = OrdType.STOP_LIMIT if kind == "stop" else OrdType.LIMIT
        self.world.ask(self.name(), ord_type, price=price, side=side, tif=tif, **until)

    def _turn(self, kind: str, pick: int) -> None:
        venue = "XA" if pick % 2 else "XB"
        match kind:
            case "down":
                self.world.disconnect(venue)
            case "up":
                self.world.back(venue)
            case "close":
                self.world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATES[self.day]))
            case "open" if self.day + 1 < len(DATES):
                self.day += 1
                self.world.send(OpenTradingDate(origin=SYSTEM, trade_date=DATES[self.day]))
            case "restart":
                date = DATES[self.day]
                started = CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=date)
                self.world.send(started)
            case _:
                pass


@settings(max_examples=60, deadline=None)
@given(native=st.booleans(), actions=st.lists(ACTIONS, max_size=30))
def test_the_laws_hold_and_a_replay_makes_the_same(
    *, native: bool, actions: list[tuple[str, str, str, int]]
) -> None:
    story = Story(native=native)
    for action in actions:
        story.act(*action)
    world = story.world
    check_same(world.state, world.replayed())
    assert len(story.triggers) == len(set(story.triggers)), "an order is triggered once"
    for name, waiting in world.state.stops.items():
        for order_id in waiting:
            order = world.state.orders[order_id]
            assert (order.symbol, order.is_open, order.triggered_at) == (name, True, 0)
            assert order_id in world.state.held or order.requests or order.expiring
    for order_id in world.state.until:
        order = world.state.orders[order_id]
        assert order.is_live
        assert not order.expiring
        assert order.created_at >= START
