"""The core's runtime around the brain with a journal in memory, whose commits a test lets pass."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry

from oms.domain.commands import Command, MessagesSent, SentMessage
from oms.domain.effects import Effect
from oms.domain.events import Event
from oms.domain.instrument import Reference
from oms.domain.state import State
from oms.ports import Entry
from oms.runtime.journal_line import JournalLine
from oms.runtime.metrics import CoreMetrics
from oms.runtime.recovery import recover
from oms.runtime.sequencer import Sequencer
from oms.runtime.throttle import Throttle
from oms.store.codec import encode
from tests.support.world import START


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One journal entry."""

    seq: int
    at: int
    obj: Command | Event


class MemoryBatch:
    """OpenBatch and Sealed in one."""

    def __init__(self, seq: int, last_hash: bytes) -> None:
        self.first_seq = seq
        self.previous_hash = last_hash
        self.entries: list[Kept] = []

    def add_command(self, seq: int, at: int, command: Command, payload: bytes) -> None:
        assert not payload or payload == encode(command)
        self.entries.append(Kept(seq=seq, at=at, obj=command))

    def add_event(self, seq: int, at: int, event: Event) -> None:
        self.entries.append(Kept(seq=seq, at=at, obj=event))

    def seal(self) -> "MemoryBatch":
        return self

    @property
    def last_seq(self) -> int:
        return self.entries[-1].seq

    @property
    def last_hash(self) -> bytes:
        return str(self.last_seq).encode()

    def __len__(self) -> int:
        return len(self.entries)


class MemoryJournal:
    """Journal and JournalReader. A commit waits until `pass_one` was called once for it."""

    def __init__(self) -> None:
        self.entries: list[Kept] = []
        self.failure: Exception | None = None
        self._begun: MemoryBatch | None = None
        self._passes = 0

    def pass_one(self) -> None:
        """Let one commit end."""
        self._passes += 1

    def forget(self) -> None:
        """The process that began a commit is gone, and the commit with it."""
        self._begun = None

    def begin(self, batch: MemoryBatch) -> None:
        assert self._begun is None
        self._begun = batch

    def finished(self) -> bool:
        if not self._passes:
            return False
        self._passes -= 1
        if self.failure is not None:
            raise self.failure
        batch, self._begun = self._begun, None
        assert batch is not None
        seq, last_hash = self.tip()
        assert (batch.first_seq, batch.previous_hash) == (seq + 1, last_hash)
        self.entries.extend(batch.entries)
        return True

    def fileno(self) -> int:
        """Nobody waits for it: a test says when a commit ends."""
        raise NotImplementedError

    def heartbeat(self) -> None:
        """Always the leader."""

    def tip(self) -> tuple[int, bytes]:
        if not self.entries:
            return 0, b"genesis"
        last = self.entries[-1].seq
        return last, str(last).encode()

    def delivered(self, venues: Collection[str]) -> int:
        noted = [
            message.event_seq
            for entry in self.entries
            if isinstance(entry.obj, MessagesSent) and not entry.obj.repeated
            for message in entry.obj.messages
            if message.session not in venues
        ]
        return max(noted, default=0)

    def kept(self) -> dict[str, int]:
        return {}

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        return iter([entry for entry in self.entries if entry.seq >= from_seq])


class StepClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> int:
        self.at += 7
        return self.at


class Collector:
    """Outlet that keeps what it was given, and numbers it as an engine would."""

    def __init__(self) -> None:
        self.sent: list[Effect] = []
        self.held_from: int | None = None
        self._numbers: dict[str, int] = {}
        self._untold: list[SentMessage] = []

    def deliver(self, effect: Effect) -> None:
        self.sent.append(replace(effect))
        number = self._numbers[effect.session] = self._numbers.get(effect.session, 0) + 1
        self._untold.append(
            SentMessage(
                session=effect.session,
                epoch=0,
                msg_seq_num=number,
                event_seq=effect.event_seq,
                msg_type="",
                order_id="",
                text="",
            )
        )

    def release(self) -> list[SentMessage]:
        untold, self._untold = self._untold, []
        return untold

    @property
    def pending(self) -> bool:
        return bool(self._untold)


class MemoryCore:
    """A core process without its edges: starts by recovering what `journal` holds."""

    def __init__(
        self,
        reference: Reference,
        journal: MemoryJournal,
        *,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """limits: messages per second by session."""
        self.journal = journal
        journal.forget()
        self.state = State(reference=reference)
        self.recovered = recover(self.state, journal)
        self.clock = StepClock()
        self.clock.at = max(START, self.state.at)
        self.outlet = Collector()
        self.line = JournalLine(journal)
        new_batch: Callable[[int, bytes], MemoryBatch] = MemoryBatch
        self.sequencer = Sequencer(
            state=self.state,
            last_hash=self.recovered.last_hash,
            journal=self.line,
            new_batch=new_batch,
            outlet=Throttle(self.outlet, limits or {}, self.clock),  # type: ignore[arg-type]
            clock=self.clock,
            metrics=CoreMetrics(CollectorRegistry()),
        )
        self.sequencer.deliver_again(self.recovered.undelivered)

    def submit(self, *commands: Command) -> None:
        """Queue and decide; what follows waits for its commit."""
        for command in commands:
            self.sequencer.submit(command)
        self.sequencer.pump()

    def commit(self) -> None:
        """Let the batch in flight become durable, and what it caused leave."""
        assert self.line.busy, "nothing is in flight"
        self.journal.pass_one()
        self.sequencer.pump()

    def drain(self) -> None:
        """Commit until nothing is in hand."""
        for _ in range(1_000):
            self.sequencer.flush()
            self.clock.at += 60_000
            self.sequencer.pump()
            if self.sequencer.idle:
                return
            if self.line.busy:
                self.commit()
        raise AssertionError("never idle")
