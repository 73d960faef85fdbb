"""Fills as production brings them: twice, too early, too late, too many, in any order, unknown.

Each at the wire: a real core, a client and a venue that the test speaks for.
"""

import itertools
from collections.abc import Iterator

import pytest

from fix_sessions.light_session import wall_clock_us
from fix_sessions.wire import utc_timestamp_ms
from tests.support.book_venue import VenueOrder
from tests.support.desk import PATIENCE_S, new_order, report_of
from tests.support.floor import Floor, floor_with
from tests.support.postgres import Databases


@pytest.fixture(scope="module")
def floor(
    tmp_path_factory: pytest.TempPathFactory, migrated_databases: Databases
) -> Iterator[Floor]:
    url = migrated_databases.take()
    with floor_with(tmp_path_factory.mktemp("floor"), url) as found:
        yield found
        found.verified()
    migrated_databases.drop(url)


def fill_again(floor: Floor, order: VenueOrder, exec_id: str, how: str) -> None:
    """The venue tells a fill a second time."""
    if how == "after a reconnect":
        floor.lose_venue()
        floor.find_venue()
    sent = (122, utc_timestamp_ms(wall_clock_us()))
    header = {"marked PossDup": [(43, "Y"), sent], "marked PossResend": [(97, "Y")]}.get(how, [])
    last_qty, last_px = order.trades[exec_id]
    fields = [(32, f"{last_qty:f}"), (31, f"{last_px:f}")]
    floor.venue.report(order, "F", exec_id=exec_id, more=fields, header=header)


@pytest.mark.parametrize(
    "how", ["unmarked", "marked PossDup", "marked PossResend", "after a reconnect"]
)
def test_the_same_exec_id_twice_is_booked_once(floor: Floor, how: str) -> None:
    before = int(floor.position())
    name, order = floor.order()
    exec_id = floor.venue.trade(order, "40")
    report_of(floor.client, name, "F")
    dropped = floor.count("DuplicateExecutionDropped")
    fill_again(floor, order, exec_id, how)
    floor.desk.until(
        lambda: floor.count("DuplicateExecutionDropped") > dropped, "the repetition to be dropped"
    )
    floor.venue.trade(order, "60")
    floor.becomes(name, "2", "100")
    assert len(floor.executions(name)) == 2
    floor.heard(name, ["0", "F", "F"])
    assert int(floor.position()) == before + 100
    assert floor.discrepancies(order.names[0]) == []


def test_a_repeated_exec_id_with_other_economics_is_flagged_and_changes_nothing(
    floor: Floor,
) -> None:
    before = int(floor.position())
    name, order = floor.order()
    exec_id = floor.venue.trade(order, "40", "99.5")
    report_of(floor.client, name, "F")
    floor.venue.report(
        order, "F", exec_id=exec_id, more=[(32, "41"), (31, "99.25")], header=[(97, "Y")]
    )
    child = order.names[0]
    floor.desk.until(lambda: len(floor.discrepancies(child)) == 2, "both fields flagged")
    assert floor.discrepancies(child) == [
        ("LastQty (32)", f"40 of {exec_id}", "41"),
        ("LastPx (31)", f"99.5 of {exec_id}", "99.25"),
    ]
    [(_, last_qty, last_px, *_)] = floor.executions(name)
    assert (last_qty, f"{last_px:f}") == (40, "99.5")
    floor.venue.end(order, "4")
    floor.becomes(name, "4", "40")
    assert int(floor.position()) == before + 40


def test_a_fill_before_any_acknowledgement_and_the_late_new_after_it(floor: Floor) -> None:
    floor.venue.acks = False
    try:
        name, order = floor.order()
    finally:
        floor.venue.acks = True
    exec_id = floor.venue.trade(order, "40")
    assert report_of(floor.client, name, "F").get(39) == "1"
    late_new = [(39, "0"), (14, "0"), (151, "100")]
    floor.venue.report(order, "0", more=late_new)
    floor.venue.trade(order, "60")
    floor.becomes(name, "2", "100")
    first, second = floor.executions(name)
    assert first[0] == exec_id
    assert (first[5], second[5]) == (True, False), "the first one came early"
    floor.heard(name, ["0", "F", "F"])


def test_a_correction_that_overtakes_its_fill_counts_when_it_is_told_again(floor: Floor) -> None:
    name, order = floor.order()
    exec_id = floor.venue.trade(order, "40", "99.75", told=False)
    named, change = f"C-{exec_id}", [(19, exec_id), (32, "40"), (31, "99.5")]
    floor.venue.report(order, "G", exec_id=named, more=change)
    orphaned = "SELECT count(*) FROM orphans WHERE exec_id = %s"
    floor.desk.until(lambda: floor.desk.rows(orphaned, named) == [(1,)], "an orphan")
    floor.venue.tell_trade(order, exec_id)
    assert report_of(floor.client, name, "F").get(31) == "99.75"
    for _ in range(2):
        floor.venue.report(order, "G", exec_id=named, more=change, header=[(97, "Y")])
    assert report_of(floor.client, name, "G").get(31) == "99.5"
    floor.venue.end(order, "4")
    floor.becomes(name, "4", "40")
    floor.heard(name, ["0", "F", "G", "4"])
    assert [f"{row[2]:f}" for row in floor.executions(name)] == ["99.5"]
    assert floor.desk.rows(orphaned, named) == [(1,)]


