"""Scratch files and the disk: full, unwritable, spoilt. Nothing wrong comes back, and no 'no'."""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from oms.domain.commands import SYSTEM, OpenTradingDate
from oms.domain.kept_orders import Orders
from oms.domain.shelf import NewShelf
from oms.runtime.disk_shelf import DiskShelf
from oms.runtime.scratch import Scratch, ScratchFault, ScratchFile
from tests.support.world import connected

ORDERS = 200


def filled(shelf: DiskShelf, first: int = 0) -> None:
    for n in range(first, first + ORDERS):
        shelf.put(b")family %d" % n, [n << 4, hash(("child", n))])


def check_filled(shelf: DiskShelf, first: int = 0) -> None:
    for n in range(first, first + ORDERS):
        for sign in (n << 4, hash(("child", n))):
            assert shelf.may_have(sign)
            assert [family for _, family in shelf.find(sign)] == [b")family %d" % n]


def descriptors(directory: Path) -> list[int]:
    """Of files of that directory that this process has open, by the name or without one."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            target = one.readlink()
        except OSError:
            continue
        if str(target).startswith(str(directory)):
            found.append(int(one.name))
    return found


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file grows beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_files_have_no_name_and_are_no_child_processs(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    one, other = (DiskShelf(scratch, write_every=1) for _ in range(2))
    filled(one)
    filled(other, ORDERS)
    assert not list(tmp_path.iterdir())
    found = descriptors(tmp_path)
    assert len({os.fstat(one).st_ino for one in found}) == 2
    assert not any(os.get_inheritable(one) for one in found)
    check_filled(one)
    check_filled(other, ORDERS)


def test_what_does_not_fit_stays_in_memory_until_it_does(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    shelf = DiskShelf(scratch, buckets=4, write_every=100)
    with capture_logs() as logs, full_disk(3_333):
        filled(shelf)
        assert (scratch.on_disk, scratch.failures > 10) == (3_333, True)
        assert scratch.waiting > 4_000
        check_filled(shelf)
        [(number, _)] = shelf.find(3 << 4)
        shelf.take_off(number)
        assert list(shelf.find(3 << 4)) == []
    [line] = logs
    assert (line["event"], line["log_level"]) == ("core.scratch_unwritable", "warning")
    assert line["directory"] == str(tmp_path)
    with capture_logs() as logs:
        filled(shelf, ORDERS)
    assert [line["event"] for line in logs] == ["core.scratch_writable"]
    assert scratch.waiting < 200
    check_filled(shelf, ORDERS)
    assert len(list(shelf.families())) == 2 * ORDERS - 1


def test_a_directory_that_is_missing_for_a_while(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "later")
    shelf = DiskShelf(scratch, buckets=4, write_every=100)
    filled(shelf)
    assert (scratch.on_disk, scratch.failures > 10) == (0, True)
    check_filled(shelf)
    (tmp_path / "later").mkdir()
    filled(shelf, ORDERS)
    assert scratch.waiting < 200
    check_filled(shelf)
    check_filled(shelf, ORDERS)


@pytest.mark.skipif(sys.platform != "linux", reason="files without names are reached by /proc")
def test_whatever_byte_is_spoilt_nothing_is_found_otherwise(tmp_path: Path) -> None:
    """The truth, or the end of the core; never a wrong answer and never 'nobody's'."""
    shelf = DiskShelf(Scratch(tmp_path), buckets=1, write_every=1)
    names = range(70)
    for n in names:
        shelf.put(b")%d" % n, [n])
    [number] = [number for number, _ in shelf.find(5)]
    shelf.take_off(number)
    truth = {n: [b")%d" % n] for n in names} | {5: []}
    [descriptor] = descriptors(tmp_path)
    faults = 0
    with capture_logs() as logs:
        for at in range(os.fstat(descriptor).st_size):
            [before] = os.pread(descriptor, 1, at)
            os.pwrite(descriptor, bytes([before ^ (1 << at % 8)]), at)
            faults_here = 0
            for n in (0, 5, 40, 63, 69):
                try:
                    assert [one for _, one in shelf.find(n)] == truth[n]
                except ScratchFault:
                    faults_here += 1
            with pytest.raises(ScratchFault, match="byte"):
                list(shelf.families())
            faults += faults_here
            os.pwrite(descriptor, bytes([before]), at)
    assert faults > 1_000
    assert {line["event"] for line in logs} == {"core.scratch_unreadable"}
    for n in names:
        assert [one for _, one in shelf.find(n)] == truth[n]


