"""A trade of nobody's order is booked once as told, or held, or refused: never lost, never two."""

from decimal import Decimal

from oms.domain.events import OrphanReported, TradeBusted, TradeExecuted
from oms.domain.fix import ExecType
from oms.domain.orphan_events import OrphanSettled
from oms.domain.orphans import Settlement
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World

Key = tuple[str, str]


class Checker(Watcher):
    """Keeps what became of each trade by its ExecID, and compares with the venues' strangers."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._held: set[Key] = set()
        self._refused: set[Key] = set()
        self._booked: dict[Key, tuple[Decimal, Decimal]] = {}
        # Trades whose venue's taking back is held: what it speaks of is forgotten, or unknown yet.
        self._taken_back: set[Key] = set()

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for _, event in group.events:
                match event:
                    case OrphanReported():
                        self._held.add((event.venue, event.exec_id))
                        if event.exec_type is ExecType.TRADE_CANCEL:
                            self._taken_back.add((event.venue, event.exec_ref_id))
                    case OrphanSettled():
                        key = (event.report.venue, event.report.exec_id)
                        self._held.discard(key)
                        if event.settlement is Settlement.REFUSED:
                            self._refused.add(key)
                    case TradeExecuted():
                        key = (event.venue, event.exec_id)
                        self._booked[key] = (event.last_qty, event.last_px)
                    case TradeBusted():
                        self._booked.pop((event.venue, event.exec_id), None)
                    case _:
                        pass

    def at_quiet(self) -> None:
        """See Watcher."""
        for name, venue in self.world.venues.items():
            for exec_id, told in venue.strangers.told.items():
                key = (name, exec_id)
                booked = self._booked.get(key)
                if exec_id in venue.strangers.busted:
                    # The ExecID of a trade that is held, or was, is of no order.
                    known = self.world.shadow.state.exec_ids.get(key)
                    assert not (booked and known), f"{exec_id}, taken back by {name}, is booked"
                    # What was forgotten with its day is for reconciliation, which must be told.
                    assert not booked or key in self._taken_back, (
                        f"{exec_id}, of an earlier date, is taken back by {name} and that is lost"
                    )
                    continue
                assert booked in (None, told), f"{exec_id} is {told} at {name}, {booked} with us"
                # One of an earlier date that is told again is held, though it was booked then.
                places = (booked is not None, key in self._held, key in self._refused)
                assert any(places), f"{exec_id} of {name} is neither booked, held nor refused"
