"""oms bench: the server, a bare QuickFIX relay and the database alone, measured in one run.

The three take turns in short rounds, so that whatever else the machine does meanwhile falls on all
of them alike.
"""

import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from oms.bench.database import CommitLimit
from oms.bench.figures import Figures, WayFigures
from oms.bench.load import PAUSE_S, BenchError, Load
from oms.bench.relay import Relay
from oms.bench.report import show
from oms.bench.rest import RestClient
from oms.bench.scratch import Scratch
from oms.bench.server import SHAPE, Server
from oms.bench.stats import cpu_seconds
from oms.bench.venue import Venue
from oms.bench.wal import use_wal_files
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_account import EmbeddedPostgresError

_ROUNDS = 5
_CLIENT_SESSIONS = 2
_IN_FLIGHT = 64
_WARM_UP_ORDERS = 500
# One in flight takes a few milliseconds an order: fewer of them make a round of like length.
_SINGLE_SHARE = 5
_REST_SHARE = 25
_SMALLEST_RUN = 20
_PIPED_WIDTH = 110
_ARRIVAL_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """orders: of the sustained load in each round. data_dir: on the disk to measure.

    many_sessions: of clients of a second server, which shows what they cost; 2 or fewer: no such.
    """

    orders: int = 5_000
    many_sessions: int = 0
    json_file: Path | None = None
    data_dir: Path = Path("var/bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subjects:
    relay: Relay
    text_relay: Relay
    server: Server
    crowded: Server | None
    database: CommitLimit
    rest: RestClient


def main(options: Options) -> int:
    """Measure, print the tables, write the JSON; 0 when all was measured, whatever the figures."""
    # Piped into a file or a note, the tables keep their lines whole.
    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_WIDTH)
    errors = Console(stderr=True)
    figures = Figures(
        orders=options.orders,
        rounds=_ROUNDS,
        client_sessions=_CLIENT_SESSIONS,
        in_flight=_IN_FLIGHT,
        many_sessions=options.many_sessions if options.many_sessions > _CLIENT_SESSIONS else 0,
    )
    try:
        with errors.status("starting") as status, _subjects(options, figures) as subjects:
            status.update("warming up")
            _warm_up(subjects, figures)
            for number in range(1, _ROUNDS + 1):
                status.update(f"round {number} of {_ROUNDS}")
                _round(subjects, figures, number)
    except (BenchError, EmbeddedPostgresError, TimeoutError) as error:
        errors.print(f"oms bench: {error}", style="red", highlight=False, markup=False)
        return 1
    show(figures, console)
    if options.json_file is not None:
        options.json_file.write_text(json.dumps(figures.as_json(), indent=2) + "\n")
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """From clients to a venue and back, through the process `pid`."""

    load: Load
    venue: Venue
    pid: int
    figures: WayFigures
    in_flight: int


@contextlib.contextmanager
def _subjects(options: Options, figures: Figures) -> Iterator[_Subjects]:
    """Everything that is measured, up and logged on; its data are removed afterwards."""
    with contextlib.ExitStack() as stack:
        options.data_dir.mkdir(parents=True, exist_ok=True)
        own_dir = Path(tempfile.mkdtemp(dir=options.data_dir))
        stack.callback(shutil.rmtree, own_dir, ignore_errors=True)
        postgres = stack.enter_context(EmbeddedPostgres(own_dir / "postgres"))
        use_wal_files(postgres.url)
        server = Server(data_dir=own_dir, client_sessions=_CLIENT_SESSIONS)
        stack.callback(server.stop)
        crowded = _crowded(stack, own_dir / "crowded", figures.many_sessions)
        relay = Relay(client_sessions=_CLIENT_SESSIONS, shape=SHAPE)
        stack.callback(relay.stop)
        text_relay = Relay(client_sessions=_CLIENT_SESSIONS, shape=SHAPE, style="text")
        stack.callback(text_relay.stop)
        rest = RestClient(port=server.api_port, api_key=server.api_key, shape=SHAPE)
        stack.callback(rest.close)
        scratch = Scratch(postgres.url, SHAPE)
        stack.callback(scratch.close)
        database = CommitLimit(scratch)
        yield _Subjects(
            relay=relay,
            text_relay=text_relay,
            server=server,
            crowded=crowded,
            database=database,
            rest=rest,
        )


