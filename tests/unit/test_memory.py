"""What the collector of a core's process looks through, and when."""

import gc
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from subprocess import PIPE

import pytest

from oms.runtime import memory
from oms.runtime.memory import Collector


class Knot:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    yield now
    gc.enable()
    gc.unfreeze()


def garbage() -> "weakref.ref[Knot]":
    return weakref.ref(Knot())


def test_it_collects_when_it_has_been_quiet_for_a_while(clock: list[float]) -> None:
    collector, left = Collector(), garbage()
    clock[0] += memory.QUIET_S
    collector.look(quiet=False)
    clock[0] += memory.LASTING_S / 2
    collector.look(quiet=True)
    assert left() is not None, "a gap between two messages"
    clock[0] += memory.LASTING_S
    collector.look(quiet=True)
    assert left() is None


def test_what_a_busy_time_left_is_set_aside_and_never_looked_through(clock: list[float]) -> None:
    collector, left = Collector(), garbage()
    kept = [[] for _ in range(2 * memory.MANY_OBJECTS)]
    before = gc.get_freeze_count()
    clock[0] += 2 * memory.QUIET_S
    collector.look(quiet=True)
    assert gc.get_freeze_count() - before > len(kept)
    clock[0] += 2 * memory.QUIET_S
    collector.look(quiet=True)
    assert left() is not None


def test_without_a_quiet_moment_it_looks_through_nothing(clock: list[float]) -> None:
    collector, left = Collector(), garbage()
    for _ in range(3):
        clock[0] += memory.AT_LEAST_EVERY_S
        collector.look(quiet=False)
    assert left() is not None
    assert gc.get_count()[0] < 1_000, "what there was is set aside"


_FAULTS = """
import resource
from oms.runtime.memory import room_for_burst
{before}
started = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
burst = [bytes(200) for _ in range(150_000)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - started)
"""


def first_touches(before: str) -> int:
    """How many pages a process touches for the first time in a burst of 35 MB."""
    code = _FAULTS.format(before=before)
    return int(subprocess.run([sys.executable, "-c", code], check=True, stdout=PIPE).stdout)


def test_a_burst_finds_memory_that_the_system_has_given_already() -> None:
    assert first_touches("") > 4_000
    assert first_touches("room = room_for_burst()") < 1_000


_LITTLE = """
import resource
from oms.runtime.memory import room_for_burst
size = 1024 * next(int(one.split()[1]) for one in open("/proc/self/status") if "VmSize" in one)
resource.setrlimit(resource.RLIMIT_AS, (size + (16 << 20), resource.RLIM_INFINITY))
room = room_for_burst()
print(len(room), len(bytes(4 << 20)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says how large a process is")
def test_a_process_that_may_not_have_so_much_goes_on_without() -> None:
    done = subprocess.run([sys.executable, "-c", _LITTLE], check=True, stdout=PIPE)
    assert done.stdout.split() == [b"0", b"4194304"]
