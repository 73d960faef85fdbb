"""Orders at a venue that are nobody's of ours, of whose trades we are told all the same."""

from decimal import Decimal
from typing import TYPE_CHECKING

from oms.simulation.ledgers import Standing

if TYPE_CHECKING:
    from oms.simulation.venue import SimVenue

_SIDES = "12"


class Strangers:
    """A venue's book of them. told: each trade that was told, by ExecID, with quantity and price;
    busted: those that were taken back since; declined: what we said we do not know.
    """

    def __init__(self, venue: "SimVenue") -> None:
        self.by_id: dict[str, Standing] = {}
        self.told: dict[str, tuple[Decimal, Decimal]] = {}
        self.busted: set[str] = set()
        self.declined: list[str] = []
        self._venue = venue
        self._traded_at: dict[str, str] = {}

    def act(self, n: int) -> None:
        """A trade of a new one or of one before, one told again, or one taken back."""
        known = list(self.by_id.values())
        order = known[n // 7 % len(known)] if known and n % 3 else self._new(n)
        live = [exec_id for exec_id in order.trades if exec_id not in self.busted]
        if live and n % 5 == 0:
            self._bust(order, live[n % len(live)])
        elif live and n % 5 == 1:
            self._say_trade(order, live[n % len(live)])
        else:
            self._trade(order, n)

    def _new(self, n: int) -> Standing:
        cl_ord_id = f"foreign{len(self.by_id) + 1}"
        order = self.by_id[cl_ord_id] = Standing(
            venue=self._venue.name,
            cl_ord_id=cl_ord_id,
            side=_SIDES[n % 2],
            symbol="AAPL",
            order_qty=Decimal(1000),
            price="100",
            tif="0",
            at=n,
        )
        return order

    def _trade(self, order: Standing, n: int) -> None:
        exec_id = f"{self._venue.name}X{len(self.told) + 1}"
        self.told[exec_id] = order.trades[exec_id] = (Decimal(10 + n % 3), Decimal(99 + n % 4))
        self._traded_at[exec_id] = self._venue.transact_time()
        self._venue.tell_story(f"trades {exec_id} of an order that is nobody's")
        self._say_trade(order, exec_id)

    def _say_trade(self, order: Standing, exec_id: str) -> None:
        quantity, price = order.trades[exec_id]
        told = {17: exec_id, 32: str(quantity), 31: str(price), 60: self._traded_at[exec_id]}
        self._venue.say(order, "F", told)

    def _bust(self, order: Standing, exec_id: str) -> None:
        self.busted.add(exec_id)
        quantity, price = order.trades.pop(exec_id)
        self._venue.tell_story(f"takes {exec_id} back")
        self._venue.say(order, "H", {19: exec_id, 32: str(quantity), 31: str(price)})
