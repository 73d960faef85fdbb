"""What the core process counts and times (prometheus-client); /metrics is served beside it."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from oms.domain.commands import Command
from oms.domain.events import (
    DuplicateOrderRefused,
    Event,
    MessageRefused,
    OrderRefused,
    OrderRejected,
    PeerRefusedMessage,
    ReplaceRejected,
    RequestRefused,
)
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.ports import Sealed
from oms.runtime.journal_line import Committed

SECONDS = (
    0.0001,
    0.0002,
    0.0005,
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
)

SIZES = tuple(float(4**n) for n in range(7))

_REFUSALS = frozenset(
    {
        OrderRefused,
        OrderRejected,
        RequestRefused,
        DuplicateOrderRefused,
        MessageRefused,
        PeerRefusedMessage,
        ReplaceRejected,
    }
)


class CoreMetrics:
    """Every metric of the core; names begin with plumbline_."""

    _configured: frozenset[str] = frozenset()

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"plumbline_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(f"plumbline_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
            return Histogram(f"plumbline_{name}", text, buckets=buckets, registry=registry)

        self._commands = counter("commands", "Commands sequenced", ("type",))
        self._events = counter("events", "Events journaled", ("type",))
        self._duplicates = counter("duplicates", "Messages journaled before, dropped", ("session",))
        self._refusals = counter("refusals", "Requests refused", ("reason",))
        self._batch_size = histogram("batch_entries", "Journal entries per commit", SIZES)
        self._commit = histogram("commit_seconds", "Time of one commit")
        self._to_handed_over = histogram(
            "received_to_handed_over_seconds",
            "From the oldest message of a batch to the batch's hand-over to the journal",
        )
        self._to_durable = histogram(
            "received_to_durable_seconds", "From the oldest message of a batch to its commit"
        )
        self._to_sent = histogram(
            "durable_to_sent_seconds", "From a batch's commit until all that it caused was sent"
        )
        self._sent = counter("effects_sent", "Effects handed to FIX sessions or held by a throttle")
        self._queue = gauge("queue_depth", "Commands waiting when a batch was handed over")
        self._rejects_sent = self._durable_seq = 0
        self._tip = gauge("journal_seq", "Number of the last durable journal entry")
        self._lag = gauge("journal_lag_entries", "Entries decided and not yet durable")
        self._session_up = gauge("session_up", "1 while the FIX session is logged on", ("session",))
        self._session_open = gauge("session_open", "1 unless we keep it logged out", ("session",))
        self._session_ready = gauge("session_ready", "1 once a venue is resynced", ("session",))
        self._undelivered = gauge(
            "session_undelivered",
            "Messages that wait for a client to be configured",
            ("session",),
        )
        self._open = gauge("open_orders", "Open client and child orders")
        self._unknown = gauge("unknown_orders", "Child orders in doubt")
        self._held = gauge("held_orders", "Client orders that wait for a venue")
        self._disputed = gauge("disputed_trades", "Trades that their clients do not accept")
        self._orphans = gauge("open_orphans", "Trades told to us that wait for a decision")
        self._killed = gauge("kill_switches", "Engaged kill switches")
        self.reloads_refused = counter("session_reloads_refused", "Reloads that were refused")
        self._gate_refusals = counter("gate_refusals", "Connections refused", ("reason",))
        self.recovery = gauge("recovery_seconds", "Time of the last replay")
        self.leader_epoch = gauge("leader_epoch", "Leadership epoch of this core")
        self._count_from_zero()

    def _count_from_zero(self) -> None:
        # Counted in plain numbers and added by `refresh`: a dozen for each order, and each `inc`
        # costs as much as a field of a message.
        self._command_counts: dict[type, int] = dict.fromkeys(Command.__args__, 0)
        self._event_counts: dict[type, int] = dict.fromkeys(Event.__args__, 0)
        self._command_children = {c: self._commands.labels(c.__name__) for c in Command.__args__}
        self._event_children = {one: self._events.labels(one.__name__) for one in Event.__args__}

    def command(self, command: Command) -> None:
        """A command was sequenced."""
        self._command_counts[type(command)] += 1

    def event(self, event: Event) -> None:
        """An event was decided."""
        kind = type(event)
        self._event_counts[kind] += 1
        if kind in _REFUSALS:
            self._refused(event)

    def _refused(self, event: Event) -> None:
        if isinstance(event, ReplaceRejected):
            if event.waited:
                self._refusals.labels(event.reason.value).inc()
        elif isinstance(event, (OrderRefused, OrderRejected, RequestRefused)):
            self._refusals.labels(event.reason.value).inc()
        elif isinstance(event, DuplicateOrderRefused):
            self._refusals.labels(Reason.DUPLICATE_CL_ORD_ID.value).inc()
        elif isinstance(event, PeerRefusedMessage):
            self._refusals.labels("REFUSED_BY_PEER").inc()
        elif isinstance(event, MessageRefused) and event.business:
            self._refusals.labels("MESSAGE_REFUSED").inc()

    def session_rejects(self, sent: int) -> None:
        """So many session Rejects left in all; QuickFIX makes most of them, and no event."""
        self._refusals.labels("SESSION_REJECT").inc(sent - self._rejects_sent)
        self._rejects_sent = sent

    def duplicate(self, command: Command) -> None:
        """A message came that is journaled already."""
        self._duplicates.labels(command.origin.session).inc()

    def handed_over(self, batch: Sealed, queued: int, waited_us: int) -> None:
        """A batch went to the journal, so long after its oldest message was received."""
        self._batch_size.observe(len(batch))
        self._queue.set(queued)
        self._to_handed_over.observe(max(waited_us, 0) / 1_000_000)

    def refused(self, reason: str, count: int) -> None:
        """The gate refused connections."""
        self._gate_refusals.labels(reason).inc(count)

    def delivered(self, effects: int, took_us: int) -> None:
        """What had become durable was sent."""
        self._sent.inc(effects)
        self._to_sent.observe(took_us / 1_000_000)

    def committed(self, committed: Committed, now: int, oldest_at: int) -> None:
        """A batch is durable; oldest_at: when its oldest message was received."""
        self._commit.observe(committed.seconds)
        self._to_durable.observe(max(now - oldest_at, 0) / 1_000_000)
        self._durable_seq = committed.batch.last_seq

    def configured(self, names: Iterable[str]) -> None:
        """These are the sessions; they are down until they are seen."""
        before, self._configured = self._configured, frozenset(names)
        for name in before - self._configured:
            for gauge in (self._session_up, self._session_open, self._session_ready):
                gauge.remove(name)
        for name in self._configured - before:
            self._session_up.labels(name)
            self._session_open.labels(name).set(1)
            self._session_ready.labels(name)

    def refresh(self, state: State) -> None:
        """Set the gauges that follow from the state, add what was counted; once a second."""
        _add(self._command_counts, self._command_children)
        _add(self._event_counts, self._event_children)
        self._tip.set(self._durable_seq)
        self._lag.set(max(state.seq - self._durable_seq, 0))
        for name in self._configured & state.sessions.keys():
            session = state.sessions[name]
            self._session_up.labels(session.name).set(session.logged_on)
            self._session_open.labels(session.name).set(not session.barred)
            self._session_ready.labels(session.name).set(session.ready)
        self._undelivered.clear()
        for session in state.sessions.values():
            if session.undelivered and session.name not in self._configured:
                self._undelivered.labels(session.name).set(session.undelivered)
        self._open.set(len(state.open_orders))
        self._unknown.set(len(state.in_doubt))
        self._held.set(len(state.held))
        self._killed.set(len(state.kill_switches))
        self._disputed.set(len(state.disputes))
        self._orphans.set(len(state.orphans))


def _add(counts: dict[type, int], counters: dict[type, Counter]) -> None:
    for kind, count in counts.items():
        if count:
            counters[kind].inc(count)
            counts[kind] = 0
