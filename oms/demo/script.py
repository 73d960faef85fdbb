"""What goes wrong, and when: venue faults, two kills of the core and one of a venue."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from fix_sessions.exchange_control import ControlRefused, ExchangeControl
from oms.demo.programs import ClientsProgram, DemoError, Program, kill_core, wait_until
from oms.demo.truth import Database, control
from oms.demo.world import World

RECOVERY_LIMIT_S = 60.0
NS = 1e9
VENUE_KILL = "venue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """At which share of the flow something happens."""

    at: float
    name: str
    run: Callable[[], None]


@dataclass(slots=True, kw_only=True)
class Scene:
    """What the acts work on. recoveries: how long each kill was felt, in seconds; None: too long.

    lose_a_fill: have a venue make a trade and never report it, which the checks must find.
    """

    world: World
    server: Program
    venues: dict[str, Program]
    clients: ClientsProgram
    database: Database
    lose_a_fill: bool = False
    recoveries: list[tuple[str, float | None]] = field(default_factory=list)

    @property
    def core_kills(self) -> list[str]:
        """The kills of the core so far."""
        return [who for who, _ in self.recoveries if not who.startswith(VENUE_KILL)]

    def check(self) -> None:
        """Raises DemoError where a process has ended that should not."""
        self.server.check()
        for venue in self.venues.values():
            venue.check()


def acts(scene: Scene, *, own_orders: bool) -> list[Act]:
    """The whole script, in order; of a user's own orders the kills alone, at the end."""

    def tell(venue: str, do: Callable[[ExchangeControl], object]) -> Callable[[], None]:
        def act() -> None:
            # A venue may have nothing yet to bust, correct or cancel: then nothing is.
            with control(scene.world, venue) as operator, contextlib.suppress(ControlRefused):
                do(operator)

        return act

    first, second, third = scene.venues
    if own_orders:
        return [
            Act(at=1, name="SIGKILL of the core", run=lambda: _kill_core(scene)),
            Act(at=1, name=f"SIGKILL of {second}", run=lambda: _kill_venue(scene, second)),
            Act(at=1, name="SIGKILL of the core", run=lambda: _kill_core(scene)),
        ]
    script = [
        (0.04, f"{first} rejects the next 5 orders", tell(first, lambda v: v.reject_next(5))),
        (0.08, f"{second} loses 4 acks", tell(second, lambda v: v.drop_acks_next(4))),
        (0.12, f"{third} duplicates 12 reports", tell(third, lambda v: v.duplicate_next(12))),
        (0.16, f"{first} answers 80 ms late", tell(first, lambda v: v.delay(80))),
        (0.22, f"{first} is prompt again", tell(first, lambda v: v.delay(0))),
        (0.30, "SIGKILL of the core", lambda: _kill_core(scene)),
        (0.40, f"{third} cuts its session", tell(third, lambda v: v.disconnect())),
        (0.44, f"{second} fills 6 orders late", tell(second, lambda v: v.fill_late_next(6, 400))),
        (0.50, f"SIGKILL of {second}", lambda: _kill_venue(scene, second)),
        (0.58, f"{first} busts its last trade", tell(first, lambda v: v.bust())),
        (0.62, f"{third} corrects a price", tell(third, _correct)),
        (0.66, f"{third} refuses 3 cancels", tell(third, lambda v: v.reject_cancels_next(3))),
        (0.70, "SIGKILL of the core", lambda: _kill_core(scene)),
        (0.80, f"{first} cancels an order unasked", tell(first, lambda v: v.cancel())),
        (0.84, f"{second} loses 3 acks", tell(second, lambda v: v.drop_acks_next(3))),
        (0.88, f"{third} busts its last trade", tell(third, lambda v: v.bust())),
    ]
    if scene.lose_a_fill:
        script.append((0.75, f"{first} loses a fill", tell(first, lambda v: v.drop_fills_next(1))))
    return [
        Act(at=at, name=name, run=run) for at, name, run in sorted(script, key=lambda one: one[0])
    ]


def end_faults(scene: Scene) -> None:
    """No venue misbehaves any more."""
    for name in scene.venues:
        with control(scene.world, name) as venue:
            for fault, value in venue.faults().items():
                if value:
                    venue.set(fault, 0)


def _correct(venue: ExchangeControl) -> None:
    standing = [one for one in venue.trades() if one["status"] == "NEW"]
    if standing:
        last = standing[-1]
        venue.correct(last["exec_id"], last_px=Decimal(last["last_px"]) + Decimal("0.5"))


def _kill_core(scene: Scene) -> None:
    """Felt until every client is logged on again and has the answer to a question."""
    killed_ns = kill_core(scene.world)
    deadline = time.monotonic() + RECOVERY_LIMIT_S
    was_down = False
    while time.monotonic() < deadline:
        state = scene.clients.listen(0.1)
        scene.check()
        was_down = was_down or (not state["up"] and state["at_ns"] > killed_ns)
        if was_down and state["up"]:
            seconds = (state["at_ns"] - killed_ns) / NS
            scene.recoveries.append((f"core, kill {1 + len(scene.core_kills)}", seconds))
            return
    raise DemoError(f"the clients are not served again within {RECOVERY_LIMIT_S:.0f} s")


def _kill_venue(scene: Scene, name: str) -> None:
    """Felt until its session is logged on and resynchronised again."""
    began = time.monotonic()
    scene.venues[name].kill()
    ready = scene.database.ready_venues
    gone = wait_until(lambda: name not in ready(scene.world.venues), RECOVERY_LIMIT_S)
    scene.venues[name].start()
    back = gone and wait_until(
        lambda: name in ready(scene.world.venues), RECOVERY_LIMIT_S, scene.check
    )
    scene.recoveries.append((f"{VENUE_KILL} {name}", time.monotonic() - began if back else None))
