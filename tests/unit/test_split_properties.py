"""A split and its inverse are nothing; positions are what trades and splits come to."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.fix import ExecType, OrdStatus, Side, TimeInForce
from oms.domain.order import Order
from oms.domain.splits import PositionRebased
from tests.support.splits import apply, close, open_date, preview
from tests.support.terms_world import TermsWorld, world_of
from tests.support.world import DATE

GTC = TimeInForce.GTC
FILLS = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 2000), st.sampled_from([Side.BUY, Side.SELL])),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(new=st.integers(1, 9), old=st.integers(1, 9), fills=FILLS)
def test_a_split_and_its_inverse_leave_everything_as_it_was(
    new: int, old: int, fills: list[tuple[int, int, Side]]
) -> None:
    """Quantities divide by all that may come, and prices are whole multiples too."""
    if new == old:
        return
    world = world_of(times={GTC})
    step = new * old
    for n, (quantity, price, side) in enumerate(fills):
        total = str(2 * quantity * step)
        px = str(price * step)
        world.ask(f"c{n}", qty=total, price=px, tif=GTC, side=side)
        child = world.child(f"c{n}")
        world.ack(child)
        world.fill(child, str(quantity * step), px)
    close(world)
    before = figures(world)
    for action, (one, other) in (("there", (new, old)), ("back", (old, new))):
        preview(world, one, other, action=action)
        assert apply(world, action) == ""
        assert world.replayed().positions == world.state.positions
    assert figures(world) == before


def figures(world: TermsWorld) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = [
        (one.order_id, one.order_qty, one.cum_qty, one.price, one.avg_px, one.leaves_qty)
        for one in world.state.orders.values()
    ]
    found += [
        (one.account, one.quantity, one.cost, one.realised, one.bought, one.sold)
        for one in world.state.positions.values()
    ]
    return found


DAYS = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(1, 500), st.sampled_from([Side.BUY, Side.SELL])), max_size=4
        ),
        st.integers(1, 5),
        st.integers(1, 5),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(days=DAYS)
def test_positions_are_what_their_trades_and_splits_come_to(
    days: list[tuple[list[tuple[int, Side]], int, int, int]],
) -> None:
    """Days of trades, each with a split in its night and then the bust of a trade of any day."""
    world = world_of()
    told: list[Trade | Night] = []
    for n, (fills, new, old, busted) in enumerate(days):
        today = (date.fromisoformat(DATE) + timedelta(days=n)).isoformat()
        tomorrow = (date.fromisoformat(DATE) + timedelta(days=n + 1)).isoformat()
        for m, (quantity, side) in enumerate(fills):
            name = f"c{n}-{m}"
            world.ask(name, qty=str(quantity), price="100", side=side)
            world.ack(world.child(name))
            world.fill(world.child(name), str(quantity))
            told.append(Trade(world.child(name), side.sign * quantity))
        close(world, today)
        if new != old:
            preview(world, new, old, action=f"A{n}", effective=tomorrow, cash="10")
            assert apply(world, f"A{n}") == ""
            cash = [one.cash_qty for one in world.of(PositionRebased)]
            told.append(Night(Fraction(new, old), sum(cash, Decimal(0))))
        open_date(world, tomorrow)
        trades = [one for one in told if isinstance(one, Trade) and one.standing(world)]
        if trades:
            one = trades[busted % len(trades)]
            bust(world, one.child)
            one.busted = True
        check(world, told)


@dataclass
class Trade:
    """All of an order, signed."""

    child: Order
    quantity: int
    busted: bool = False

    def standing(self, world: TermsWorld) -> bool:
        """Neither busted nor forgotten with its day."""
        return not self.busted and self.child.order_id in world.state.orders


@dataclass
class Night:
    """A split, and what it paid out."""

    ratio: Fraction
    cash: Decimal


def bust(world: TermsWorld, child: Order) -> None:
    [execution] = world.state.orders[child.order_id].executions.values()
    world.send(
        world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.TRADE_CANCEL,
            OrdStatus.CANCELED,
            exec_ref_id=execution.exec_id,
        )
    )
    [execution] = world.state.orders[child.order_id].executions.values()
    assert execution.busted


def check(world: TermsWorld, told: list[Trade | Night]) -> None:
    """Quantities by another way, exact; and the journal makes the same positions."""
    expected = Fraction(0)
    for one in told:
        if isinstance(one, Night):
            expected = expected * one.ratio - Fraction(one.cash)
        elif not one.busted:
            expected += one.quantity
    held = world.state.positions.get(("A1", "AAPL"))
    # What a bust of before a split leaves of a share is kept to ten decimals.
    assert abs(Fraction(held.quantity if held else 0) - expected) < Fraction(1, 10**7)
    assert world.replayed().positions == world.state.positions
