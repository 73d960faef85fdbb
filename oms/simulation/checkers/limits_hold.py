"""Limits are exceeded by nothing: what is accepted fits each limit in force, recomputed by hand."""

from collections.abc import Iterator
from decimal import Decimal

from oms.domain.events import OrderAccepted, RiskLimitSet
from oms.domain.order import Order
from oms.simulation.shadow import Group
from oms.simulation.world import Watcher, World


class Checker(Watcher):
    """Quantity, notional and position of each accepted order, from the book as it then was."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._limits: dict[tuple[str, str, str], Decimal] = {}

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for _, event in group.events:
                if isinstance(event, RiskLimitSet):
                    key = (event.rule, event.level, event.subject)
                    self._limits.pop(key, None)
                    if event.value is not None:
                        self._limits[key] = event.value
                elif isinstance(event, OrderAccepted):
                    self._check(event)

    def _check(self, event: OrderAccepted) -> None:
        terms = event.terms
        for rule, measured in self._figures(event):
            for level, subject in (
                ("FIRM", "*"),
                ("SESSION", terms.counterparty),
                ("ACCOUNT", terms.account),
                ("SYMBOL", terms.symbol),
            ):
                limit = self._limits.get((rule, level, subject))
                assert limit is None or measured <= limit, (
                    f"{event.order_id} was accepted with {rule} {measured} over {limit}"
                )

    def _figures(self, event: OrderAccepted) -> Iterator[tuple[str, Decimal]]:
        terms = event.terms
        yield "MAX_ORDER_QTY", terms.order_qty
        if terms.price is not None:
            yield "MAX_ORDER_NOTIONAL", terms.price * terms.order_qty
        figure = self.world.reached.get(event.order_id)
        if figure is not None:
            yield "MAX_POSITION", figure


def reached(orders: list[Order], held: Decimal, new: Order) -> Decimal:
    """The position as it would be if all that works in the order's direction were filled."""
    sign = new.side.sign
    same = [
        one.exposure
        for one in orders
        if not one.is_child
        and (one.account, one.symbol, one.side.sign) == (new.account, new.symbol, sign)
    ]
    return sign * held + sum(same, Decimal(0))
