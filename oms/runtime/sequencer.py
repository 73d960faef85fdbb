"""The sequencer: numbers and stamps commands, asks the brain, and lets nothing out uncommitted.

One thread calls everything here. While one batch is committed, the next one is decided; its effects
wait until it is durable. Messages that left are noted in the journal with the next batch, or after
a moment of quiet: what is not noted after a crash is sent again as PossResend.
"""

from collections import deque
from collections.abc import Callable

from oms.core import is_duplicate, step
from oms.domain.commands import (
    OBSERVATIONS,
    SYSTEM,
    ClockTicked,
    Command,
    MessagesSent,
    Origin,
    SentMessage,
    Stamped,
    StreamMark,
)
from oms.domain.effects import TO_CLIENTS, Effect
from oms.domain.state import State
from oms.outbound import bundled, effects_of
from oms.ports import Clock, EffectOutlet, OpenBatch
from oms.runtime import alerts
from oms.runtime.journal_line import JournalLine
from oms.runtime.metrics import CoreMetrics

NOTE_SENT_AFTER_US = 50_000
NOTE_SENT_MANY = 250
TICK_US = 250_000
OBSERVED_MARK_EVERY = 500
MAX_BATCH_ENTRIES = 4_000
LOOK_EVERY = 16

BatchFactory = Callable[[int, bytes], OpenBatch]


