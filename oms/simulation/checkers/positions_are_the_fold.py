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
# Where, how much, signed, and what splits have made of a share of it.
Trade = tuple[Place, Decimal, Fraction]
_NOTHING = Fraction(0)


class Checker(Watcher):
    """Adds up on its own what trades, busts and corrections make."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._orders: dict[str, tuple[Place, int]] = {}
        self._trades: dict[tuple[str, str], Trade] = {}
        # Kept beside them, as a day has many trades and is looked at after each commit.
        self._totals: dict[Place, Fraction] = {}
        self._compared: dict[Place, tuple[Decimal, Fraction]] = {}

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
                        self._set(key, (place, signed, Fraction(1)))
                    case PositionRebased():
                        self._rebase(event)
                    case TradeMatched() if not (event.source or event.amends):
                        # From here on it has the order session's name for it.
                        known = self._trades.pop((event.venue, event.exec_id), None)
                        if known is not None:
                            self._totals[known[0]] -= Fraction(known[1]) * known[2]
                            self._set((event.venue, event.told_as), known)
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
        for key, (where, signed, factor) in list(self._trades.items()):
            if where == place:
                again = factor * Fraction(event.new_shares, event.old_shares)
                self._set(key, (where, signed, again))
        paid = (place, -event.cash_qty, Fraction(1))
        self._set((place[0], f"{place[1]} {event.action_id}"), paid)

    def _amend(self, key: tuple[str, str], last_qty: Decimal) -> None:
        """The venue tells it in the shares of the day on which it was made."""
        place, old, factor = self._trades[key]
        if old:  # what was taken back stays so, though an older correction of it comes later
            self._set(key, (place, last_qty if old > 0 else -last_qty, factor))

    def _set(self, key: tuple[str, str], trade: Trade) -> None:
        before = self._trades.get(key)
        if before is not None:
            self._totals[before[0]] -= Fraction(before[1]) * before[2]
        self._trades[key] = trade
        place, signed, factor = trade
        self._totals[place] = self._totals.get(place, Fraction(0)) + Fraction(signed) * factor

    def _compare(self) -> None:
        for place, position in self.world.shadow.state.positions.items():
            total = self._totals.get(place, _NOTHING)
            known = self._compared.get(place)
            if known is not None and known[0] is position.quantity and known[1] is total:
                continue  # the very two that were equal before
            assert Fraction(position.quantity) == total, (
                f"position {place[0]} {place[1]} is {position.quantity}, its trades come to {total}"
            )
            self._compared[place] = (position.quantity, total)
