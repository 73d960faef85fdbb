"""Medians and percentiles of measured times."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Percentiles of one kind of delay, microseconds."""

    count: int
    p50_us: float
    p99_us: float
    p99_9_us: float


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """The smallest of the ordered values that at least `fraction` of them do not exceed."""
    assert ordered, "a percentile of nothing"
    rank = -(-len(ordered) * fraction // 1)
    return ordered[max(0, int(rank) - 1)]


def latency_of(delays_ns: Sequence[int]) -> Latency:
    """Percentiles of delays given in nanoseconds."""
    ordered = sorted(delay / 1000 for delay in delays_ns)
    return Latency(
        count=len(ordered),
        p50_us=percentile(ordered, 0.5),
        p99_us=percentile(ordered, 0.99),
        p99_9_us=percentile(ordered, 0.999),
    )
