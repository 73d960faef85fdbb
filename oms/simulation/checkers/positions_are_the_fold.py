"""Positions equal the fold of executions: quantity by account and symbol, added up from facts."""

from decimal import Decimal
from fractions import Fraction

from oms.domain.events import OrderRouted, TradeBusted, TradeCorrected, TradeExecuted
from oms.domain.orphan_events import ExternalOrderAdopted, TradeMatched
from oms.domain.splits import PositionRebased
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World

Place = tuple[str, str]


class Checker(Watcher):
    """Adds up on its own what trades, busts and corrections make."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._orders: dict[str, tuple[Place, int]] = {}
        # Each with what splits have made of a share of it.
        self._trades: dict[tuple[str, str], tuple[Place, Decimal, Fraction]] = {}

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for _, event in group.events:
                match event:
                    case OrderRouted():
                        terms = event.terms
                        place = (terms.account, terms.symbol)
                        self._orders[event.order_id] = (place, terms.side.sign)
                    case ExternalOrderAdopted():
                        terms = event.child_terms
                        place = (terms.account, terms.symbol)
                        self._orders[event.child_id] = (place, terms.side.sign)
                    case TradeExecuted():
                        place, sign = self._orders[event.order_id]
                        signed = sign * event.last_qty
                        key = (event.venue, event.exec_id)
                        assert key not in self._trades, f"trade {key} is counted twice"
                        self._trades[key] = (place, signed, Fraction(1))
                    case PositionRebased():
                        self._rebase(event)
                    case TradeMatched() if not event.source:
                        # From here on it has the order session's name for it.
                        known = self._trades.pop((event.venue, event.exec_id), None)
                        if known is not None:
                            self._trades[event.venue, event.told_as] = known
                    case TradeBusted():
                        self._amend((event.venue, event.exec_id), Decimal(0))
                    case TradeCorrected():
                        self._amend((event.venue, event.exec_id), event.last_qty)
                    case _:
                        pass
        self._compare()

    def _rebase(self, event: PositionRebased) -> None:
        """Every trade so far is of so many new shares; what is no whole one was paid out."""
        place = (event.account, event.symbol)
        for key, (where, signed, factor) in self._trades.items():
            if where == place:
                again = factor * Fraction(event.new_shares, event.old_shares)
                self._trades[key] = (where, signed, again)
        paid = (place, -event.cash_qty, Fraction(1))
        self._trades[place[0], f"{place[1]} {event.action_id}"] = paid

    def _amend(self, key: tuple[str, str], last_qty: Decimal) -> None:
        """The venue tells it in the shares of the day on which it was made."""
        place, old, factor = self._trades[key]
        self._trades[key] = (place, last_qty if old >= 0 else -last_qty, factor)

    def _compare(self) -> None:
        totals: dict[Place, Fraction] = {}
        for place, signed, factor in self._trades.values():
            totals[place] = totals.get(place, Fraction(0)) + Fraction(signed) * factor
        for place, position in self.world.shadow.state.positions.items():
            total = totals.get(place, Fraction(0))
            assert Fraction(position.quantity) == total, (
                f"position {place[0]} {place[1]} is {position.quantity}, its trades come to {total}"
            )
