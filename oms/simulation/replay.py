"""`oms simulate --seed`: one run again, with its story."""

from oms.app.exits import Exit
from oms.simulation.plan import Recipe
from oms.simulation.play import play
from oms.simulation.shrink import Shrinker


def replay(recipe: Recipe, *, shrink: bool) -> int:
    """One run with its story, made short first where that is wanted; the exit code."""
    if shrink:
        outcome = play(recipe)
        if outcome.checker:
            shrinker = Shrinker(recipe, outcome.checker)
            shrinker.shrink()
            recipe = shrinker.recipe
    outcome = play(recipe, story=True)
    print("\n".join(outcome.story))
    if outcome.checker:
        print(f"{outcome.checker}: {outcome.text}")
    print(f"{recipe.line()}: {outcome.entries} entries, the last hash {outcome.journal}")
    return Exit.FAILED if outcome.checker else Exit.OK
