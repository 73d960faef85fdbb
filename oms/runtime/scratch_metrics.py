"""What /metrics says of a core's scratch files."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from oms.runtime.scratch import Scratch


class ScratchMetrics:
    """Names begin with plumbline_scratch_. `refresh` brings them up to date."""

    def __init__(self, scratch: Scratch, registry: CollectorRegistry) -> None:
        self._scratch = scratch
        self._known = 0
        self._on_disk = Gauge(
            "plumbline_scratch_bytes", "Finished orders in scratch files", registry=registry
        )
        self._waiting = Gauge(
            "plumbline_scratch_waiting_bytes",
            "Finished orders that wait in memory to be written to scratch files",
            registry=registry,
        )
        self._failures = Counter(
            "plumbline_scratch_failures",
            "Times that nothing could be written to a scratch file",
            registry=registry,
        )

    def refresh(self) -> None:
        scratch = self._scratch
        self._on_disk.set(scratch.on_disk)
        self._waiting.set(scratch.waiting)
        self._failures.inc(scratch.failures - self._known)
        self._known = scratch.failures
