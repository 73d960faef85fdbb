"""The checkers can fail: each deliberate bug is caught within a few seeds."""

import pytest

from oms.simulation.plan import Recipe
from oms.simulation.play import play
from tests.simulation.mutations import MUTATIONS

MOST_SEEDS = 60


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_deliberate_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTATIONS[name](monkeypatch)
    for seed in range(1, MOST_SEEDS + 1):
        outcome = play(Recipe(seed=seed))
        if outcome.checker:
            assert outcome.checker != "the_simulator_itself", outcome.text
            print(f"{name}: {outcome.checker} by seed {seed}: {outcome.text}")
            return
    pytest.fail(f"{name}: {MOST_SEEDS} seeds and nobody noticed")
