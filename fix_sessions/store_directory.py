"""The directory of a core's FIX stores: whose it is, and whether it is the latest.

Which core led last is in the journal; which one wrote here is in the directory. Where they differ
another machine's stores are ahead of these, or these were lost: their numbers cannot be trusted.
"""

import fcntl
import os
from pathlib import Path

_LOCK = "lock"
_EPOCH = "leader_epoch"
_CONTESTED = "contested"


def _boot() -> str:
    """Names the machine's last start."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class StoreDirectory:
    """Held until this process, and all that were given `fileno`, end. One core at a time writes."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        # Whether another process still holds the directory: a leader that lost the lead, frozen.
        # That stays so until somebody has claimed it, also if we die before we can.
        self._mark = path / _CONTESTED
        self._lock = self._take()
        self.contested = self._mark.exists()

    def _take(self) -> int:
        name = self.path / _LOCK
        lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            self._mark.touch()
            name.unlink()
            lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock

    def fileno(self) -> int:
        """What holds the directory: whoever has it open."""
        return self._lock

    def is_latest(self, journaled_epoch: int, restores: int) -> bool:
        """Whether nobody has led since the last one who wrote here; journaled_epoch: who did.

        QuickFIX's files survive the death of a process and not that of the machine: after a restart
        of the machine nothing here is the latest. restores: how often the journal has lost entries;
        since the last time these files know of messages that it does not.
        """
        if not journaled_epoch:
            return True
        try:
            epoch, boot, *rest = (self.path / _EPOCH).read_text().split()
            same = [int(one) for one in rest] == ([restores] if restores else [])
            return int(epoch) >= journaled_epoch and boot == _boot() and same
        except (OSError, ValueError):
            return False

    def claim(self, epoch: int, restores: int) -> None:
        """From now on what is here is this leader's, and nobody else writes to it; durable."""
        spare = self.path / f"{_EPOCH}.new"
        with spare.open("w") as file:
            file.write(f"{epoch} {_boot()}" + (f" {restores}" if restores else ""))
            file.flush()
            os.fsync(file.fileno())
        spare.replace(self.path / _EPOCH)
        self._mark.unlink(missing_ok=True)