def _crowded(stack: contextlib.ExitStack, data_dir: Path, sessions: int) -> Server | None:
    """A server like the other but for its many client sessions, and a database of its own."""
    if not sessions:
        return None
    data_dir.mkdir()
    postgres = stack.enter_context(EmbeddedPostgres(data_dir / "postgres"))
    use_wal_files(postgres.url)
    server = Server(data_dir=data_dir, client_sessions=sessions)
    stack.callback(server.stop)
    return server


def _warm_up(subjects: _Subjects, figures: Figures) -> None:
    for way in _ways(subjects, figures):
        load = way.load
        load.run(orders=_WARM_UP_ORDERS, in_flight=way.in_flight)
        load.run(orders=_SMALLEST_RUN, in_flight=1, one_by_one=True)
    subjects.rest.run(_SMALLEST_RUN)
    subjects.database.own_us_per_order(_WARM_UP_ORDERS)


def _ways(subjects: _Subjects, figures: Figures) -> list[_Way]:
    compared: list[tuple[Relay | Server, WayFigures, int]] = [
        (subjects.relay, figures.relay, _IN_FLIGHT),
        (subjects.text_relay, figures.text_relay, _IN_FLIGHT),
        (subjects.server, figures.server, _IN_FLIGHT),
    ]
    if subjects.crowded is not None:
        # As many in flight in all, or a few more.
        in_flight = -(-_CLIENT_SESSIONS * _IN_FLIGHT // figures.many_sessions)
        compared.append((subjects.crowded, figures.crowded, in_flight))
    return [
        _Way(load=each.load, venue=each.venue, pid=each.pid, figures=found, in_flight=in_flight)
        for each, found, in_flight in compared
    ]


def _round(subjects: _Subjects, figures: Figures, number: int) -> None:
    orders = figures.orders
    ways = _ways(subjects, figures)
    if number % 2 == 0:
        ways.reverse()  # who goes first changes from round to round
    for way in ways:
        _sustain(way, orders)
    subjects.database.sustain(figures.commits, orders)
    figures.own_us_per_order.append(subjects.database.own_us_per_order(_WARM_UP_ORDERS))
    single = max(_SMALLEST_RUN, orders // _SINGLE_SHARE)
    for way in ways:
        way.venue.times()
        way.venue.set_style("trade")
        times = way.load.run(orders=single, in_flight=1, one_by_one=True)
        way.figures.add_delays(times, way.venue.times())
        way.venue.set_style("new and trade")
    figures.small_commit_ns += subjects.database.single(single, PAUSE_S)
    figures.quick_commit_ns += subjects.database.single(single, 0)
    _ask_by_rest(subjects, figures, max(_SMALLEST_RUN, orders // _REST_SHARE))


def _ask_by_rest(subjects: _Subjects, figures: Figures, orders: int) -> None:
    """An answer comes before its order is at the venue: the next round waits until all are."""
    venue = subjects.server.venue
    venue.times()
    figures.rest_ns += subjects.rest.run(orders)
    deadline, arrived = time.monotonic() + _ARRIVAL_S, 0
    while arrived < orders:
        arrived += len(venue.times().order_in_ns)
        if time.monotonic() > deadline:
            raise BenchError(f"{orders} orders by REST are answered, the venue has {arrived}")


def _sustain(way: _Way, orders: int) -> None:
    way.venue.times()
    cpu_before_s = cpu_seconds(way.pid)
    seconds = way.load.run(orders=orders, in_flight=way.in_flight).seconds
    way.figures.cpu_us_per_order.append((cpu_seconds(way.pid) - cpu_before_s) * 1e6 / orders)
    way.figures.orders_per_second.append(orders / seconds)
    at_venue = len(way.venue.times().order_in_ns)
    if at_venue != orders:
        raise BenchError(f"{orders} orders are filled, but the venue has seen {at_venue}")
