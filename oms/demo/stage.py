"""Everything that runs during the demo, started in order and stopped in the reverse."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import httpx

from oms.demo.plan import PlannedOrder
from oms.demo.programs import ClientsProgram, DemoError, Program, server, venue, wait_until
from oms.demo.rest import RestClient
from oms.demo.script import Act, Scene, acts
from oms.demo.show import Display
from oms.demo.truth import Database, listens
from oms.demo.world import CLIENTS, COMP_ID, HOST, World

START_LIMIT_S = 120.0
# How far the clients may run ahead of the next act, so that it meets a flow at full speed.
AHEAD_SHARE = 0.03
AHEAD_LEAST = 10


class Wanted(Protocol):
    """What the stage needs of the options."""

    @property
    def seed(self) -> int: ...

    @property
    def own_orders(self) -> bool: ...

    @property
    def lose_a_fill(self) -> bool: ...


@dataclass(slots=True, kw_only=True)
class Stage:
    """What is up. marks: after how many orders over FIX each act of the script happens."""

    world: World
    orders: Sequence[PlannedOrder]
    scene: Scene
    script: list[Act]
    marks: list[int]
    rest: RestClient
    display: Display

    @property
    def clients(self) -> ClientsProgram:
        return self.scene.clients

    @property
    def database(self) -> Database:
        return self.scene.database

    @property
    def fix_orders(self) -> int:
        """How many orders go over FIX."""
        return len(self.orders) - len(self.rest.orders)

    @property
    def sent(self) -> int:
        """Orders sent so far, by FIX and REST."""
        return int(self.clients.state["sent"]) + self.rest.sent

    def allow(self, act: int) -> None:
        """Let the clients go on to that act and a little beyond; after the last, to the end."""
        ahead = max(AHEAD_LEAST, int(AHEAD_SHARE * self.fix_orders))
        limit = self.marks[act] + ahead if act < len(self.marks) else self.fix_orders
        self.clients.say(f"limit {limit}")

    def refresh(self, timeout_s: float = 0.0) -> None:
        """Take in what the clients told, look at the processes, show how far all is."""
        state = self.clients.listen(timeout_s) if timeout_s else self.clients.state
        self.scene.check()
        self.display.update(self.sent, int(state["answered"]) + self.rest.answered, state)

    def await_sent(self, count: int, limit_s: float) -> None:
        """Until so many orders went over FIX. Raises DemoError."""
        deadline = time.monotonic() + limit_s
        while self.clients.state["sent"] < count:
            if time.monotonic() > deadline:
                raise DemoError(f"{count} orders are not sent within {limit_s:.0f} s")
            self.refresh(0.2)

    def await_quiet(self, flow_s: float, quiet_s: float) -> bool:
        """Until all is sent and all is resolved; whether it is, within these times."""
        self.await_sent(self.fix_orders, flow_s)
        deadline = time.monotonic() + quiet_s
        while time.monotonic() < deadline:
            self.refresh(0.1)
            state = self.clients.state
            settled = not state.get("unsettled") and not state.get("has_more") and state["up"]
            if settled and self.rest.done and not self.database.unresolved():
                return True
        return False

    def await_closed(self, limit_s: float) -> bool:
        """Until no order is open, on either side; whether that is so in time."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            self.refresh(0.1)
            if not self.clients.state.get("open_orders") and not self.database.open_orders():
                return True
        return False


@contextlib.contextmanager
def open_stage(
    world: World, orders: Sequence[PlannedOrder], options: Wanted, display: Display
) -> Iterator[Stage]:
    """All processes up and logged on to one another. Raises DemoError."""
    with contextlib.ExitStack() as stack:
        scene = _open_scene(stack, world, options)
        fix_orders = [one for one in orders if not one.rest]
        clients = scene.clients
        script = acts(scene, own_orders=options.own_orders)
        marks = [max(1, round(act.at * len(fix_orders))) for act in script]
        rest = RestClient(
            world,
            [one for one in orders if one.rest],
            lambda: int(clients.state["sent"]) / max(1, len(fix_orders)),
        )
        stage = Stage(
            world=world,
            orders=orders,
            scene=scene,
            script=script,
            marks=marks,
            rest=rest,
            display=display,
        )
        stack.callback(clients.stop)
        clients.start(_clients_plan(world, fix_orders, marks))
        deadline = time.monotonic() + START_LIMIT_S
        while not clients.state["up"]:
            stage.refresh(0.2)
            if time.monotonic() > deadline:
                raise DemoError(f"the clients cannot log on. It said:\n{scene.server.tail()}")
        stack.callback(rest.stop)
        rest.start()
        yield stage


def _open_scene(stack: contextlib.ExitStack, world: World, options: Wanted) -> Scene:
    """Venues, then the server, each awaited; what stops them is put on the stack."""
    venues = {
        name: venue(world, name, options.seed + number) for number, name in enumerate(world.venues)
    }
    serve = server(world)
    for one in (*venues.values(), serve):
        stack.callback(one.stop)
        one.start()

    def alive() -> None:
        for one in (*venues.values(), serve):
            one.check()

    def await_start(condition: Callable[[], bool], what: str, program: Program) -> None:
        if not wait_until(condition, START_LIMIT_S, alive):
            raise DemoError(f"{what}. {program.name} said:\n{program.tail()}")

    for name, program in venues.items():
        await_start(partial(listens, world, name), f"venue {name} does not answer", program)
    await_start(partial(_is_ready, world), "the server is not ready", serve)
    database = Database(world)
    stack.callback(database.close)
    await_start(
        lambda: len(database.ready_venues(world.venues)) == len(venues),
        "the venues' sessions do not come up",
        serve,
    )
    return Scene(
        world=world,
        server=serve,
        venues=venues,
        clients=ClientsProgram(world),
        database=database,
        lose_a_fill=options.lose_a_fill,
    )


def _is_ready(world: World) -> bool:
    try:
        return httpx.get(f"{world.api_url}/ready", timeout=5.0, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _clients_plan(
    world: World, orders: Sequence[PlannedOrder], marks: Sequence[int]
) -> dict[str, object]:
    return {
        "host": HOST,
        "port": world.fix_port,
        "target_comp_id": COMP_ID,
        "password": world.password,
        "clients": list(CLIENTS),
        "marks": list(marks),
        "orders": [one.as_json() for one in orders],
    }
