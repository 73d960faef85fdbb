"""Seeded days with faults and crashes: nothing is broken, and every run repeats exactly."""

import io

import pytest

from oms.simulation.plan import Recipe, plan_of
from oms.simulation.play import play
from oms.simulation.run import Options, simulate
from oms.simulation.shrink import Shrinker
from tests.simulation.mutations import MUTATIONS

SEEDS = 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_broken_and_every_seed_gives_the_same_journal_twice() -> None:
    out = io.StringIO()
    total = simulate(Options(seeds=SEEDS, jobs=2), out)
    assert not total.failures, out.getvalue()
    assert total.runs == SEEDS
    for what in ("UNKNOWN", "PENDING_CANCEL", "PENDING_REPLACE", "EXPIRED", "REJECTED"):
        assert any(what in key for key in total.transitions), f"no order was ever {what}"
    assert total.crashes > SEEDS


def test_a_failing_run_is_told_as_a_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    MUTATIONS["a_fill_is_counted_twice"](monkeypatch)
    seed = next(one for one in range(1, 20) if play(Recipe(seed=one)).checker)
    first = play(Recipe(seed=seed))
    shrinker = Shrinker(Recipe(seed=seed), first.checker)
    told = shrinker.shrink()
    assert told.checker == first.checker
    assert len(shrinker.recipe.kept or ()) < 10 < len(plan_of(Recipe(seed=seed)).acts)
    assert any("buys" in line or "sells" in line for line in told.story)
    assert any("fills" in line for line in told.story)
    assert shrinker.recipe.line().startswith(f"oms simulate --seed {seed} --acts ")
