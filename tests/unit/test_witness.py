"""What a machine has seen durable: noted before anybody is told, and never taken for more."""

from pathlib import Path

import pytest

from oms.runtime.witness import Seen, Witness, WitnessedJournal, seen_in

HASH = bytes(range(32))


class Batch:
    last_seq = 4711
    last_hash = HASH


class Journal:
    """One batch, durable when it is told so; fails where it has none."""

    durable = False

    def begin(self, batch: Batch) -> None:
        self.batch = batch

    def finished(self) -> bool:
        return self.durable

    def fileno(self) -> int:
        return 7

    def heartbeat(self) -> None:
        raise OSError("the session ended")


def test_what_was_noted_is_seen_by_the_next_process(tmp_path: Path) -> None:
    assert seen_in(tmp_path) is None
    for seq in (7, 8, 9, 12):
        Witness(tmp_path).note(seq, HASH, 0)
        assert seen_in(tmp_path) == Seen(seq=seq, hash=HASH, restores=0)
    Witness(tmp_path).note(10_000_000, HASH[::-1], 1)
    assert seen_in(tmp_path) == Seen(seq=10_000_000, hash=HASH[::-1], restores=1)


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 100])
def test_of_a_note_that_was_cut_off_the_one_before_counts(tmp_path: Path, cut: int) -> None:
    witness = Witness(tmp_path)
    for seq in (4711, 4712):
        witness.note(seq, HASH, 0)
    path = tmp_path / "journal_seen"
    content = path.read_bytes()
    half = len(content) // 2
    newest = content.index(b"4712") // half * half
    other = half - newest
    torn = bytearray(content)
    torn[newest + cut : newest + half] = content[other + cut : other + half]
    path.write_bytes(torn)
    assert seen_in(tmp_path) == Seen(seq=4711, hash=HASH, restores=0)
    Witness(tmp_path).note(4713, HASH, 0)
    assert seen_in(tmp_path) == Seen(seq=4713, hash=HASH, restores=0)


@pytest.mark.parametrize("content", ["", "12", f"12 {HASH.hex()} 0", "\udcff", "9" * 400])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "journal_seen").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert seen_in(tmp_path) is None
    for seq in (1, 2, 3):
        Witness(tmp_path).note(seq, HASH, 0)
        assert seen_in(tmp_path) == Seen(seq=seq, hash=HASH, restores=0)


def test_a_batch_is_noted_when_it_is_durable_and_before_anybody_is_told(tmp_path: Path) -> None:
    witness, journal = Witness(tmp_path), Journal()
    witnessed = WitnessedJournal(journal, witness, restores=2)
    witnessed.begin(Batch())
    assert not witnessed.finished()
    assert seen_in(tmp_path) is None
    journal.durable = True
    assert witnessed.finished()
    assert seen_in(tmp_path) == Seen(seq=4711, hash=HASH, restores=2)
    assert witnessed.fileno() == journal.fileno()
    with pytest.raises(OSError, match="the session ended"):
        witnessed.heartbeat()
