"""What PostgreSQL alone can commit: the server's own rows by the server's own statement.

The rows are made beforehand, by the server's code without its sockets, in a database of their own
beside the server's; timed is nothing but the statement.
"""

import time
from collections.abc import Iterator

from oms.bench.figures import Commits
from oms.bench.scratch import Scratch

_BATCH_SIZES = (1, 32, 128)
# One order to a commit is slow, and a few hundred of them say enough.
_MAX_COMMITS = 400


class CommitLimit:
    """Orders to write into a scratch database."""

    def __init__(self, scratch: Scratch) -> None:
        self._journal = scratch.journal
        self._flow = scratch.flow

    def own_us_per_order(self, orders: int) -> float:
        """The server's own work on one order without sockets or database, microseconds."""
        flow = self._flow
        before_ns = flow.own_ns
        size = _BATCH_SIZES[1]
        for _ in range(-(-orders // size)):
            self._journal.append(flow.sealed(flow.round(size)))
        return (flow.own_ns - before_ns) / 1000 / (-(-orders // size) * size)

    def sustain(self, found: list[Commits], orders: int) -> None:
        """Commit back to back, about `orders` orders at each batch size; add to the figures."""
        if not found:
            found += [Commits(orders_per_commit=size) for size in _BATCH_SIZES]
        for figures in found:
            size = figures.orders_per_commit
            commits = max(1, min(_MAX_COMMITS, orders // size))
            # Fills the way to the venue and back, so that every timed commit holds all its stages.
            self._journal.append(self._flow.sealed(self._flow.round(size)))
            rows_before = self._flow.state.seq
            delays_ns = list(self._delays(commits, size))
            figures.journal_rows_per_order = (self._flow.state.seq - rows_before) / commits / size
            figures.orders_per_second.append(commits * size / (sum(delays_ns) / 1e9))
            figures.commit_ns += delays_ns

    def single(self, commits: int, pause_s: float) -> list[int]:
        """How long commits of one command each take, ns: what an order alone has to wait for.

        pause_s: before each of them; PostgreSQL is quicker where it has just worked.
        """
        delays_ns: list[int] = []
        while len(delays_ns) < commits:
            for command in self._flow.round(1):
                batch = self._flow.sealed([command])
                until_ns = time.perf_counter_ns() + int(pause_s * 1e9)
                # Awake, as a core is.
                while (start_ns := time.perf_counter_ns()) < until_ns:
                    pass
                self._journal.append(batch)
                delays_ns.append(time.perf_counter_ns() - start_ns)
        return delays_ns

    def _delays(self, commits: int, size: int) -> Iterator[int]:
        for _ in range(commits):
            batch = self._flow.sealed(self._flow.round(size))
            start_ns = time.perf_counter_ns()
            self._journal.append(batch)
            yield time.perf_counter_ns() - start_ns
