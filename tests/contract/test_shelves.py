"""Shelves in memory and on disk keep one contract, and so does one whose disk takes nothing."""

import os
from pathlib import Path

import pytest

from oms.domain.shelf import MemoryShelf
from oms.runtime.disk_shelf import DiskShelf
from oms.runtime.scratch import Scratch
from tests.contract.shelf_contract import NewShelf, ShelfContract


class TestMemoryShelf(ShelfContract):
    @pytest.fixture
    def new_shelf(self) -> NewShelf:
        return MemoryShelf


class TestDiskShelf(ShelfContract):
    @pytest.fixture
    def new_shelf(self, tmp_path: Path) -> NewShelf:
        scratch = Scratch(tmp_path)
        return lambda: DiskShelf(scratch)


class TestDiskShelfWithAllOnDisk(ShelfContract):
    """Every record is written at once; names soon lie in chains, and need a second filter."""

    @pytest.fixture
    def new_shelf(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewShelf:
        monkeypatch.setattr("oms.runtime.disk_shelf._FIRST_WORDS", 1 << 10)
        scratch = Scratch(tmp_path)
        return lambda: DiskShelf(scratch, buckets=2, write_every=1)


class TestDiskShelfThatCannotWrite(ShelfContract):
    @pytest.fixture
    def new_shelf(self, tmp_path: Path) -> NewShelf:
        scratch = Scratch(tmp_path / "missing")
        return lambda: DiskShelf(scratch, buckets=2, write_every=1)

    def test_it_frees_what_it_had_in_the_end(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        shelf.put(b")", [1])
        assert not shelf.free_some()


class TestDiskShelfOnAnUnreliableDisk(ShelfContract):
    """One of three times nothing is written, else half of what was asked for."""

    @pytest.fixture
    def new_shelf(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewShelf:
        written, calls = os.pwrite, 0

        def pwrite(descriptor: int, data: bytes, at: int) -> int:
            nonlocal calls
            calls += 1
            if calls % 3 == 0:
                raise OSError(28, "No space left on device")
            return written(descriptor, data[: len(data) // 2 + 1], at)

        monkeypatch.setattr(os, "pwrite", pwrite)
        scratch = Scratch(tmp_path)
        return lambda: DiskShelf(scratch, buckets=2, write_every=50)