@pytest.mark.skipif(sys.platform != "linux", reason="files without names are reached by /proc")
def test_a_file_that_was_cut_or_cannot_be_read(tmp_path: Path) -> None:
    shelf = DiskShelf(Scratch(tmp_path), buckets=4, write_every=1)
    filled(shelf)
    [descriptor] = descriptors(tmp_path)
    os.ftruncate(descriptor, 1_000)
    with pytest.raises(ScratchFault, match="are left of"):
        list(shelf.find(150 << 4))
    os.close(descriptor)
    try:
        with pytest.raises(ScratchFault, match="Bad file descriptor"):
            list(shelf.find(0))
    finally:
        # For whoever closes it again.
        os.dup2(os.open(os.devnull, os.O_RDONLY), descriptor)


def test_a_record_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    file = ScratchFile(Scratch(tmp_path), write_every=1)
    first, second = (file.append(b"Live", data) for data in (b"one", b"two"))
    [descriptor] = descriptors(tmp_path)
    os.pwrite(descriptor, os.pread(descriptor, second - first, second), first)
    with pytest.raises(ScratchFault):
        file.read(first)
    assert file.read(second) == (b"Live", b"two")


def test_a_shelf_that_is_freed_gives_its_disk_back_in_portions(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    shelf = DiskShelf(scratch)
    for n in range(500):
        shelf.put(b")" * 20_000, [n])
    [descriptor] = descriptors(tmp_path)
    sizes = [os.fstat(descriptor).st_size]
    while shelf.free_some():
        sizes.append(os.fstat(descriptor).st_size)
        assert sizes[-1] < sizes[-2]
    assert len(sizes) > 3
    assert descriptors(tmp_path) == []
    assert (scratch.on_disk, scratch.waiting, scratch.files) == (0, 0, [])


def test_records_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    file = ScratchFile(Scratch(tmp_path), write_every=1)
    datas = [b"x" * length for length in (0, 1, 5_000, 3_000_000, 1, 1_048_576, 7)]
    places = [file.append(b"rows", data) for data in datas]
    assert [file.read(at) for at in places] == [(b"rows", data) for data in datas]
    assert [one for portion in file.portions(b"rows") for one in portion] == datas
    assert [one for portion in file.portions(b"Live") for one in portion] == []


def test_the_disk_of_a_date_comes_back_when_the_next_but_one_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = Scratch(tmp_path)
    shelves: NewShelf = lambda: DiskShelf(scratch, write_every=1)  # noqa: E731 - of that type
    monkeypatch.setattr(Orders.__init__, "__defaults__", (shelves,))
    world = connected()
    world.state.orders.put_away_after_us = 0
    for n in range(20):
        world.new(f"c{n}", "100")
        world.fill(world.child(f"c{n}"), "100")
    world.tick(1)
    assert scratch.on_disk > 4_000
    assert len(descriptors(tmp_path)) == 1
    for n in (22, 23):
        assert scratch.on_disk
        world.send(OpenTradingDate(origin=SYSTEM, trade_date=f"2026-09-{n}"))
    for _ in range(4):
        world.state.put_away(world.at)
    assert (scratch.on_disk, scratch.waiting, len(scratch.files)) == (0, 0, 2)
    assert descriptors(tmp_path) == []
    assert not world.state.orders.due(0)
