"""The read tables equal the fold of the journal, row by row and column by column."""

from oms.domain.commands import Command
from oms.fold import fold_command, fold_event
from oms.simulation.core import small_state
from oms.simulation.tables import Tables
from oms.simulation.watching import Watcher
from oms.simulation.world import World
from oms.store.codec import decode
from oms.store.projector import Projector


class Checker(Watcher):
    """Makes the tables again from the whole journal, as if it were one batch, and compares."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state = small_state(world.reference)
        self._projector = Projector(self._state)

    def at_quiet(self) -> None:
        """See Watcher."""
        disk, state, projector = self.world.disk, self._state, self._projector
        for entry in disk.entries[state.seq :]:
            obj = decode(entry.type, entry.payload)
            if isinstance(obj, Command):
                fold_command(state, entry.seq, entry.at, obj)
                projector.observe_command(entry.seq, entry.at, obj)
            else:
                fold_event(state, entry.seq, entry.at, obj)
                projector.observe_event(entry.seq, entry.at, obj)
        again = Tables()
        again.write(projector.rows())
        for name in sorted(disk.tables.rows.keys() | again.rows.keys()):
            ours, made = disk.tables.rows.get(name, {}), again.rows.get(name, {})
            for key in ours.keys() | made.keys():
                assert ours.get(key) == made.get(key), (
                    f"{name} {key} is {ours.get(key)}, the journal says {made.get(key)}"
                )
