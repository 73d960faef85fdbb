"""Lists of orders for tests: commands for the brain, and fields for the wire."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from oms.domain.answer_effects import ListedOrder, SendListStatus
from oms.domain.baskets import (
    ListCancelRequest,
    ListExecute,
    ListOrder,
    ListStatusRequest,
    NewOrderList,
)
from oms.domain.events import Event
from oms.domain.fix import OrdType, Side, TimeInForce
from tests.support.world import World, connected


def listed(
    number: int,
    qty: str = "100",
    price: str | None = "100",
    *,
    cl_ord_id: str = "",
    account: str = "A1",
    symbol: str = "AAPL",
    side: Side = Side.BUY,
    tif: TimeInForce = TimeInForce.DAY,
) -> ListOrder:
    """An order of a list, named o1, o2 and so on by its number."""
    return ListOrder(
        list_seq_no=number,
        cl_ord_id=cl_ord_id or f"o{number}",
        account=account,
        symbol=symbol,
        side=side,
        order_qty=Decimal(qty),
        ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
        price=None if price is None else Decimal(price),
        time_in_force=tif,
    )


def send_list(
    world: World,
    orders: Sequence[ListOrder],
    name: str = "L1",
    *,
    client: str = "ALPHA",
    again: bool = False,
    **more: object,
) -> list[Event]:
    """A client's NewOrderList; again: marked PossResend."""
    values: dict[str, object] = {
        "origin": replace(world.origin(client), poss_resend=again),
        "list_id": name,
        "bid_type": "3",
        "tot_no_orders": len(orders),
        "orders": tuple(orders),
    }
    return world.send(NewOrderList(**(values | more)))  # type: ignore[arg-type]


def ask(
    world: World,
    kind: type[ListCancelRequest] | type[ListExecute] | type[ListStatusRequest],
    name: str = "L1",
    client: str = "ALPHA",
) -> list[Event]:
    """A client's request about a list."""
    return world.send(kind(origin=world.origin(client), list_id=name))


THREE = (listed(1, "100", "99"), listed(2, "200", "98"), listed(3, "300", "97"))


def taken(orders: Sequence[ListOrder] = THREE) -> World:
    """Both venues are up, and a list is at work with every order of it at a venue."""
    world = connected()
    send_list(world, orders)
    for one in orders:
        world.ack(world.child(one.cl_ord_id))
    return world


def told(world: World) -> list[tuple[str, str]]:
    """ListStatusType and ListOrderStatus of what the last command told."""
    return [(one.status_type.value, one.order_status.value) for one in statuses(world)]


def end(world: World, name: str) -> None:
    """The client cancels an order of its list, and the venue does as asked."""
    world.cancel(f"{name}-x", name)
    child = world.child(name)
    world.canceled(child, child.requests[-1].cl_ord_id)


def check(world: World) -> None:
    """What the journal says comes to the same state."""
    assert world.replayed() == world.state


def statuses(world: World) -> list[SendListStatus]:
    """The ListStatus messages of the last command."""
    return [one for one in world.effects if isinstance(one, SendListStatus)]


def figures(status: SendListStatus) -> list[tuple[str, str, str, str, str]]:
    """By order: ClOrdID, OrdStatus, CumQty, LeavesQty, CxlQty."""
    return [_figures(one) for one in status.orders]


def _figures(one: ListedOrder) -> tuple[str, str, str, str, str]:
    quantities = (str(one.cum_qty), str(one.leaves_qty), str(one.cxl_qty))
    return (one.cl_ord_id, one.ord_status.name, *quantities)


def list_fields(
    name: str, orders: Sequence[Sequence[tuple[int, str]]], **more: str
) -> list[tuple[int, str]]:
    """Fields of a NewOrderList of such orders; keys t433="2" add or replace the list's own."""
    own = {66: name, 394: "3", 68: str(len(orders))}
    own |= {int(key[1:]): value for key, value in more.items()}
    made = [(tag, value) for tag, value in own.items() if value]
    made.append((73, str(len(orders))))
    for number, order in enumerate(orders, start=1):
        first = [field for field in order if field[0] == 11]
        rest = [field for field in order if field[0] != 11]
        made += [*first, (67, str(number)), *rest]
    return made
