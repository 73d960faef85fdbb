"""Positions equal the fold of executions: quantity by account and symbol, added up from facts."""

from decimal import Decimal

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
        self._trades: dict[tuple[str, str], tuple[Place, Decimal]] = {}

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
                        self._trades[key] = (place, signed)
                    case PositionRebased():
                        self._rebase(event)
                    case TradeMatched() if not event.source:
                        # From here on it has the order session's name for it.
                        known = self._trades.pop((event.venue, event.exec_id), None)
                        if known is not None:
                            self._trades[event.venue, event.told_as] = known
                    case TradeBusted():
                        place, _ = self._trades[event.venue, event.exec_id]
                        self._trades[event.venue, event.exec_id] = (place, Decimal(0))
                    case TradeCorrected():
                        place, old = self._trades[event.venue, event.exec_id]
                        sign = 1 if old >= 0 else -1
                        new = sign * event.last_qty
                        self._trades[event.venue, event.exec_id] = (place, new)
                    case _:
                        pass
        self._compare()

    def _rebase(self, event: PositionRebased) -> None:
        """Every trade so far is of so many new shares; what is no whole one was paid out."""
        place = (event.account, event.symbol)
        for key, (where, signed) in self._trades.items():
            if where == place:
                again = signed * event.new_shares / event.old_shares
                self._trades[key] = (where, again)
        self._trades[place[0], f"{place[1]} {event.action_id}"] = (place, -event.cash_qty)

    def _compare(self) -> None:
        totals: dict[Place, Decimal] = {}
        for place, signed in self._trades.values():
            totals[place] = totals.get(place, Decimal(0)) + signed
        for place, position in self.world.shadow.state.positions.items():
            total = totals.get(place, Decimal(0))
            assert position.quantity == total, (
                f"position {place[0]} {place[1]} is {position.quantity}, its trades come to {total}"
            )
