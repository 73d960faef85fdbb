"""Limits are exceeded by nothing: what is accepted fits each limit in force, recomputed by hand."""

from collections.abc import Iterator
from decimal import Decimal

from oms.domain.events import OrderAccepted, ReplacePending, RiskLimitSet
from oms.domain.terms import OrderTerms
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World


class Checker(Watcher):
    """Quantity, notional and position of each accepted order and replace, as the book then was."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._terms: dict[str, OrderTerms] = {}
        self._limits: dict[tuple[str, str, str], Decimal] = {}

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for seq, event in group.events:
                if isinstance(event, RiskLimitSet):
                    key = (event.rule, event.level, event.subject)
                    self._limits.pop(key, None)
                    if event.value is not None:
                        self._limits[key] = event.value
                elif isinstance(event, OrderAccepted):
                    terms = self._terms[event.order_id] = event.terms
                    self._check(seq, terms, terms.order_qty, terms.price)
                elif isinstance(event, ReplacePending) and event.order_id in self._terms:
                    terms = self._terms[event.order_id]
                    self._check(seq, terms, event.order_qty, event.price)

    def _check(
        self, seq: int, terms: OrderTerms, order_qty: Decimal, price: Decimal | None
    ) -> None:
        for rule, measured in self._figures(seq, order_qty, price):
            for level, subject in (
                ("FIRM", "*"),
                ("SESSION", terms.counterparty),
                ("ACCOUNT", terms.account),
                ("SYMBOL", terms.symbol),
            ):
                limit = self._limits.get((rule, level, subject))
                assert limit is None or measured <= limit, (
                    f"event {seq} took {terms.cl_ord_id} on with {rule} {measured} over {limit}"
                )

    def _figures(
        self, seq: int, order_qty: Decimal, price: Decimal | None
    ) -> Iterator[tuple[str, Decimal]]:
        yield "MAX_ORDER_QTY", order_qty
        if price is not None:
            yield "MAX_ORDER_NOTIONAL", price * order_qty
        yield "MAX_POSITION", self.world.shadow.reached[seq]
