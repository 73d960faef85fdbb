"""A client's people at the screen: orders over REST, by the inbox and its idempotency keys."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from oms.domain.commands import (
    Channel,
    Command,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelRequest,
    Origin,
)
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.profile import ClOrdIdScope
from oms.store.inbox_content import content_hash

if TYPE_CHECKING:
    from oms.simulation.world import World

_SIDES = (Side.BUY, Side.SELL, Side.SELL_SHORT)
_TIMES = (TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A request: its key, its number in the inbox, and what it asks for."""

    key: str
    number: int
    command: Command


class RestUser:
    """Somebody of one client; his book is what he handed over. Answers stand in the inbox."""

    def __init__(self, world: "World", client: str, accounts: tuple[str, ...]) -> None:
        self.client = client
        self.handed: list[Handed] = []
        self._world = world
        self._accounts = accounts
        self._keys: dict[tuple[str, str], tuple[bytes, int]] = {}

    def submit(self, n: int) -> None:
        """A new order."""
        self._hand_over(self._order(f"r{len(self.handed) + 1}", n))

    def repeat(self, n: int) -> None:
        """One of his requests again; with other content under its key, or under a new key."""
        if not self.handed:
            return
        before = self.handed[n % len(self.handed)]
        command = before.command
        if n % 3 == 0 and isinstance(command, NewOrderSingle):
            command = self._order(command.cl_ord_id, n // 3)
        self._hand_over(command, key=before.key if n % 2 else f"{before.key}-again")

    def take_fix_id(self, n: int) -> None:
        """A ClOrdID that the client's FIX session has given to an order: both share one space."""
        profile = self._world.plan.clients[self.client]
        known = list(self._world.clients[self.client].ledger.order_of)
        if known and profile.cl_ord_id_scope is ClOrdIdScope.DAY:
            self._hand_over(self._order(known[n % len(known)], n))

    def amend(self, n: int) -> None:
        """Another quantity or price for an order of the client, whoever has sent it."""
        order_id = self._some_order(n)
        if order_id:
            self._hand_over(
                OrderCancelReplaceRequest(
                    origin=self._origin(),
                    cl_ord_id=f"r{len(self.handed) + 1}",
                    order_id=order_id,
                    order_qty=Decimal(10 * (1 + n // 7 % 25)),
                    price=Decimal(95 + n // 5 % 10),
                )
            )

    def cancel(self, n: int) -> None:
        """An order of the client is not wanted any more, or none is."""
        cl_ord_id, origin = f"r{len(self.handed) + 1}", self._origin()
        order_id = self._some_order(n)
        if n % 13 == 0:
            self._hand_over(OrderMassCancelRequest(origin=origin, cl_ord_id=cl_ord_id))
        elif order_id:
            self._hand_over(
                OrderCancelRequest(origin=origin, cl_ord_id=cl_ord_id, order_id=order_id)
            )

    def _origin(self) -> Origin:
        return Origin(
            channel=Channel.REST,
            counterparty=self.client,
            user=f"{self.client.lower()}-desk",
            accounts=self._accounts,
        )

    def _order(self, cl_ord_id: str, n: int) -> NewOrderSingle:
        market = n % 11 == 0
        return NewOrderSingle(
            origin=self._origin(),
            cl_ord_id=cl_ord_id,
            account=self._accounts[n % len(self._accounts)],
            symbol=("AAPL", "AAPL", "MSFT")[n // 7 % 3],
            side=_SIDES[n // 3 % len(_SIDES)],
            order_qty=Decimal(10 * (1 + n // 13 % 20)),
            ord_type=OrdType.MARKET if market else OrdType.LIMIT,
            price=None if market else Decimal(95 + n % 10),
            time_in_force=_TIMES[n // 17 % len(_TIMES)],
        )

    def _some_order(self, n: int) -> str:
        """From the read tables, as REST shows them."""
        rows = self._world.disk.tables.rows.get("orders", {}).values()
        mine = [row for row in rows if row["client"] == self.client]
        working = [row for row in mine if row["leaves_qty"]]
        shown = working if working and n % 8 else mine
        return str(shown[n % len(shown)]["order_id"]) if shown else ""

    def _hand_over(self, command: Command, key: str = "") -> None:
        """As oms.api.handover: the same key and content again is the same request."""
        key = key or str(getattr(command, "cl_ord_id", ""))
        content, scope = content_hash(command), (key, self._world.trade_date)
        known = self._keys.get(scope)
        name = type(command).__name__
        if known is not None:
            same = "the same" if known[0] == content else "another, which is refused"
            self._world.story.tell(f"{self.client} repeats {key} over REST: {same}")
            return
        self._world.story.tell(f"{self.client} asks over REST, {key}: {name}")
        number = self._world.ask(command)
        self._keys[scope] = (content, number)
        self.handed.append(Handed(key=key, number=number, command=command))
