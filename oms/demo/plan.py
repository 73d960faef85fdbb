"""What the clients are going to send: a seeded flow, or the orders of a user's file; pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from oms.demo.world import ACCOUNTS, CLIENTS, MAX_ORDER_QTY, Listing

REST_SHARE = 10
MARKET, LIMIT = "1", "2"
DAY, IOC, FOK = "0", "3", "4"
BUY, SELL, SELL_SHORT = "1", "2", "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is asked of an order once it is acknowledged; an empty order_qty means its cancel."""

    order_qty: str = ""
    price: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """One order with its FIX values as text. client: whose session, or REST key, sends it.

    refusal: what the server's refusal must say, empty where risk should let it pass; None where
    nothing is expected.
    """

    cl_ord_id: str
    client: str
    account: str
    symbol: str
    side: str
    order_qty: str
    ord_type: str
    price: str = ""
    time_in_force: str = DAY
    rest: bool = False
    changes: tuple[Change, ...] = ()
    refusal: str | None = ""

    def as_json(self) -> dict[str, Any]:
        """Values for `order_from_json`."""
        return asdict(self)


def order_from_json(values: dict[str, Any]) -> PlannedOrder:
    """The order that `as_json` wrote."""
    changes = tuple(Change(**one) for one in values["changes"])
    return PlannedOrder(**{**values, "changes": changes})


def seeded_orders(count: int, seed: int, listings: Sequence[Listing]) -> tuple[PlannedOrder, ...]:
    """A flow of `count` orders; the same seed makes the same flow."""
    maker = _Maker(random.Random(seed), listings)
    return tuple(maker.order(number) for number in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class _Maker:
    rng: random.Random
    listings: Sequence[Listing]
    accounts: tuple[str, ...] = field(default=tuple(ACCOUNTS))

    def order(self, number: int) -> PlannedOrder:
        account = self.rng.choice(self.accounts)
        rest = number % REST_SHARE == 0
        chance = self.rng.random()
        values = {
            "cl_ord_id": f"{'R' if rest else 'F'}{number:06d}",
            "client": ACCOUNTS[account],
            "account": account,
            "side": self.rng.choice((BUY, SELL, BUY, SELL, SELL_SHORT)),
            "rest": rest,
        }
        listing = self.rng.choice(self.listings)
        if chance < 0.06:
            return PlannedOrder(**{**values, **self._refused(listing, account)})
        return PlannedOrder(**{**values, **self._good(listing, str(values["side"]))})

    def _refused(self, listing: Listing, account: str) -> dict[str, Any]:
        """An order that risk must not let pass, and what the refusal must say."""
        good = {
            "symbol": listing.symbol,
            "order_qty": "100",
            "ord_type": LIMIT,
            "price": str(listing.reference_px),
        }
        others = [client for client in CLIENTS if client != ACCOUNTS[account]]
        foreign = f"{self.rng.choice(others)}-1"
        return self.rng.choice(
            (
                {
                    **good,
                    "price": str(listing.reference_px + listing.tick / 2),
                    "refusal": "must be a multiple of tick",
                },
                {**good, "order_qty": str(MAX_ORDER_QTY + 1), "refusal": "MAX_ORDER_QTY"},
                {**good, "symbol": "NOSUCH", "refusal": "not a known instrument"},
                {**good, "account": foreign, "refusal": "not permitted"},
                {
                    **good,
                    "price": str(listing.reference_px * 2),
                    "refusal": "PRICE_COLLAR",
                },
            )
        )

    def _good(self, listing: Listing, side: str) -> dict[str, Any]:
        rng = self.rng
        quantity = rng.choice((rng.randint(1, 40) * 10, rng.randint(1, 300), 1_800))
        values: dict[str, Any] = {"symbol": listing.symbol, "order_qty": str(quantity)}
        kind = rng.random()
        if kind < 0.25:
            return {**values, "ord_type": MARKET}
        values["ord_type"] = LIMIT
        if kind < 0.60:
            values["price"] = self._price(listing, side, -rng.randint(1, 6))
            values["time_in_force"] = rng.choice((DAY, DAY, IOC, FOK))
            return values
        values["price"] = self._price(listing, side, rng.randint(4, 20))
        values["changes"] = tuple(self._changes(listing, side, quantity))
        return values

    def _price(self, listing: Listing, side: str, ticks_away: int) -> str:
        """So many ticks away from the market, or into it where negative."""
        sign = -1 if side == BUY else 1
        return str(listing.reference_px + sign * ticks_away * listing.tick)

    def _changes(self, listing: Listing, side: str, quantity: int) -> Iterator[Change]:
        what = self.rng.random()
        if what < 0.45:
            ticks = self.rng.choice((-3, 2, 5, 9))
            price = self._price(listing, side, ticks)
            yield Change(
                order_qty=str(quantity + self.rng.randint(-quantity // 2, 50)), price=price
            )
        if 0.30 < what < 0.80:
            yield Change()
