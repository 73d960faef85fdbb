"""A split and its inverse are nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.fix import Side, TimeInForce
from tests.support.splits import apply, close, preview
from tests.support.terms_world import TermsWorld, world_of

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
