"""A process that plays seeds: reads one a line, answers with one JSON document a line.

Its environment says the PYTHONHASHSEED; two of them must come to the same journal.
"""

import gc
import json
import sys
from dataclasses import asdict

from oms import logs
from oms.runtime.memory import uncollected
from oms.settings.model import LoggingSettings
from oms.simulation.plan import Recipe
from oms.simulation.play import play
from oms.simulation.shrink import Shrinker


def main(*, judged: bool) -> None:
    """Until the input ends."""
    logs.configure(LoggingSettings(level="error"), process="simulate")
    gc.freeze()
    for line in sys.stdin:
        recipe = Recipe(seed=int(line))
        with uncollected():
            outcome = play(recipe, judged=judged)
            gc.collect()
        document = asdict(outcome)
        if outcome.checker:
            shrinker = Shrinker(recipe, outcome.checker)
            shrunk = shrinker.shrink()
            document |= {"line": shrinker.recipe.line(), "story": shrunk.story}
        print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main(judged="--unjudged" not in sys.argv)
