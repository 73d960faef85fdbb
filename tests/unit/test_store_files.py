"""QuickFIX's files seen from outside: second names, copies, and a directory that others hold."""

import contextlib
import fcntl
import os
from pathlib import Path

import pytest

from fix_sessions.settings import SessionSpec
from fix_sessions.store_directory import StoreDirectory
from fix_sessions.store_files import StoreFiles, forget_others

PARTS = ("body", "header", "session", "seqnums")


@pytest.fixture
def files(tmp_path: Path) -> StoreFiles:
    for part in PARTS:
        path_of(tmp_path, part).write_text(part)
    return StoreFiles(tmp_path, "FIX.4.4", "US", "THEM")


def path_of(directory: Path, part: str) -> Path:
    return directory / f"FIX.4.4-US-THEM.{part}"


def names(directory: Path) -> set[str]:
    return {one.name for one in directory.iterdir()}


def test_what_is_kept_twice_leaves_no_third_name(files: StoreFiles, tmp_path: Path) -> None:
    for _ in range(2):
        files.keep()
        assert names(tmp_path) == {
            path_of(tmp_path, f"{part}{kept}").name for part in PARTS for kept in ("", ".kept")
        }
    files.restore()
    assert len(names(tmp_path)) == 2 * len(PARTS)


def test_separated_files_are_copies_whatever_names_were_left(
    files: StoreFiles, tmp_path: Path
) -> None:
    files.keep()
    kept = path_of(tmp_path, "body.kept")
    # As a core left it that died between two steps.
    os.link(kept, kept.with_suffix(".new"))
    with contextlib.ExitStack() as stack:
        theirs = [stack.enter_context(one.open("a")) for one in tmp_path.iterdir()]
        files.separate()
        for one in theirs:
            one.write("by who was frozen")
    for part in PARTS:
        assert path_of(tmp_path, part).read_text() == part
        assert path_of(tmp_path, f"{part}.kept").read_text() == part


def test_the_stores_of_sessions_that_are_not_configured_are_deleted(
    files: StoreFiles, tmp_path: Path
) -> None:
    """Found by the simulator's seed 159: they would be taken for the latest when one comes back."""
    files.keep()
    other = StoreFiles(tmp_path, "FIX.4.4", "US", "OTHERS")
    assert other.is_absent()
    for part in PARTS:
        (tmp_path / f"FIX.4.4-US-OTHERS.{part}").write_text(part)
    other.keep()
    (tmp_path / "lock").write_text("")
    assert not other.is_absent()
    spec = SessionSpec(
        session_id="T", role="acceptor", sender_comp_id="US", target_comp_id="THEM", port=0
    )
    forget_others(tmp_path, [spec])
    assert other.is_absent()
    assert not files.is_absent()
    assert (tmp_path / "lock").exists()


def test_a_directory_stays_contested_until_somebody_has_claimed_it(tmp_path: Path) -> None:
    frozen = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        first = StoreDirectory(tmp_path)
        assert first.contested
        os.close(first.fileno())  # it dies before it has separated the files
        second = StoreDirectory(tmp_path)
        assert second.contested
        second.claim(2, restores=0)
        os.close(second.fileno())
        third = StoreDirectory(tmp_path)
        assert not third.contested
        os.close(third.fileno())
    finally:
        os.close(frozen)


def test_files_of_before_the_database_was_restored_are_not_the_latest(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.claim(7, restores=0)
    assert directory.is_latest(7, restores=0)
    assert not directory.is_latest(3, restores=1)
    directory.claim(4, restores=1)
    assert directory.is_latest(4, restores=1)
    assert not directory.is_latest(4, restores=0)
    assert not directory.is_latest(5, restores=1)
    os.close(directory.fileno())
