"""Orders that a real core has put into its scratch file: it knows them as before, or it ends."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oms.app.exits import Exit
from tests.support.book_venue import VenueOrder
from tests.support.desk import PATIENCE_S, report_of
from tests.support.floor import Floor, floor_with

# More than waits in memory for the disk.
ORDERS = 300

Traded = tuple[str, VenueOrder, str]
"""ClOrdID, the order at the venue, and the ExecID of its trade."""


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[Floor]:
    with floor_with(tmp_path, database_url) as found:
        yield found
        found.verified()


def traded(floor: Floor) -> list[Traded]:
    """Orders that are filled, oldest first; the oldest are on disk."""
    book = floor.venue.orders
    names = [floor.send() for _ in range(ORDERS)]
    floor.desk.until(lambda: len(book) == ORDERS, "all orders at the venue")
    trades = [floor.venue.trade(order, "100") for order in book]
    report_of(floor.client, names[-1], "F")
    until_on_disk(floor)
    return list(zip(names, book, trades, strict=True))


def until_on_disk(floor: Floor) -> None:
    floor.desk.until(lambda: floor.desk.metric("scratch_bytes") > 0, "orders on disk")


def check_known(floor: Floor, duplicate: Traded, asked: Traded, busted: Traded) -> None:
    """A ClOrdID is taken, a status is told, a late bust is booked."""
    at_venue = len(floor.venue.orders)
    check_taken(floor, duplicate[0])
    since = len(floor.client.messages)
    floor.client.send("H", [(11, asked[0]), (55, "ACME"), (54, "1")])
    status = report_of(floor.client, asked[0], "I", since)
    assert [status.get(tag) for tag in (39, 14)] == ["2", "100"]
    name, order, exec_id = busted
    before = int(floor.position())
    floor.venue.bust(order, exec_id)
    assert report_of(floor.client, name, "H").get(14) == "0"
    assert [row[6] for row in floor.executions(name)] == [True]
    assert int(floor.position()) == before - 100
    assert len(floor.venue.orders) == at_venue


def check_taken(floor: Floor, name: str, status: str = "2") -> None:
    since = len(floor.client.messages)
    floor.send(t11=name)
    refused = report_of(floor.client, name, "8", since)
    assert (refused.get(39), refused.get(103)) == (status, "6"), "as the order of that name is"


def test_orders_on_disk_are_known_before_and_after_a_crash(floor: Floor) -> None:
    known = traded(floor)
    check_known(floor, *known[:3])
    floor.restart()
    until_on_disk(floor)
    check_known(floor, *known[3:6])
    check_taken(floor, known[2][0], "4")


@pytest.mark.skipif(sys.platform != "linux", reason="a file without a name is reached by /proc")
def test_a_core_whose_scratch_file_is_spoilt_ends_before_it_decides(floor: Floor) -> None:
    known = traded(floor)
    core = floor.desk.core
    assert core is not None
    files = [
        one
        for one in Path(f"/proc/{core.pid}/fd").iterdir()
        if str(one.readlink()).startswith(str(floor.desk.directory / "core"))
        and str(one.readlink()).endswith("(deleted)")
    ]
    assert files
    for one in files:
        with one.open("r+b") as file:
            file.write(bytes(one.stat().st_size))
    at_venue, since = len(floor.venue.orders), len(floor.client.messages)
    name = floor.send(t11=known[0][0])
    floor.desk.until(lambda: core.poll() is not None, "the core to end")
    assert core.wait(PATIENCE_S) == Exit.FAULT
    log = (floor.desk.directory / "core.log").read_text()
    assert "core.scratch_unreadable" in log
    assert "core.fault" in log
    floor.start()
    refused = report_of(floor.client, name, "8", since)
    assert (refused.get(39), refused.get(103)) == ("2", "6")
    assert len(floor.venue.orders) == at_venue
