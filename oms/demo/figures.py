"""Figures of the run: how long each kill was felt, orders per second, latency at the client."""

import statistics
from collections.abc import Sequence

from oms.demo.evidence import Check, Evidence

RECOVERY_LIMIT_S = 30.0
_NS_PER_MS = 1e6
_NS_PER_S = 1e9


def figures(
    evidence: Evidence, recoveries: Sequence[tuple[str, float | None]], *, outages: bool
) -> list[Check]:
    """A line each. Recovery fails beyond RECOVERY_LIMIT_S, throughput where there is none."""
    return [*_recoveries(recoveries), _throughput(evidence, outages=outages), _latency(evidence)]


def _recoveries(recoveries: Sequence[tuple[str, float | None]]) -> list[Check]:
    checks = []
    for who, seconds in recoveries:
        late = seconds is None or seconds > RECOVERY_LIMIT_S
        faults = [f"{who} is not back within {RECOVERY_LIMIT_S:.0f} s"] if late else []
        figure = "-" if seconds is None else f"{seconds:.2f} s"
        checks.append(Check(name=f"Recovery: {who}", figure=figure, faults=faults))
    kills = [who for who, _ in recoveries]
    if len(kills) != 3:
        faults = [f"killed: {kills}; must be the core twice and a venue once"]
        checks.append(Check(name="Three kills", figure=str(len(kills)), faults=faults))
    return checks


def _throughput(evidence: Evidence, *, outages: bool) -> Check:
    """outages: whether the kills fell between the orders."""
    name = "Throughput, outages included" if outages else "Throughput"
    requests = [one for client in evidence.clients for one in client["requests"].values()]
    answered = [one for one in requests if one["answered_ns"] and one["kind"] == "D"]
    if not answered:
        return Check(name=name, figure="-", faults=["no order was answered"])
    first = min(one["sent_ns"] for one in answered)
    last = max(one["answered_ns"] for one in answered)
    seconds = max(last - first, 1) / _NS_PER_S
    count = len(answered) + len(evidence.rest)
    figure = f"{count / seconds:,.0f}/s in {seconds:.1f} s"
    if seconds < 1:
        figure = f"{count:,} answered in {seconds * 1e3:,.1f} ms"
    return Check(name=name, figure=figure)


def _latency(evidence: Evidence) -> Check:
    """NewOrderSingle out to first report in; orders that an outage caught say nothing about it."""
    times = sorted(
        one["answered_ns"] - one["sent_ns"]
        for client in evidence.clients
        for one in client["requests"].values()
        if one["kind"] == "D" and one["answered_ns"] and not one["disturbed"]
    )
    name = "Latency, order to report"
    if not times:
        return Check(name=name, figure="every order met an outage")
    cuts = statistics.quantiles(times * 2, n=100, method="inclusive")
    p50, p99 = cuts[49] / _NS_PER_MS, cuts[98] / _NS_PER_MS
    return Check(name=name, figure=f"p50 {p50:.1f} ms, p99 {p99:.1f} ms")
