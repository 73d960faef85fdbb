"""A failing run made short: acts and faults are left out as long as the same invariant breaks."""

from dataclasses import replace

from oms.simulation.plan import SIZE, Recipe, faults_of, plan_of
from oms.simulation.play import Outcome, play

MOST_RUNS = 400


class Shrinker:
    """Tries one recipe after the other, `MOST_RUNS` at most."""

    def __init__(self, recipe: Recipe, checker: str) -> None:
        kept = tuple(range(SIZE)) if recipe.kept is None else recipe.kept
        self.recipe = replace(recipe, kept=kept)
        self._checker = checker
        self._runs = 0

    def shrink(self) -> Outcome:
        """The shortest story found."""
        self._leave_out_acts()
        self._leave_out_faults()
        self._leave_out_acts()
        return play(self.recipe, story=True)

    def _fails(self, recipe: Recipe) -> bool:
        self._runs += 1
        if self._runs > MOST_RUNS or play(recipe).checker != self._checker:
            return False
        self.recipe = recipe
        return True

    def _leave_out_acts(self) -> None:
        kept = self.recipe.kept or ()
        size = max(len(kept) // 2, 1)
        while size:
            at = 0
            while at < len(self.recipe.kept or ()):
                kept = self.recipe.kept or ()
                if not self._fails(replace(self.recipe, kept=kept[:at] + kept[at + size :])):
                    at += size
            size //= 2

    def _leave_out_faults(self) -> None:
        for fault in faults_of(plan_of(self.recipe)):
            left_out = self.recipe.left_out | {fault}
            self._fails(replace(self.recipe, left_out=left_out))
