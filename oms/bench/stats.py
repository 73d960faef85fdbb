"""Percentiles of measured times, and what a process has used of the processor."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


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


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, user and system; 0 where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
