"""The journal is one chain of whole groups: no number is missing, every hash holds."""

from oms.simulation.watching import Watcher
from oms.store.batch import GENESIS, Entry, entry_hash


class Checker(Watcher):
    """Follows the chain commit by commit, and once from the start at the end."""

    def committed(self, entries: list[Entry]) -> None:
        """See Watcher."""
        first = entries[0]
        assert first.kind == "C", f"the commit begins with event {first.seq}"
        before = self.world.disk.entries[first.seq - 2] if first.seq > 1 else None
        self._follow(entries, before)

    def at_quiet(self) -> None:
        """See Watcher."""
        self._follow(self.world.disk.entries, None)

    def _follow(self, entries: list[Entry], before: Entry | None) -> None:
        seq, digest = (before.seq, before.hash) if before else (0, GENESIS)
        for entry in entries:
            assert entry.seq == seq + 1, f"entry {entry.seq} follows {seq}"
            told = (entry.seq, entry.at, entry.kind, entry.type, entry.payload)
            digest = entry_hash(digest, *told)
            assert entry.hash == digest, f"the hash of entry {entry.seq} does not hold"
            seq = entry.seq
