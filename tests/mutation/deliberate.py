"""How many seconds the simulator needs to catch each deliberate bug of tests/simulation."""

import json
import os
import time
from dataclasses import asdict, dataclass

import pytest

from tests.mutation.reach import KEPT

FIGURES = KEPT / "deliberate.json"
MOST_SEEDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """checker: the invariant that was found broken, by that seed; empty if none was."""

    name: str
    checker: str
    seed: int
    seconds: float


def measure() -> None:
    """In a process of its own, for the product is imported and patched."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(f"measuring the deliberate bugs ended with status {status}")
        return
    status = 1
    try:
        FIGURES.write_text(json.dumps([asdict(one) for one in _all_caught()], indent=1))
        status = 0
    finally:
        os._exit(status)


def _all_caught() -> list[Caught]:
    import logging

    import structlog

    from tests.simulation.mutations import MUTATIONS

    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)
    found = []
    for name in MUTATIONS:
        found.append(_caught(name))
        print(
            f"{found[-1].seconds:6.1f} s  {found[-1].checker or 'NOT CAUGHT'}  {name}", flush=True
        )
    return found


def _caught(name: str) -> Caught:
    from oms.simulation.plan import Recipe
    from oms.simulation.play import play
    from tests.simulation.mutations import MUTATIONS

    with pytest.MonkeyPatch.context() as patch:
        MUTATIONS[name](patch)
        begun = time.process_time()
        for seed in range(1, MOST_SEEDS + 1):
            checker = play(Recipe(seed=seed)).checker
            if checker:
                break
        seconds = round(time.process_time() - begun, 2)
    return Caught(name=name, checker=checker, seed=seed, seconds=seconds)