STREAM = ("new", "first", "second", "end")


@pytest.mark.parametrize("status", ["4", "C"], ids=["canceled", "expired"])
def test_fills_and_their_end_in_any_permutation_end_in_one_state(floor: Floor, status: str) -> None:
    """New, two fills and the end, in all 24 orders of arrival; what is unclear is asked."""
    before = int(floor.position())
    floor.venue.acks = False
    try:
        played = [floor.order() for _ in range(24)]
    finally:
        floor.venue.acks = True
    for (_, order), steps in zip(played, itertools.permutations(STREAM), strict=True):
        fills = [floor.venue.trade(order, qty, told=False) for qty in ("40", "20")]
        order.closed = status
        told = {"first": (fills[0], "40", "60"), "second": (fills[1], "60", "40")}
        for step in steps:
            if step == "new":
                floor.venue.report(order, "0", more=[(39, "0"), (14, "0"), (151, "100")])
            elif step == "end":
                floor.venue.report(order, status)
            else:
                exec_id, cum, leaves = told[step]
                figures = {"t39": "1", "t14": cum, "t151": leaves}
                floor.venue.tell_trade(order, exec_id, **figures)
    for name, _ in played:
        floor.becomes(name, status, "60")
        assert {row[1] for row in floor.executions(name)} == {20, 40}
        kinds = floor.kinds(name, 4)
        assert (kinds[0], sorted(kinds[1:])) == ("0", sorted(["F", "F", status]))
    assert int(floor.position()) == before + 24 * 60


def test_too_much_is_booked_and_flagged_and_stops_the_order(floor: Floor) -> None:
    before = int(floor.position())
    name, order = floor.order()
    floor.venue.trade(order, "80")
    report_of(floor.client, name, "F")
    floor.venue.trade(order, "50", "101")
    told = floor.client.wait_for(
        lambda m: m.get(11) == name and m.get(150) == "F" and m.get(14) == "130", PATIENCE_S
    )
    assert [told.get(tag) for tag in (39, 32, 31, 151)] == ["2", "50", "101", "0"]
    floor.becomes(name, "2", "130")
    assert [row[3] for row in floor.executions(name)] == [False, True], "flagged as excess"
    assert int(floor.position()) == before + 130
    cancel = floor.ask("F", name)
    reject = floor.client.wait_for(lambda m: m.msg_type == "9" and m.get(11) == cancel, PATIENCE_S)
    assert (reject.get(39), reject.get(102)) == ("2", "0"), "nothing is at work any more"


def test_a_partial_fill_and_then_expired(floor: Floor) -> None:
    name, order = floor.order()
    floor.venue.trade(order, "30")
    floor.venue.end(order, "C")
    expired = report_of(floor.client, name, "C")
    assert [expired.get(tag) for tag in (39, 14, 151)] == ["C", "30", "0"]
    floor.becomes(name, "C", "30")
    floor.heard(name, ["0", "F", "C"])


def test_decimals_beyond_the_instruments(floor: Floor) -> None:
    """Of a client refused by name; of a venue booked to the last digit."""
    refused = floor.send(t44="100.001")
    assert "Price (44) = 100.001" in (report_of(floor.client, refused, "8").get(58) or "")
    refused = floor.send(t38="10.5")
    assert "OrderQty (38) = 10.5" in (report_of(floor.client, refused, "8").get(58) or "")
    name, order = floor.order(t38="10")
    floor.venue.trade(order, "2.5", "99.123456789")
    told = report_of(floor.client, name, "F")
    assert [told.get(tag) for tag in (32, 31, 14, 151)] == ["2.5", "99.123456789", "2.5", "7.5"]
    [(_, last_qty, last_px, *_)] = floor.executions(name)
    assert (f"{last_qty:f}", f"{last_px:f}") == ("2.5", "99.123456789")
    floor.venue.trade(order, "7.5", "0.0000000001")
    floor.becomes(name, "2", "10.0")
    assert f"{floor.executions(name)[1][2]:f}" == "0.0000000001"


def test_a_clients_poss_resend(floor: Floor) -> None:
    """The same again is answered by the order's status, other economics are refused by name."""
    name, order = floor.order()
    first = new_order(t11=name)
    since = len(floor.client.messages)
    floor.client.send("D", first, header=[(97, "Y")])
    assert report_of(floor.client, name, "I", since).get(39) == "0"
    for changed in ({"t38": "200"}, {"t44": "101"}, {"t54": "2"}):
        since = len(floor.client.messages)
        floor.client.send("D", new_order(t11=name, **changed), header=[(97, "Y")])
        refused = report_of(floor.client, name, "8", since)
        assert refused.get(103) == "6"
        assert "with other content" in (refused.get(58) or "")
    floor.venue.trade(order, "100")
    floor.becomes(name, "2", "100")
    [(orders,)] = floor.desk.rows("SELECT count(*) FROM orders WHERE cl_ord_id = %s", name)
    assert orders == 1
