"""What an order asks for, and what was weighed before it was taken."""

from decimal import Decimal

from oms.domain.conditions import Conditions
from oms.domain.fact import fact
from oms.domain.fix import OrdType, Side, TimeInForce


@fact
class RiskFigure:
    """One check as made: the limit's rule, level, subject and value, and what was measured."""

    rule: str
    level: str
    subject: str
    limit: Decimal | None
    measured: Decimal | None
    passed: bool


@fact
class OrderTerms:
    """What an order asks for, and for whom. counterparty: the client, or the venue of a child.

    conditions: None for a plain order. list_id: ListID (66) of the list that it came in.
    """

    counterparty: str
    session: str
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None
    time_in_force: TimeInForce
    conditions: Conditions | None = None
    list_id: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """What two submissions of one ClOrdID must share to be the same order."""
        asked = self.conditions
        cash = asked.cash_order_qty if asked else None
        return (
            self.account,
            self.symbol,
            self.side,
            self.order_qty if cash is None else None,
            self.ord_type,
            self.price,
            self.time_in_force,
            asked.as_asked if asked else None,
        )
