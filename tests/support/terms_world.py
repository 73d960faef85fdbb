"""A World whose venues can take what a test says, and orders with conditions."""

from dataclasses import replace
from decimal import Decimal

from oms.domain.commands import NewOrderSingle, OrderCancelReplaceRequest, SessionLoggedOn
from oms.domain.conditions import PLAIN_TIMES, PLAIN_TYPES, Ability, Conditions
from oms.domain.events import Event
from oms.domain.fix import OrdType, Side, TimeInForce
from tests.support.checked_world import CheckedWorld
from tests.support.invariants import check_same
from tests.support.world import REFERENCE


class TermsWorld(CheckedWorld):
    """Its laws are checked after every command, and that a replay makes the same state."""

    def send(self, command: object, after_us: int = 1_000) -> list[Event]:
        events = super().send(command, after_us)  # type: ignore[arg-type]
        check_same(self.state, self.replayed())
        return events

    def ask(
        self,
        cl_ord_id: str,
        ord_type: OrdType = OrdType.LIMIT,
        *,
        qty: str = "100",
        price: str | None = None,
        side: Side = Side.BUY,
        tif: TimeInForce = TimeInForce.DAY,
        **conditions: object,
    ) -> list[Event]:
        """A client's new order with these conditions."""
        return self.send(
            NewOrderSingle(
                origin=self.origin("ALPHA"),
                cl_ord_id=cl_ord_id,
                account="A1",
                symbol="AAPL",
                side=side,
                order_qty=Decimal(qty),
                ord_type=ord_type,
                price=None if price is None else Decimal(price),
                time_in_force=tif,
                conditions=Conditions(**conditions) if conditions else None,  # type: ignore[arg-type]
            )
        )

    def amend(self, cl_ord_id: str, orig: str, *, qty: str = "100", **conditions: object) -> None:
        """A client's replace that gives these conditions."""
        price = self.order(orig).price
        self.send(
            OrderCancelReplaceRequest(
                origin=self.origin("ALPHA"),
                cl_ord_id=cl_ord_id,
                orig_cl_ord_id=orig,
                order_qty=Decimal(qty),
                price=price,
                conditions=Conditions(**conditions),  # type: ignore[arg-type]
            )
        )

    def client_on(self) -> None:
        """The client's session is up."""
        self.send(SessionLoggedOn(origin=replace(self.origin("ALPHA"), msg_seq_num=0)))

    def texts(self) -> list[str]:
        """Text (58) of the reports sent last."""
        return [getattr(one, "text", "") for one in self.effects]


def world_of(
    *,
    types: frozenset[OrdType] | set[OrdType] = frozenset(),
    times: frozenset[TimeInForce] | set[TimeInForce] = frozenset(),
    abilities: frozenset[Ability] | set[Ability] = frozenset(),
) -> TermsWorld:
    """Both venues up; XA takes these besides what every venue takes, XB does not."""
    able = replace(
        REFERENCE.venues["XA"],
        ord_types=PLAIN_TYPES | types,
        times_in_force=PLAIN_TIMES | times,
        abilities=frozenset(abilities),
    )
    reference = replace(REFERENCE, venues={"XA": able, "XB": REFERENCE.venues["XB"]})
    made = TermsWorld(reference)
    made.connect("XA", "XB")
    return made
