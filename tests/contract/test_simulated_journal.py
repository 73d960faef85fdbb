"""The simulated journal keeps the same contract as PostgreSQL's."""

from collections.abc import Callable

import pytest

from oms.simulation.agenda import Agenda
from oms.simulation.disk import Disk, Fate, SimJournal
from oms.store.leader import LeadershipLost
from tests.contract.journal_contract import JournalContract, OpenJournal
from tests.support.book import Book


def opener(fates: list[Fate]) -> tuple[Disk, Callable[[], SimJournal]]:
    """A disk whose commits end as told, one after the other, and well after those."""
    disk, agenda = Disk(), Agenda()

    def fate() -> tuple[Fate, int]:
        return (fates.pop(0) if fates else Fate.DONE), 1_000

    return disk, lambda: disk.take_lead(agenda, fate)


class TestSimulatedJournal(JournalContract):
    @pytest.fixture
    def open_journal(self) -> OpenJournal:
        _, take_lead = opener([])

        def open_next() -> tuple[SimJournal, int]:
            journal = take_lead()
            return journal, journal.epoch

        return open_next


@pytest.mark.parametrize(
    ("fate", "written"), [(Fate.BEFORE, False), (Fate.AFTER, True), (Fate.TORN, False)]
)
def test_a_commit_without_an_answer_is_whole_or_not_at_all(fate: Fate, written: bool) -> None:
    _, take_lead = opener([fate])
    journal = take_lead()
    book = Book(leader_epoch=journal.epoch)
    book.start()
    batch = book.seal()
    with pytest.raises(LeadershipLost):
        journal.append(batch)
    following = take_lead()
    assert following.tip() == ((batch.last_seq, batch.last_hash) if written else (0, bytes(32)))
    assert len(list(following.read())) == (len(batch) if written else 0)


def test_a_batch_in_flight_is_settled_before_another_leads() -> None:
    disk, take_lead = opener([])
    old = take_lead()
    book = Book(leader_epoch=old.epoch)
    book.start()
    batch = book.seal()
    old.begin(batch)
    new = take_lead()
    assert new.tip() == (batch.last_seq, batch.last_hash)
    with pytest.raises(LeadershipLost):
        old.finished()
    assert len(disk.entries) == len(batch)
