"""A process that plays seeds: reads one a line, answers with one JSON document a line.

Its environment says the PYTHONHASHSEED; two of them must come to the same journal. The second time
a seed is played (`12 again`) its journal is compared, and no checker looks.
"""

import gc
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

from oms import logs
from oms.runtime.memory import uncollected
from oms.settings.model import LoggingSettings
from oms.simulation.plan import Recipe
from oms.simulation.play import play
from oms.simulation.run import AGAIN
from oms.simulation.shrink import Shrinker


def main(lines: Iterable[str]) -> None:
    """Until the input ends."""
    logs.configure(LoggingSettings(level="error"), process="simulate")
    gc.freeze()
    for line in lines:
        seed, *again = line.split()
        recipe = Recipe(seed=int(seed))
        with uncollected():
            outcome = play(recipe, judged=again != [AGAIN])
            gc.collect()
        document = asdict(outcome) | {"line": recipe.line()}
        if outcome.checker:
            shrinker = Shrinker(recipe, outcome.checker)
            shrunk = shrinker.shrink()
            document |= {"line": shrinker.recipe.line(), "story": shrunk.story}
        print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main(sys.stdin)
