"""One run: played, judged, and summed up."""

from collections import Counter
from dataclasses import dataclass, field

from oms.simulation.checkers import WATCHERS
from oms.simulation.liveness import come_to_rest
from oms.simulation.plan import Recipe, plan_of
from oms.simulation.watching import Broken
from oms.simulation.world import World


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a run. checker: the invariant that broke, empty if none did.

    journal: the hash of the journal's last entry.
    """

    seed: int
    checker: str = ""
    text: str = ""
    journal: str = ""
    entries: int = 0
    orders: int = 0
    faults: int = 0
    crashes: int = 0
    virtual_s: float = 0.0
    events: dict[str, int] = field(default_factory=dict)
    commands: dict[str, int] = field(default_factory=dict)
    transitions: dict[str, int] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)


def play(recipe: Recipe, *, judged: bool = True, story: bool = False) -> Outcome:
    """judged: with the checkers; without them the run is the same, and events and states are not
    counted. story: told in sentences.
    """
    world = World(plan_of(recipe), WATCHERS if judged else (), story=story)
    outcome = Outcome(seed=recipe.seed)
    try:
        world.run()
        come_to_rest(world)
    except Broken as broken:
        outcome.checker, outcome.text = broken.checker, broken.text
    except Exception as error:  # noqa: BLE001 - told with its seed, like all that goes wrong
        outcome.checker = "the_simulator_itself"
        outcome.text = f"{type(error).__name__}: {error}"
    finally:
        world.forget()
    _, digest = world.disk.tip()
    shadow, counts = world.shadow, world.counts
    outcome.journal = digest.hex()
    outcome.entries = len(world.disk.entries)
    outcome.orders = shadow.events["OrderAccepted"] + shadow.events["OrderRouted"]
    outcome.faults, outcome.crashes = counts.faults, counts.crashes
    outcome.virtual_s = world.agenda.elapsed_s
    outcome.events, outcome.commands = dict(shadow.events), dict(shadow.commands)
    outcome.transitions = {" ".join(key): n for key, n in Counter(shadow.transitions).items()}
    outcome.story = world.story.lines
    return outcome
