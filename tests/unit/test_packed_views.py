"""Whoever walks through orders and their names sees those that are packed too."""

import pytest

from tests.support.world import World, connected


def packed_and_open() -> tuple[World, set[str]]:
    """c1 filled and packed, c2 at work; all OrderIDs."""
    world = connected()
    world.state.orders.put_away_after_us = 0
    world.new("c1", "100")
    first = world.child("c1")
    world.ack(first)
    world.fill(first, "100")
    world.new("c2", "100", price="99")
    second = world.child("c2")
    world.tick(1)
    return world, {first.order_id, first.parent_id, second.order_id, second.parent_id}


def test_walking_through_orders_shows_all() -> None:
    world, known = packed_and_open()
    orders = world.state.orders
    assert len(orders.here()) == 2
    assert set(orders) == set(orders.keys()) == known
    assert {one.order_id for one in orders.values()} == known
    assert {name: one.order_id for name, one in orders.items()} == {one: one for one in known}
    assert len(orders) == 4
    assert all(one in orders for one in known)
    assert len(orders.here()) == 2, "to walk through them opens none"


def test_walking_through_names_shows_all() -> None:
    world, _ = packed_and_open()
    names = world.state.cl_ord_ids
    told = {("ALPHA", "c1"), ("ALPHA", "c2")}
    assert set(names) == set(names.keys()) == {name for name, _ in names.items()} == told
    assert len(names) == len(names.values()) == 2
    assert ("ALPHA", "c1") in names
    assert ("BETA", "c1") not in names


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ((), 1),
        (("ALPHA", "A1", "AAPL"), 1),
        (("ALPHA", ""), 1),
        (("BETA",), 0),
        (("ALPHA", "B1"), 0),
    ],
)
def test_the_trades_of_packed_orders_are_found(texts: tuple[str, ...], found: int) -> None:
    world, _ = packed_and_open()
    assert [one.cum_qty for one in world.state.orders.traded(*texts)] == [100] * found
    assert len(world.state.orders.here()) == 2


def test_what_nobody_has_is_an_error_to_ask_for() -> None:
    world, _ = packed_and_open()
    with pytest.raises(KeyError, match="never"):
        world.state.orders["never"]
    with pytest.raises(KeyError, match="never"):
        world.state.cl_ord_ids["ALPHA", "never"]
    assert world.state.orders.get("never") is None
    assert "never" not in world.state.orders


def test_two_states_with_other_orders_are_not_the_same() -> None:
    (one, _), (other, _) = packed_and_open(), packed_and_open()
    for mine, theirs in (
        (one.state.orders, other.state.orders),
        (one.state.cl_ord_ids, other.state.cl_ord_ids),
    ):
        assert mine == theirs
        assert not mine != theirs  # noqa: SIM202 - both questions have an answer of their own
    other.new("c3", "100", price="98")
    assert one.state.orders != other.state.orders
    assert one.state.cl_ord_ids != other.state.cl_ord_ids


def test_a_burst_is_put_away_in_pieces() -> None:
    world = connected()
    world.state.orders.put_away_after_us = 10**18
    for n in range(20):
        world.new(f"c{n}")
        child = world.child(f"c{n}")
        world.ack(child)
        world.fill(child, "100")
    assert len(world.state.orders.here()) == 40
    world.state.orders.put_away_after_us = 0
    world.new("d", "100", price="90")
    left = len(world.state.orders.here())
    assert 2 < left < 42, "some and not all with one command"
    for n in range(20):
        world.new(f"e{n}", "100", price="90")
    packed = [one for one in world.state.orders.here() if one.cum_qty]
    assert packed == []
