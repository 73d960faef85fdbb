"""`oms demo` from start to end: set the stage, play, close the day, compare, sum up."""

import contextlib
import fcntl
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from oms.app.exits import Exit
from oms.demo import closing, show
from oms.demo.checks import all_checks
from oms.demo.evidence import Check, Evidence
from oms.demo.figures import figures
from oms.demo.orders_file import OrdersFileError, accounts_of, listings_of, read_orders
from oms.demo.plan import PlannedOrder, seeded_orders
from oms.demo.programs import DemoError
from oms.demo.script import end_faults
from oms.demo.stage import Stage, open_stage
from oms.demo.truth import venue_books
from oms.demo.world import ACCOUNTS, LISTINGS, make_world

FLOW_LIMIT_S = 600.0
FINISH_LIMIT_S = 30.0
REPEATED_SUBMISSIONS = 10
MAX_ORDERS = 1_000_000
_COUNT_DIGITS = 7
_LOOK_S = 0.5
_LAST_MINUTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """orders: how many the made-up flow has (seed), or the path of a user's own. keep: stay up.

    home: emptied at the start. quiet_limit_s: how long what is unresolved is waited for, before and
    after the close. lose_a_fill: break the truth on purpose, so that checks must fail.
    """

    orders: str = "3000"
    seed: int = 1
    keep: bool = False
    home: Path = Path("var/demo")
    quiet_limit_s: float = 60.0
    lose_a_fill: bool = False

    @property
    def own_orders(self) -> bool:
        """Whether the orders are a user's: nothing may be done to those."""
        return not (self.orders.isascii() and self.orders.isdigit())


def main(options: Options) -> int:
    """Run; 0 where every line of the summary passes, 1 where one fails, 2 for unusable orders."""
    console, errors = Console(), Console(stderr=True)

    def complain(text: object) -> None:
        for line in str(text).splitlines():
            errors.print(f"oms demo: {line}", highlight=False, markup=False, soft_wrap=True)

    try:
        orders = _orders(options)
        with _home(options.home), _interruptible():
            return _run(options, orders, console)
    except OrdersFileError as error:
        complain(error)
        return Exit.USAGE
    except DemoError as error:
        complain(error)
        return Exit.FAILED
    except KeyboardInterrupt:
        complain("interrupted")
        return Exit.FAILED


def _orders(options: Options) -> tuple[PlannedOrder, ...]:
    if options.own_orders:
        return read_orders(Path(options.orders))
    count = int(options.orders) if len(options.orders) <= _COUNT_DIGITS else 0
    if not 1 <= count <= MAX_ORDERS:
        rule = f"must be from 1 to {MAX_ORDERS:,}, or a file"
        raise OrdersFileError(f"--orders = {options.orders}: {rule}")
    return seeded_orders(count, options.seed, LISTINGS)


@contextlib.contextmanager
def _home(home: Path) -> Iterator[None]:
    """The directory, emptied, and ours alone. Raises DemoError."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(f"{home}: another demo runs there") from None
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        yield


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with everything that it started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(options: Options, orders: tuple[PlannedOrder, ...], console: Console) -> int:
    began = time.monotonic()
    _avoid_midnight(console)
    # Of the made-up flow these are the demo's own; NOSUCH must stay unknown there.
    own = options.own_orders
    accounts = accounts_of(orders) if own else ACCOUNTS
    listings = listings_of(orders) if own else LISTINGS
    world = make_world(options.home, accounts=accounts, listings=listings)
    with show.Display(console, len(orders)) as display, contextlib.ExitStack() as stack:
        display.say(
            f"starting PostgreSQL, three venues, the server and the clients in {world.home}"
        )
        stage = stack.enter_context(open_stage(world, orders, options, display))
        display.say(f"all is up after {time.monotonic() - began:.1f} s; {len(orders):,} orders")
        _play(stage, options, display)
        checks = _close(stage, options, display)
        display.__exit__(None, None, None)
        show.summary(console, checks, time.monotonic() - began)
        if options.keep:
            show.invitation(console, world, stage.database.url)
            _stay(stage)
        console.print("stopping", highlight=False)
    return Exit.OK if all(check.passed for check in checks) else Exit.FAILED


def _avoid_midnight(console: Console) -> None:
    """The venues' files are of UTC dates: a demo that began before midnight would have two."""
    now = datetime.now(UTC)
    if (now.hour, now.minute) < (23, 60 - _LAST_MINUTES):
        return
    left_s = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second) + 1
    console.print(
        f"the trading day ends in {left_s} s (UTC): waiting for the next", highlight=False
    )
    time.sleep(left_s)


def _play(stage: Stage, options: Options, display: show.Display) -> None:
    """Let the orders flow, and do at each mark what the script wants.

    A user's own flow to its end first: a kill in its middle could have an IOC order refused.
    """
    if options.own_orders:
        display.say("  your own orders: no fault is injected; the kills come when all have answers")
        stage.allow(len(stage.script))
        stage.await_quiet(FLOW_LIMIT_S, options.quiet_limit_s)
    for number, act in enumerate(stage.script):
        stage.allow(number)
        stage.await_sent(stage.marks[number], FLOW_LIMIT_S)
        display.say(f"  {stage.sent:>6,} orders sent: {act.name}")
        act.run()
        stage.refresh()
    stage.allow(len(stage.script))
    for who, seconds in stage.scene.recoveries:
        told = "not served again" if seconds is None else f"served again after {seconds:.1f} s"
        display.say(f"  {who}: {told}")
    if not stage.await_quiet(FLOW_LIMIT_S, options.quiet_limit_s):
        display.say("  not all is resolved; the checks will say what is not")


def _close(stage: Stage, options: Options, display: show.Display) -> list[Check]:
    """Close the day, compare everything, reconcile, verify."""
    end_faults(stage.scene)
    trade_date = datetime.now(UTC).date().isoformat()
    display.say("closing the day: what still works expires")
    closing.close_day(stage.world, trade_date)
    stage.await_closed(options.quiet_limit_s)
    stage.rest.read_back()
    repeated = stage.rest.submit_again(REPEATED_SUBMISSIONS)
    books = stage.clients.finish(FINISH_LIMIT_S)
    display.say("comparing clients, server and venues")
    evidence = Evidence(
        plan=stage.orders,
        clients=books["clients"],
        rest=stage.rest.orders,
        tables=stage.database.tables(),
        venues=venue_books(stage.world),
    )
    checks = all_checks(evidence)
    faults = [*stage.rest.faults, *repeated]
    checks.append(Check(name="REST: sent again, taken once", figure="", faults=faults))
    if options.own_orders:
        display.say("reconciling with the venues' trade files")
        injected = closing.true_files(stage.world)
    else:
        display.say("falsifying the venues' trade files and reconciling")
        injected = closing.falsify(stage.world, options.seed)
    _, said = closing.reconcile(stage.world, trade_date)
    checks.append(closing.recon_check(stage.database, stage.world, trade_date, injected, said))
    display.say("verifying the chain and every table")
    checks.append(closing.verify(stage.world))
    return checks + figures(evidence, stage.scene.recoveries, outages=not options.own_orders)


def _stay(stage: Stage) -> None:
    """Until SIGINT or SIGTERM, also where SIGINT was ignored by whoever started us."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        # No threading.Event: who waits for one may hold its lock just now, and is interrupted.
        nonlocal asked
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not asked:
            stage.scene.check()
            time.sleep(_LOOK_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
