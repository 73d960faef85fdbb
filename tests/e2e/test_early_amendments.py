"""Busts and corrections that come before their trade, over real FIX, with a kill in between."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oms.domain.origin import SYSTEM
from oms.domain.orphans import DecideOrphan, OrphanVerdict
from tests.support.book_venue import VenueOrder
from tests.support.floor import Floor, floor_with


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[Floor]:
    with floor_with(tmp_path, database_url) as found:
        yield found
        found.verified()


def amend(floor: Floor, order: VenueOrder, kind: str, ids: tuple[str, str], qty: str) -> None:
    """ids: its ExecID and that of the trade that it names."""
    exec_id, ref = ids
    floor.venue.report(order, kind, exec_id=exec_id, more=[(19, ref), (32, qty), (31, "101")])


def noted(floor: Floor, count: int) -> None:
    """So many orphans are in the record."""
    query = "SELECT count(*) FROM orphans"
    floor.desk.until(lambda: floor.desk.rows(query) == [(count,)], f"{count} orphans")


def settlements(floor: Floor) -> list[tuple[object, ...]]:
    return floor.desk.rows("SELECT exec_id, settlement, is_open FROM orphans ORDER BY seq")


def test_a_bust_before_its_trade_and_an_adopted_correction_count_once(floor: Floor) -> None:
    busted, first = floor.order()
    trade = floor.venue.trade(first, "30", told=False)
    first.trades.pop(trade)
    amend(floor, first, "H", ("B-1", trade), "30")
    noted(floor, 1)
    corrected, second = floor.order()
    late = floor.venue.trade(second, "40", told=False)
    amend(floor, second, "G", ("C-1", late), "25")
    noted(floor, 2)
    floor.restart()

    first.trades[trade] = second.trades[late]
    floor.venue.tell_trade(first, trade, t32="30")
    floor.desk.until(lambda: floor.executions(busted), "the trade to be booked")
    assert [(one[0], one[-1]) for one in floor.executions(busted)] == [(trade, True)]
    [(number,)] = floor.desk.rows("SELECT seq FROM orphans WHERE exec_id = 'C-1'")
    assert isinstance(number, int)
    floor.command(
        DecideOrphan(
            origin=replace(SYSTEM, user="eve"),
            orphan=number,
            verdict=OrphanVerdict.ADOPT,
            reason="by telephone",
        )
    )
    floor.desk.until(lambda: floor.position() == "25", "the correction to be booked")
    dropped = floor.count("DuplicateExecutionDropped")
    floor.venue.tell_trade(second, late)
    amend(floor, second, "G", ("C-1", late), "25")
    amend(floor, first, "H", ("B-1", trade), "30")
    floor.desk.until(
        lambda: floor.count("DuplicateExecutionDropped") == dropped + 3, "all to be known"
    )
    assert floor.position() == "25"
    assert [one[:2] for one in floor.executions(corrected)] == [(late, 25)]
    assert settlements(floor) == [("B-1", "BOOKED", False), ("C-1", "ADOPTED", False)]