class Sequencer:
    """See the module. `submit` queues, `pump` does what can be done now."""

    def __init__(
        self,
        *,
        state: State,
        last_hash: bytes,
        journal: JournalLine,
        new_batch: BatchFactory,
        outlet: EffectOutlet,
        clock: Clock,
        metrics: CoreMetrics,
    ) -> None:
        self.state = state
        self._journal = journal
        self._new_batch = new_batch
        self._outlet = outlet
        self._clock = clock
        self._metrics = metrics
        # Each with its canonical bytes, where they are known.
        self._commands: deque[tuple[Command, bytes]] = deque()
        self._last_hash = last_hash
        self._batch: OpenBatch | None = None
        self._entries = 0
        self._oldest_at = 0
        self._effects: list[Effect] = []
        self._in_flight: list[Effect] = []
        self._in_flight_oldest_at = 0
        self._sent: list[SentMessage] = []
        self._sent_since = 0
        # Notes of what was sent: in the batch being built, and in the one in flight.
        self._noting: list[SentMessage] = []
        self._noting_in_flight: list[SentMessage] = []
        self._observed: dict[str, Origin] = {}
        self._observed_count = 0
        self._next_tick = 0
        self._bundling: frozenset[str] = frozenset()
        self.clients_changed()

    def clients_changed(self) -> None:
        """Look again at what clients' profiles ask for; they are in the state."""
        clients = self.state.reference.clients.values()
        self._bundling = frozenset(one.session for one in clients if one.profile.bundled_ioc)

    def submit(self, command: Command, payload: bytes = b"") -> None:
        """See oms.ports.Intake."""
        self._commands.append((command, payload))

    @property
    def idle(self) -> bool:
        """Whether nothing is queued, undecided, uncommitted or undelivered."""
        if self._outlet.pending:
            return False
        return not (self._commands or self._batch or self._journal.busy or self._notable())

    @property
    def full(self) -> bool:
        """Whether input should wait until the batch in flight is durable."""
        return self._journal.busy and self._entries >= MAX_BATCH_ENTRIES

    def pump(self) -> None:
        """Deliver what has become durable, decide what is queued, hand the next batch over.

        Raises whatever ended the journal: the process must stop then.
        """
        self._deliver_committed()
        now = self._clock.now()
        self._note_sent(self._outlet.release(), now)
        if now >= self._next_tick:
            self._next_tick = now + TICK_US
            self.submit(ClockTicked())
        if self._note_due(now):
            self._decide(self._note(), b"", now)
        commands = self._commands
        # A batch that grew without end while the journal stalls would cost it the lead afterwards.
        while commands and not self.full:
            for _ in range(min(len(commands), LOOK_EVERY)):
                self._decide(*commands.popleft(), self._clock.now())
            # The journal never waits for the end of a long queue.
            self._deliver_committed()
            self._hand_over()
        self._hand_over()

    def flush(self) -> None:
        """Have what was sent noted in the journal with the next batch."""
        self._sent_since = 0

    def unjournaled(self) -> list[SentMessage]:
        """What was sent and may not be in the journal yet, in order."""
        self._note_sent(self._outlet.release(), self._clock.now())
        known = (*self._noting_in_flight, *self._noting, *self._sent)
        return [one for one in known if one.msg_seq_num]

    def _note_due(self, now: int) -> bool:
        """Whether to note what was sent: not with every batch, for whoever waits would wait longer.

        What a crash finds not noted is sent again as PossResend, so it should not be much.
        """
        if self._observed_count >= OBSERVED_MARK_EVERY:
            return True
        due = len(self._sent) >= NOTE_SENT_MANY or now - self._sent_since >= NOTE_SENT_AFTER_US
        return due and bool(self._notable())

    def _notable(self) -> list[SentMessage]:
        """What was sent and may be noted: nothing beyond what is held back."""
        held_from = self._outlet.held_from if self._sent else None
        if held_from is None:
            return self._sent
        return [one for one in self._sent if one.event_seq < held_from]

    def _note(self) -> MessagesSent:
        noted = self._notable()
        note = MessagesSent(
            origin=SYSTEM,
            messages=tuple(one for one in noted if one.msg_seq_num),
            observed=tuple(
                StreamMark(session=name, epoch=origin.epoch, msg_seq_num=origin.msg_seq_num)
                for name, origin in self._observed.items()
            ),
            kept=tuple(one for one in noted if not one.msg_seq_num),
        )
        self._noting += noted
        last = max((one.event_seq for one in noted), default=0)
        self._sent = [one for one in self._sent if one.event_seq > last]
        self._observed.clear()
        self._observed_count = 0
        return note

    def _decide(self, command: Command, payload: bytes, at: int) -> None:
        if is_duplicate(self.state, command):
            self._metrics.duplicate(command)
            return
        observation = isinstance(command, OBSERVATIONS)
        if observation and command.origin.msg_seq_num:
            self._observed[command.origin.session] = command.origin
            self._observed_count += 1
        state = self.state
        seq = state.seq + 1
        batch = None if observation else self._add(seq, at, command, payload)
        known = len(self._effects)
        for number, event in step(state, Stamped(seq=seq, at=at, command=command)):
            if batch is None:
                batch = self._add(seq, at, command, payload)
            batch.add_event(number, at, event)
            self._entries += 1
            self._effects.extend(effects_of(state, number, event))
            self._metrics.event(event)
            alerts.note(event)
        if self._bundling:
            self._effects[known:] = bundled(self._effects[known:], self._bundling)
        self._metrics.command(command)

    def _add(self, seq: int, at: int, command: Command, payload: bytes) -> OpenBatch:
        if self._batch is None:
            self._batch = self._new_batch(seq, self._last_hash)
            self._oldest_at = command.origin.received_at or at
        self._batch.add_command(seq, at, command, payload)
        self._entries += 1
        return self._batch

    def _hand_over(self) -> None:
        """Give the journal the next batch, if it is free and there is one."""
        if self._batch is None or self._journal.busy:
            return
        sealed = self._batch.seal()
        self._last_hash = sealed.last_hash
        self._noting_in_flight, self._noting = self._noting, []
        self._in_flight = self._effects
        self._in_flight_oldest_at = self._oldest_at
        self._batch, self._effects, self._entries = None, [], 0
        waited_us = self._clock.now() - self._oldest_at
        # PostgreSQL begins while the rest is done.
        self._journal.commit(sealed)
        self._metrics.handed_over(sealed, len(self._commands), waited_us)

    def _deliver_committed(self) -> None:
        """What has become durable leaves; the journal gets its next batch before that."""
        committed = self._journal.finished()
        if committed is None:
            return
        self._noting_in_flight = []
        effects, self._in_flight = self._in_flight, []
        oldest_at = self._in_flight_oldest_at
        self._metrics.committed(committed, self._clock.now(), oldest_at)
        self._hand_over()
        self._deliver(effects)

    def deliver_again(self, effects: list[Effect]) -> None:
        """Send what a crash may have held back; at the start, before anything new."""
        self._deliver(effects)

    def _deliver(self, effects: list[Effect]) -> None:
        """Orders to venues before reports to clients: the market does not wait, a report can."""
        if effects:
            effects.sort(key=_urgency)
            began = self._clock.now()
            for effect in effects:
                self._outlet.deliver(effect)
            sent = self._outlet.release()
            now = self._clock.now()
            self._metrics.delivered(len(effects), now - began)
            self._note_sent(sent, now)

    def _note_sent(self, messages: list[SentMessage], now: int) -> None:
        if messages:
            self._sent_since = self._sent_since if self._sent else now
            self._sent.extend(messages)


def _urgency(effect: Effect) -> int:
    return isinstance(effect, TO_CLIENTS)
