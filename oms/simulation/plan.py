"""What one seed draws: which faults exist and how often (swarm testing), and who does what when."""

import random
from dataclasses import dataclass, field, fields, replace

from oms.domain.profile import ClientProfile
from oms.domain.schedule import Schedule
from oms.simulation.acts import ACTS
from oms.simulation.agenda import chance
from oms.simulation.disk import Fate
from oms.simulation.manners import Manners
from oms.simulation.network import Weather
from oms.simulation.profiles import VenueKind, draw_client, draw_hours, draw_venue
from oms.simulation.versions import VERSIONS

CLIENTS = ("ALPHA", "BETA")
VENUES = ("XA", "XB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody does something at that moment, in microseconds from the start; n says which."""

    at_us: int
    kind: str
    n: int


@dataclass(slots=True, kw_only=True)
class Commits:
    """How the database behaves: usual and slow latency in microseconds, probabilities of 1."""

    usual_us: int = 300
    slow_us: int = 0
    slow: float = 0.0
    before: float = 0.0
    after: float = 0.0
    torn: float = 0.0

    def draw(self, randomness: random.Random) -> tuple[Fate, int]:
        """What becomes of one commit, and after how many microseconds."""
        draw = randomness.random()
        takes_us = self.usual_us // 2 + randomness.randrange(self.usual_us + 1)
        if randomness.random() < self.slow:
            takes_us += self.slow_us
        for fate, probability in (
            (Fate.BEFORE, self.before),
            (Fate.AFTER, self.after),
            (Fate.TORN, self.torn),
        ):
            if draw < probability:
                return fate, takes_us
            draw -= probability
        return Fate.DONE, takes_us

    def calm(self) -> None:
        """From here on it answers."""
        self.slow = self.before = self.after = self.torn = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What makes a run: the seed, and what is left out of what it draws.

    kept: the numbers of the acts that remain, None for all; left_out: faults, as `faults_of` names
    them.
    """

    seed: int
    kept: tuple[int, ...] | None = None
    left_out: frozenset[str] = frozenset()

    def line(self) -> str:
        """The command that plays this run again."""
        words = [f"oms simulate --seed {self.seed}"]
        if self.kept is not None:
            words.append(f"--acts {','.join(map(str, self.kept)) or 'none'}")
        if self.left_out:
            words.append(f"--without {','.join(sorted(self.left_out))}")
        return " ".join(words)


@dataclass(slots=True, kw_only=True)
class Plan:
    """All that a run needs to be played once: the world changes it, when the faults stop.

    copies: venues by the sessions of their drop copies. versions: BeginString (8) by session.
    hours: of the sessions that have any. line_us: how busy the core and its FIX process may be for
    each other. late: how often clients send what is old.
    """

    seed: int
    acts: tuple[Act, ...]
    commits: Commits
    weather: dict[str, Weather]
    manners: dict[str, Manners]
    clients: dict[str, ClientProfile]
    venues: dict[str, VenueKind]
    copies: dict[str, str]
    versions: dict[str, str]
    hours: dict[str, Schedule]
    line_us: int
    late: dict[str, float] = field(default_factory=dict)


SIZE = 150


def plan_of(recipe: Recipe) -> Plan:
    """Everything that is decided before the run."""
    randomness = chance(recipe.seed, "plan")
    speech = chance(recipe.seed, "versions")
    copies = {f"{one}C": one for one in VENUES if speech.random() < 0.3}
    names = (*CLIENTS, *VENUES, *copies)
    versions = {name: speech.choice(VERSIONS) for name in names}
    plan = Plan(
        seed=recipe.seed,
        acts=_acts(randomness, SIZE),
        commits=_commits(randomness),
        weather={name: _weather(randomness) for name in names},
        manners={name: _manners(randomness) for name in VENUES},
        clients={name: draw_client(randomness) for name in CLIENTS},
        venues={name: draw_venue(randomness, versions[name]) for name in VENUES},
        copies=copies,
        versions=versions,
        hours=_hours(chance(recipe.seed, "hours")),
        line_us=randomness.choice((0, 0, 2_000, 60_000)),
    )
    _forgetful(plan, chance(recipe.seed, "forgetful"))
    _impatient(plan, chance(recipe.seed, "impatient"))
    if recipe.kept is not None:
        plan.acts = tuple(plan.acts[number] for number in recipe.kept)
    for fault in recipe.left_out:
        whose, _, name = fault.partition(".")
        table = _tables(plan)[whose]
        setattr(table, name, type(getattr(table, name))(0))
    return plan


Table = Commits | Weather | Manners
# How fast, and how often it is asked to do its work, are no faults.
_NO_FAULTS = frozenset({"usual_us", "slow_us", "delay_us", "speed_us", "fill"})


def _tables(plan: Plan) -> dict[str, Table]:
    return {
        "commits": plan.commits,
        **{f"net-{name}": one for name, one in plan.weather.items()},
        **plan.manners,
    }


def faults_of(plan: Plan) -> list[str]:
    """All that a recipe can leave out: `whose.name`."""
    return [
        f"{whose}.{one.name}"
        for whose, table in _tables(plan).items()
        for one in fields(table)
        if one.name not in _NO_FAULTS and getattr(table, one.name)
    ]


def _swarm(randomness: random.Random, most: float) -> float:
    """Nothing for half of all seeds, else anything up to that, small mostly."""
    return 0.0 if randomness.random() < 0.5 else most * randomness.random() ** 2


def _acts(randomness: random.Random, size: int) -> tuple[Act, ...]:
    weights = {}
    for name, act in ACTS.items():
        present = act.always or randomness.random() < 0.6
        weights[name] = act.weight * randomness.uniform(0.3, 2.0) if present else 0.0
    kinds = list(weights)
    gap_us = randomness.choice((2_000, 20_000, 100_000, 400_000))
    moment, acts = 500_000, []
    for kind in randomness.choices(kinds, list(weights.values()), k=size):
        moment += int(randomness.expovariate(1 / gap_us))
        acts.append(Act(at_us=moment, kind=kind, n=randomness.randrange(1_000_000)))
    return tuple(acts)


def _hours(randomness: random.Random) -> dict[str, Schedule]:
    drawn = {name: draw_hours(randomness) for name in (*CLIENTS, *VENUES)}
    return {name: schedule for name, schedule in drawn.items() if schedule is not None}


def _commits(randomness: random.Random) -> Commits:
    return Commits(
        usual_us=randomness.choice((150, 300, 2_000, 20_000)),
        slow_us=randomness.choice((100_000, 800_000, 3_000_000)),
        slow=_swarm(randomness, 0.05),
        before=_swarm(randomness, 0.01),
        after=_swarm(randomness, 0.01),
        torn=_swarm(randomness, 0.01),
    )


def _weather(randomness: random.Random) -> Weather:
    return Weather(
        delay_us=randomness.choice((50, 500, 20_000)),
        jitter_us=randomness.choice((0, 300, 30_000)),
        drop=_swarm(randomness, 0.03),
        repeat=_swarm(randomness, 0.01),
        cut=_swarm(randomness, 0.01),
    )


def _forgetful(plan: Plan, randomness: random.Random) -> None:
    """Venues with a drop copy may leave it to that to tell a trade."""
    for name in plan.copies.values():
        forgets = randomness.random() < 0.5
        plan.manners[name].forget = randomness.uniform(0.1, 0.7) if forgets else 0.0
        plan.manners[name].unnamed = float(randomness.random() < 0.3)


def _impatient(plan: Plan, randomness: random.Random) -> None:
    """Some clients want no old order taken, and send some that are."""
    for name in CLIENTS:
        if randomness.random() < 0.3:
            limit = randomness.choice((50, 1_000, 10_000))
            plan.clients[name] = replace(plan.clients[name], max_order_age_ms=limit)
            plan.late[name] = randomness.uniform(0.0, 0.3)


_MOST = {"fill": 1.0, "lose": 0.15, "overfill": 0.1, "lie": 0.15, "repeat": 0.5, "bounce": 0.1}


def _manners(randomness: random.Random) -> Manners:
    drawn = Manners(speed_us=randomness.choice((200, 2_000, 50_000)))
    for one in fields(Manners):
        if one.name not in ("speed_us", "forget", "unnamed"):
            setattr(drawn, one.name, _swarm(randomness, _MOST.get(one.name, 0.4)))
    drawn.fill = max(drawn.fill, 0.1)
    return drawn
