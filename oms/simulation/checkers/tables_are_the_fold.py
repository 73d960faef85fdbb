"""The read tables equal the fold of the journal, row by row and column by column."""

from oms.domain.commands import Command
from oms.domain.state import State
from oms.fold import fold_command, fold_event
from oms.simulation.tables import Tables
from oms.simulation.watching import Watcher
from oms.store.codec import decode
from oms.store.projector import Projector


class Checker(Watcher):
    """Makes the tables again from the whole journal, and compares."""

    def at_quiet(self) -> None:
        """See Watcher."""
        disk = self.world.disk
        state = State(reference=self.world.reference)
        projector = Projector(state)
        for entry in disk.entries:
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
