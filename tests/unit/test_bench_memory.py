"""What `oms bench --memory` makes of what it reads."""

import os
import subprocess
import sys

from oms.bench.memory import Sample, growth, resident


def sample(orders: int, **resident_bytes: int) -> Sample:
    return Sample(orders=orders, per_second=1.0, resident=resident_bytes)


def test_growth_leaves_the_start_out_and_counts_from_the_middle() -> None:
    samples = [
        sample(0, core=1_000),
        sample(100, core=90_000, api=500),
        sample(200, core=100_000, api=500),
        sample(300, core=120_000, api=400),
        sample(400, core=140_000, api=400),
    ]
    assert growth(samples) == {"core": 200.0, "api": -0.5}


def test_the_processes_that_a_process_started_are_counted_by_their_names() -> None:
    waits = "import sys; sys.stdin.read()"
    known = [sys.executable, "-c", waits, "fix_sessions.gate"]
    unknown = [sys.executable, "-c", waits]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE) for command in (known, known, unknown)
    ]
    try:
        found = resident({"core": os.getpid()})
        [one] = {resident({"gate": child.pid})["gate"] > 0 for child in started}
    finally:
        for child in started:
            child.communicate(timeout=30)
    assert one
    assert found.keys() == {"core", "gate"}
    assert found["core"] > found["gate"] > 0


def test_a_process_that_is_gone_holds_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(30)
    assert resident({"core": child.pid}) == {"core": 0}
