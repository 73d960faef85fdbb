"""A process that plays seeds: reads one a line, answers with one JSON document a line.

Its environment says the PYTHONHASHSEED; two of them must come to the same journal.
"""

import json
import sys
from dataclasses import asdict

from oms import logs
from oms.settings.model import LoggingSettings
from oms.simulation.plan import Recipe
from oms.simulation.play import play
from oms.simulation.shrink import Shrinker


def main(*, judged: bool) -> None:
    """Until the input ends."""
    logs.configure(LoggingSettings(level="error"), process="simulate")
    for line in sys.stdin:
        recipe = Recipe(seed=int(line))
        outcome = play(recipe, judged=judged)
        document = asdict(outcome)
        if outcome.checker:
            shrinker = Shrinker(recipe, outcome.checker)
            shrunk = shrinker.shrink()
            document |= {"line": shrinker.recipe.line(), "story": shrunk.story}
        print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main(judged="--unjudged" not in sys.argv)
