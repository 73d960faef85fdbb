"""Events about how an order stands at its venue besides its fills."""

from decimal import Decimal

from oms.domain.fact import fact
from oms.domain.fix import OrdStatus
from oms.domain.values import ZERO


@fact
class OrderMarked:
    """The venue has a child as Stopped, Suspended, Calculated, or done for a day that it outlives;
    or its client order, by its children. mark None: no longer.

    last_qty, last_px: what a Stopped order is guaranteed; no trade.
    """

    order_id: str
    mark: OrdStatus | None
    venue: str
    text: str
    last_qty: Decimal | None = None
    last_px: Decimal | None = None


@fact
class QuantityRestated:
    """The venue works a child with another quantity of its own accord; its client order follows.

    restatement: ExecRestatementReason (378). order_qty_before: what it was until then.
    """

    order_id: str
    order_qty: Decimal
    restatement: str
    text: str
    order_qty_before: Decimal = ZERO


@fact
class PriceRestated:
    """The venue works a child at another limit price of its own accord; its client order follows
    where that is no worse for its owner.

    restatement: ExecRestatementReason (378).
    """

    order_id: str
    price: Decimal
    restatement: str
    text: str


StandingFact = OrderMarked | QuantityRestated | PriceRestated
