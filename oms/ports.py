"""Where the core process has two implementations of a thing, or may get a second: the Protocols."""

from collections.abc import Collection, Iterator
from typing import Any, Protocol

from oms.domain.commands import Command, SentMessage
from oms.domain.effects import Effect, FixMessage
from oms.domain.events import Event


class Clock(Protocol):
    """Time for the sequencer."""

    def now(self) -> int:
        """Microseconds since 1970, UTC; never less than the time before."""


class Intake(Protocol):
    """Where the edges hand in what they decoded."""

    def submit(self, command: Command, payload: bytes = b"") -> None:
        """Queue a command; called on the sequencer's thread.

        payload: its canonical bytes, where another process of this program has made them.
        """


class Outlet(Protocol):
    """Where messages leave the process."""

    def deliver(self, effect: FixMessage) -> None:
        """Begin to send it, unless its session is not configured here any more."""

    def release(self) -> list[SentMessage]:
        """Send what was held back and may go now; what left since the last call."""

    @property
    def pending(self) -> bool:
        """Whether something was begun that `release` has not told of yet."""

    @property
    def held_from(self) -> int | None:
        """The first event a message of which is held back for its session's new numbers, if any: a
        core that starts sends again what comes after the last that was noted as sent.
        """


class EffectOutlet(Protocol):
    """Where committed effects of any kind are carried out."""

    def deliver(self, effect: Effect) -> None:
        """Carry it out, or begin to."""

    def release(self) -> list[SentMessage]:
        """See Outlet."""

    @property
    def pending(self) -> bool:
        """See Outlet."""

    @property
    def held_from(self) -> int | None:
        """See Outlet."""


class Sealed(Protocol):
    """A batch ready for its transaction."""

    @property
    def last_seq(self) -> int:
        """Journal number of its last entry."""

    @property
    def last_hash(self) -> bytes:
        """Chain hash of its last entry."""

    def __len__(self) -> int:
        """How many journal entries it holds."""


class OpenBatch(Protocol):
    """A batch that entries are added to, on the sequencer's thread."""

    def add_command(self, seq: int, at: int, command: Command, payload: bytes) -> None:
        """Append a command to the chain; payload: as `Intake.submit` was given it."""

    def add_event(self, seq: int, at: int, event: Event) -> None:
        """Append an event of the last command to the chain."""

    def seal(self) -> Sealed:
        """Make the rows; the state must be the fold up to the last entry."""


class Journal(Protocol):
    """The one record. One batch at a time, one thread at a time."""

    def begin(self, batch: Any) -> None:
        """Start to commit journal rows and read tables in one transaction, or raise.

        batch: what this journal's own OpenBatch sealed.
        """

    def finished(self) -> bool:
        """Whether what was begun is durable by now, without waiting; raises where it failed."""

    def fileno(self) -> int:
        """A descriptor that is readable when `finished` may have come further."""

    def heartbeat(self) -> None:
        """Keep the right to write, with nothing in flight; raises when it is lost."""


class Entry(Protocol):
    """One journal entry as it is read back."""

    @property
    def seq(self) -> int:
        """Journal number."""

    @property
    def at(self) -> int:
        """Sequencer stamp."""

    @property
    def obj(self) -> Command | Event:
        """What was journaled."""


class JournalReader(Protocol):
    """Reading the journal back, at the start."""

    def tip(self) -> tuple[int, bytes]:
        """Number and chain hash of the last entry; (0, the chain's seed) for an empty journal."""

    def delivered(self, venues: Collection[str]) -> int:
        """The largest event number whose message is known to have been handed to a client.

        venues: the sessions that are no clients'. Orders leave before reports: what is known of
        them says nothing of the reports of earlier events.
        """

    def kept(self) -> dict[str, int]:
        """By session of a client that is not, or was not configured: from which event on it has
        not been handed its messages, though others have been handed later ones.
        """

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        """Entries in order: events whole, of commands what the fold looks at."""
