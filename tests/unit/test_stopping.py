"""A request to stop that comes from a signal handler, at any line of what it interrupts."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, SimpleNamespace
from typing import Any, cast

import pytest

from oms.demo import run
from oms.demo.stage import Stage
from oms.jobs import stopping
from oms.jobs.stopping import Stopping

pytestmark = pytest.mark.timeout(5)
LINES = 12


def interrupted(
    at: int,
    wait: Callable[[], object],
    handler: Callable[[], object],
    once: Callable[[], bool] = lambda: True,
) -> None:
    """Call `wait`; `handler` is called twice before the line of that number, from `once` on."""
    left = at

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal left
        if event == "line" and once():
            left -= 1
            if left == 0:
                handler()
                handler()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        wait()
    finally:
        sys.settrace(before)
    assert left <= 0, "it ended before it was asked"


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_the_jobs_stop(line: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_LOOK_S", 0.001)
    asked = Stopping()
    interrupted(line, asked.wait, asked.ask)
    assert asked.asked


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_a_demo_that_stays_up_ends(
    line: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_LOOK_S", 0.001)
    looked = False

    def check() -> None:
        nonlocal looked
        looked = True

    stage = cast("Stage", SimpleNamespace(scene=SimpleNamespace(check=check)))
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    interrupted(
        line,
        lambda: run._stay(stage),
        lambda: os.kill(os.getpid(), number),
        once=lambda: looked,  # the handlers stand by then
    )
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
