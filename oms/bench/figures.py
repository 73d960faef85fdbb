"""What was measured, and what follows from it: ratios and the marks that the server is to reach."""

import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from oms.bench.load import ClientTimes
from oms.bench.stats import Latency, latency_of
from oms.bench.venue import VenueTimes

# Half of what QuickFIX and Python relay at all, and two commits of delay: the price of durability.
THROUGHPUT_MARK = 0.5
COMMITS_MARK = 2.0
# What many client sessions may cost of the figure with a few.
CROWDED_MARK = 0.85


@dataclass(slots=True, kw_only=True)
class WayFigures:
    """Figures of one way from client to venue and back: the bare relay's or the server's.

    cpu_us_per_order: of the one process that speaks FIX, under sustained load.
    """

    orders_per_second: list[float] = field(default_factory=list)
    cpu_us_per_order: list[float] = field(default_factory=list)
    order_ns: list[int] = field(default_factory=list)
    report_ns: list[int] = field(default_factory=list)

    def add_delays(self, client: ClientTimes, venue: VenueTimes) -> None:
        """Add a run with one order in flight, so that the n-th there is the n-th here."""
        order = zip(client.order_out_ns, venue.order_in_ns, strict=True)
        report = zip(venue.report_out_ns, client.report_in_ns, strict=True)
        self.order_ns += [arrival - start for start, arrival in order]
        self.report_ns += [arrival - start for start, arrival in report]

    def as_json(self) -> dict[str, Any]:
        return {
            "orders_per_second": statistics.median(self.orders_per_second),
            "orders_per_second_rounds": self.orders_per_second,
            "cpu_us_per_order": statistics.median(self.cpu_us_per_order),
            "client_order_to_venue_order": asdict(latency_of(self.order_ns)),
            "venue_report_to_client_report": asdict(latency_of(self.report_ns)),
        }


@dataclass(slots=True, kw_only=True)
class Commits:
    """Figures of the database alone at one batch size, in whole orders to a commit."""

    orders_per_commit: int
    journal_rows_per_order: float = 0.0
    orders_per_second: list[float] = field(default_factory=list)
    commit_ns: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        orders_per_second = statistics.median(self.orders_per_second)
        return {
            "orders_per_commit": self.orders_per_commit,
            "orders_per_second": orders_per_second,
            "orders_per_second_rounds": self.orders_per_second,
            "journal_rows_per_second": orders_per_second * self.journal_rows_per_order,
            "commit": asdict(latency_of(self.commit_ns)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something to reach: the value measured, and the bound it should not cross."""

    name: str
    value: float
    bound: float
    unit: str
    at_least: bool

    @property
    def reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(slots=True, kw_only=True)
class Figures:
    """One whole run of the bench. orders: of the sustained load in each round.

    relay: by fields, what the marks refer to; text_relay: the least that can be done at all.
    crowded: a server with many_sessions clients, if these are not 0.
    """

    orders: int
    rounds: int
    client_sessions: int
    in_flight: int
    many_sessions: int = 0
    crowded: WayFigures = field(default_factory=WayFigures)
    relay: WayFigures = field(default_factory=WayFigures)
    text_relay: WayFigures = field(default_factory=WayFigures)
    server: WayFigures = field(default_factory=WayFigures)
    rest_ns: list[int] = field(default_factory=list)
    own_us_per_order: list[float] = field(default_factory=list)
    small_commit_ns: list[int] = field(default_factory=list)
    quick_commit_ns: list[int] = field(default_factory=list)
    commits: list[Commits] = field(default_factory=list)

    @property
    def rest(self) -> Latency:
        return latency_of(self.rest_ns)

    @property
    def small_commit(self) -> Latency:
        """One command's rows committed by themselves, at the pace of orders that come alone."""
        return latency_of(self.small_commit_ns)

    @property
    def quick_commit(self) -> Latency:
        """The same, back to back."""
        return latency_of(self.quick_commit_ns)

    def marks(self) -> list[Mark]:
        """What the server is to reach, beside the bare relay and the database of the same run.

        Delays are measured by both kinds of commit: an order that comes alone finds a database that
        has rested as long as for one at its pace; one back to back is shorter, so that is stricter.
        """
        ratio = _ratio(self.server, self.relay)
        return [
            Mark(
                name="orders per second, of the bare relay's",
                value=ratio,
                bound=THROUGHPUT_MARK,
                unit="",
                at_least=True,
            ),
            *self._commit_marks(self.small_commit, "at its pace"),
            *self._commit_marks(self.quick_commit, "back to back"),
            *self._crowded_marks(),
        ]

    def _commit_marks(self, commit: Latency, kind: str) -> list[Mark]:
        relay, server = self.relay, self.server
        added = [
            ("an order", latency_of(server.order_ns), latency_of(relay.order_ns)),
            ("a report", latency_of(server.report_ns), latency_of(relay.report_ns)),
        ]
        return [
            Mark(
                name=f"added p50 of {name}, commits {kind}",
                value=(ours.p50_us - theirs.p50_us) / commit.p50_us,
                bound=COMMITS_MARK,
                unit="commits",
                at_least=False,
            )
            for name, ours, theirs in added
        ]

    def _crowded_marks(self) -> list[Mark]:
        if not self.many_sessions:
            return []
        name = f"orders per second with {self.many_sessions} sessions, of {self.client_sessions}'s"
        value = _ratio(self.crowded, self.server)
        return [Mark(name=name, value=value, bound=CROWDED_MARK, unit="", at_least=True)]

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file; delays in microseconds."""
        return {
            "machine": machine(),
            "orders_per_round": self.orders,
            "rounds": self.rounds,
            "client_sessions": self.client_sessions,
            "in_flight_per_session": self.in_flight,
            "bare_relay": self.relay.as_json(),
            "bare_relay_of_texts": self.text_relay.as_json(),
            "server": self.server.as_json()
            | {
                "rest_submit_to_answer": asdict(self.rest),
                "own_us_per_order": statistics.median(self.own_us_per_order),
            },
            "crowded_server": {"client_sessions": self.many_sessions} | self.crowded.as_json()
            if self.many_sessions
            else None,
            "database": {
                "one_command": asdict(self.small_commit),
                "one_command_back_to_back": asdict(self.quick_commit),
                "batches": [each.as_json() for each in self.commits],
            },
            "marks": [asdict(mark) | {"reached": mark.reached} for mark in self.marks()],
        }


def _ratio(ours: WayFigures, theirs: WayFigures) -> float:
    """Of orders per second, each round's with that round's."""
    pairs = zip(ours.orders_per_second, theirs.orders_per_second, strict=True)
    return statistics.median(one / other for one, other in pairs)


def machine() -> dict[str, Any]:
    """What it ran on; figures of different machines do not compare."""
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def spread(values: Iterable[float]) -> str:
    """The lowest and the highest of the rounds."""
    found = list(values)
    return f"{min(found):,.0f} - {max(found):,.0f}"
