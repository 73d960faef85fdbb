"""The files in which QuickFIX keeps a session's numbers and what it sent; seen from outside.

QuickFIX resets a session as soon as a Logon says 141=Y, before anybody may refuse it, and deletes
its files then. So second names (hard links) of the files are kept: what was deleted in vain is put
back, and at the next start it shows whether a reset was accepted. And files that were lost, or that
another machine's are ahead of, are written anew with numbers that the journal knows to be free.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fix_sessions.settings import SessionSpec

# The numbers come last: their second name says that the others are complete.
_PARTS = ("body", "header", "session", "seqnums")
_KEPT = ".kept"


@dataclass(frozen=True, slots=True)
class Numbers:
    """MsgSeqNum of our next message, and of the one expected."""

    outbound: int = 1
    inbound: int = 1


class StoreFiles:
    """One session's files in a directory. QuickFIX opens them when the session is made."""

    def __init__(self, directory: Path, begin_string: str, sender: str, target: str) -> None:
        names = {part: f"{begin_string}-{sender}-{target}.{part}" for part in _PARTS}
        self._paths = {part: directory / name for part, name in names.items()}
        self._kept = {part: directory / f"{name}{_KEPT}" for part, name in names.items()}
        self._kept_inode: int | None = None  # of the numbers, once it was asked for

    def keep(self) -> None:
        """Give what is there now its second names; the ones before are forgotten."""
        self._kept_inode = None
        self._kept["seqnums"].unlink(missing_ok=True)
        for part in _PARTS:
            _name_again(self._paths[part], self._kept[part])

    def was_reset(self) -> bool:
        """Whether QuickFIX has deleted what was kept."""
        try:
            if self._kept_inode is None:
                self._kept_inode = os.stat(self._kept["seqnums"]).st_ino  # noqa: PTH116
        except FileNotFoundError:
            return False
        try:
            found = os.stat(self._paths["seqnums"])  # noqa: PTH116 - often called
            return found.st_ino != self._kept_inode
        except FileNotFoundError:
            return True

    def restore(self) -> None:
        """Put back what was kept; the session has to be refreshed then."""
        for part in _PARTS:
            _name_again(self._kept[part], self._paths[part])

    def names(self) -> Iterable[Path]:
        """All that there may be."""
        return (*self._paths.values(), *self._kept.values())

    def is_absent(self) -> bool:
        """Whether there is none of them, nor of those that were kept."""
        return not any(one.exists() for one in self.names())

    def forget(self) -> None:
        """Delete them, the kept ones too."""
        self._kept_inode = None
        for path in (*self._kept.values(), *self._paths.values()):
            path.unlink(missing_ok=True)

    def separate(self) -> None:
        """Copies in the place of the files: a process that has these open writes beside them."""
        self._kept_inode = None
        for path in self.names():
            if path.exists():
                spare = path.with_suffix(".new")
                # A second name, of a process that died or of an older program, is not written to.
                spare.unlink(missing_ok=True)
                shutil.copyfile(path, spare)
                spare.replace(path)

    def numbers(self) -> Numbers:
        """As they are in the file; from one where there is none or it cannot be read."""
        try:
            outbound, _, inbound = self._paths["seqnums"].read_text().partition(":")
            return Numbers(int(outbound), int(inbound))
        except (OSError, ValueError):
            return Numbers()

    def write(self, numbers: Numbers) -> None:
        """Make the files anew: no messages, these numbers next."""
        self.forget()
        text = f"{numbers.outbound:020d} : {numbers.inbound:020d}"
        self._paths["seqnums"].write_text(text)

    def fill(self, sent: Iterable[tuple[int, bytes]]) -> None:
        """Put messages by their MsgSeqNum in the place of those that are there.

        The files stay the same ones, their second names too. A session that has them open has to be
        refreshed then.
        """
        offset = 0
        with self._paths["body"].open("wb") as body, self._paths["header"].open("w") as header:
            for number, data in sent:
                body.write(data)
                header.write(f"{number},{offset},{len(data)} ")
                offset += len(data)


def _name_again(path: Path, name: Path) -> None:
    """Give a file a second name, in place of what has it now."""
    spare = name.with_suffix(".new")
    spare.unlink(missing_ok=True)
    os.link(path, spare)
    spare.replace(name)
    # Where both are names of one file already, replacing does nothing and leaves the spare one.
    spare.unlink(missing_ok=True)


def forget_others(store_dir: Path, specs: Iterable[SessionSpec]) -> None:
    """Delete the stores of all sessions but these."""
    mine = {path.name for spec in specs for path in files_of(store_dir, spec).names()}
    for part in _PARTS:
        for path in (*store_dir.glob(f"*.{part}"), *store_dir.glob(f"*.{part}{_KEPT}")):
            if path.name not in mine:
                path.unlink(missing_ok=True)


def files_of(store_dir: Path, spec: SessionSpec) -> StoreFiles:
    """The files of a session's store, there or not."""
    return StoreFiles(store_dir, spec.begin_string, spec.sender_comp_id, spec.target_comp_id)
