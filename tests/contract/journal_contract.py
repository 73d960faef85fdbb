"""What every journal must do, whatever it is made of.

A test module derives from JournalContract and says how to open a journal; opening again is what a
new leader does after the old one is gone.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol

import pytest

from oms.core import replay
from oms.domain.commands import SYSTEM, MessagesSent, SentMessage
from oms.domain.state import State
from oms.store.batch import GENESIS, Entry, SealedBatch, entry_hash
from oms.store.codec import decode
from oms.store.leader import LeadershipLost
from tests.support.book import Book, flow, reference


class Journal(Protocol):
    """The port."""

    def append(self, batch: SealedBatch) -> None: ...
    def tip(self) -> tuple[int, bytes]: ...
    def delivered(self, venues: Collection[str]) -> int: ...
    def read(self, from_seq: int = 1) -> Iterator[Entry]: ...


OpenJournal = Callable[[], tuple[Journal, int]]
"""A journal for a new leader, and the leader's epoch."""


def _sent(session: str, number: int, event_seq: int) -> SentMessage:
    return SentMessage(
        session=session,
        epoch=0,
        msg_seq_num=number,
        event_seq=event_seq,
        msg_type="8",
        order_id="",
        text="8=FIX.4.4\x01",
    )


def _bytes(entries: Iterable[Entry]) -> list[Entry]:
    """Without the objects: those of commands have only what the fold looks at."""
    return [one._replace(obj=None) for one in entries]  # type: ignore[arg-type]


class JournalContract:
    """Derive and give the fixture `open_journal`."""

    def test_an_empty_journal(self, open_journal: OpenJournal) -> None:
        journal, _ = open_journal()
        assert journal.tip() == (0, GENESIS)
        assert list(journal.read()) == []

    def test_what_was_appended_is_read_back_exactly(self, open_journal: OpenJournal) -> None:
        journal, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        appended: list[Entry] = []
        for number, _ in enumerate(flow(book, 60, seed=7)):
            if number % 5 == 0:
                batch = book.seal()
                journal.append(batch)
                appended += batch.entries()
                assert journal.tip() == (batch.last_seq, batch.last_hash)
        found = list(journal.read())
        assert [one._replace(obj=decode(one.type, one.payload)) for one in found] == appended
        events = [(one, mine) for one, mine in zip(found, appended, strict=True) if one.kind == "E"]
        assert all(one.obj == mine.obj for one, mine in events)
        assert [entry.seq for entry in appended] == list(range(1, len(appended) + 1))

    def test_reading_starts_where_asked(self, open_journal: OpenJournal) -> None:
        journal, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        journal.append(book.seal())
        everything = list(journal.read())
        for seq in (1, 2, len(everything), len(everything) + 1):
            assert _bytes(journal.read(seq)) == _bytes(everything[seq - 1 :])

    def test_each_hash_covers_all_before_it(self, open_journal: OpenJournal) -> None:
        journal, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        journal.append(book.seal())
        previous = GENESIS
        for entry in journal.read():
            told = (entry.seq, entry.at, entry.kind, entry.type, entry.payload)
            previous = entry_hash(previous, *told)
            assert entry.hash == previous

    def test_replay_gives_the_state_that_wrote_it(self, open_journal: OpenJournal) -> None:
        journal, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        for _ in flow(book, 40, seed=3):
            pass
        journal.append(book.seal())
        state = State(reference=reference())
        for entry in journal.read():
            replay(state, entry.seq, entry.at, entry.obj)
        assert state == book.state

    def test_what_venues_were_sent_says_nothing_of_what_clients_were(
        self, open_journal: OpenJournal
    ) -> None:
        """Orders leave before reports: an order's number does not cover earlier reports."""
        journal, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        left = [_sent("XONE", 1, 9), _sent("ALPHA", 1, 4), _sent("XTWO", 1, 7)]
        book.take(MessagesSent(origin=SYSTEM, messages=tuple(left)))
        journal.append(book.seal())
        assert journal.delivered(["XONE", "XTWO"]) == 4
        assert journal.delivered(["XONE"]) == 7
        assert journal.delivered([]) == 9

    def test_what_is_repeated_says_nothing_of_what_others_were_sent(
        self, open_journal: OpenJournal
    ) -> None:
        """Found by seed 81: the note of a repetition came before that of an earlier report."""
        journal, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        book.take(MessagesSent(origin=SYSTEM, messages=(_sent("BETA", 1, 4),)))
        again = (_sent("ALPHA", 1, 9),)
        book.take(MessagesSent(origin=SYSTEM, messages=again, repeated="ALPHA"))
        journal.append(book.seal())
        assert journal.delivered([]) == 4

    def test_numbers_are_never_given_twice(self, open_journal: OpenJournal) -> None:
        journal, epoch = open_journal()
        first, second = Book(leader_epoch=epoch), Book(leader_epoch=epoch)
        first.start()
        second.start()
        journal.append(first.seal())
        with pytest.raises(Exception, match=r"duplicate|follow"):
            journal.append(second.seal())
        assert journal.tip() == (first.seq, first.last_hash)

    def test_a_new_leader_ends_the_old_ones_right_to_append(
        self, open_journal: OpenJournal
    ) -> None:
        old, epoch = open_journal()
        book = Book(leader_epoch=epoch)
        book.start()
        old.append(book.seal())
        new, new_epoch = open_journal()
        assert new_epoch > epoch
        tip = new.tip()
        book.start()
        with pytest.raises(LeadershipLost):
            old.append(book.seal())
        assert new.tip() == tip
        assert tip[0] > 0
