"""A trade of nobody's order is booked once as told, or held, or refused: never lost, never two."""

from decimal import Decimal

from oms.domain.events import OrphanReported, TradeBusted, TradeExecuted
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

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            for _, event in group.events:
                match event:
                    case OrphanReported():
                        self._held.add((event.venue, event.exec_id))
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
                    # What was forgotten with its day comes to light as an orphan.
                    known = key in self.world.shadow.state.exec_ids
                    assert not (booked and known), f"{exec_id}, taken back by {name}, is booked"
                    continue
                assert booked in (None, told), f"{exec_id} is {told} at {name}, {booked} with us"
                # One of an earlier date that is told again is held, though it was booked then.
                places = (booked is not None, key in self._held, key in self._refused)
                assert any(places), f"{exec_id} of {name} is neither booked, held nor refused"
