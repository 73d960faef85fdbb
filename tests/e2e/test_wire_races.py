"""What crosses what: cancels, replaces and fills under way when venues, days and clients change.

Each at the wire: a real core, a client and venues that the test speaks for.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from oms.domain.commands import SYSTEM, CloseTradingDay, OpenTradingDate
from tests.support.book_venue import BookVenue, VenueOrder
from tests.support.desk import PATIENCE_S, report_of
from tests.support.floor import Floor, floor_with
from tests.support.postgres import Databases

GOOD_TILL = 'times_in_force = ["DAY", "GTC", "IOC"]\n'


@pytest.fixture(scope="module")
def floor(
    tmp_path_factory: pytest.TempPathFactory, migrated_databases: Databases
) -> Iterator[Floor]:
    url = migrated_databases.take()
    venues = ("XSIM", "YSIM")
    with floor_with(tmp_path_factory.mktemp("floor"), url, venues=venues, venue=GOOD_TILL) as found:
        yield found
        found.verified()
    migrated_databases.drop(url)


@pytest.mark.parametrize("first", ["its own cancel", "the refusal of ours"])
def test_a_venues_cancel_on_disconnect_crosses_our_cancel(floor: Floor, first: str) -> None:
    """Its session breaks with our cancel there; it had cancelled by itself, and refuses ours."""
    name, order = floor.order()
    floor.venue.trade(order, "30")
    report_of(floor.client, name, "F")
    cancel = floor.ask("F", name)
    floor.asked(order)
    floor.lose_venue()
    # Told while nobody listens: both come again by the session's own resending.
    order.closed = "4"
    if first == "its own cancel":
        floor.venue.report(order, "4", more=[(378, "6"), (58, "cancelled on disconnect")])
        floor.venue.refuse(order)
    else:
        floor.venue.refuse(order)
        floor.venue.report(order, "4", more=[(378, "6"), (58, "cancelled on disconnect")])
    floor.find_venue()
    floor.becomes(name, "4", "30")
    floor.heard(cancel, ["6", "4"])
    floor.heard(name, ["0", "F"])
    assert order.requests == []


def test_a_venues_cancel_on_disconnect_that_our_cancel_never_reached(floor: Floor) -> None:
    """The cancel was asked for while the venue was away; back, it only says what became of it."""
    name, order = floor.order()
    floor.lose_venue()
    cancel = floor.ask("F", name)
    report_of(floor.client, cancel, "6")
    order.closed = "4"
    floor.find_venue()
    floor.becomes(name, "4", "0")
    floor.heard(cancel, ["6", "4"])
    assert order.requests == [], "nothing is asked of an order that is over"


@pytest.mark.parametrize("outcome", ["granted", "lost", "refused"])
def test_a_replace_in_flight_when_the_venue_disconnects(floor: Floor, outcome: str) -> None:
    name, order = floor.order()
    replace = floor.ask("G", name, t38="150", t44="101")
    floor.asked(order)
    floor.lose_venue()
    if outcome == "granted":
        floor.venue.grant(order)
        floor.venue.trade(order, "120", "101")
    elif outcome == "refused":
        floor.venue.refuse(order)
        floor.venue.trade(order, "60")
    else:
        # It had not got that far: it asks for the message again.
        request = order.requests.pop()
        floor.venue.peer.session.next_in = request.seq
    floor.find_venue()
    if outcome == "lost":
        floor.asked(order)
        assert order.requests[0].get(43) == "Y"
        floor.venue.grant(order)
        floor.venue.trade(order, "120", "101")
    if outcome == "refused":
        floor.heard(replace, ["E", "9"])
        floor.venue.trade(order, "40")
        floor.becomes(name, "2", "100")
        return
    report_of(floor.client, replace, "5")
    floor.venue.trade(order, "30", "101")
    floor.becomes(name, "2", "150")
    floor.heard(replace, ["E", "5", "F", "F"])
    assert len(order.names) == 2, "replaced once"


def test_a_local_timeout_and_then_the_venues_working(floor: Floor) -> None:
    """Silence makes the order unknown, it is asked for, and works; its New comes late."""
    floor.venue.acks = False
    try:
        name, order = floor.order()
    finally:
        floor.venue.acks = True
    child = order.names[0]
    told = "SELECT type FROM journal WHERE order_id = %s AND type IN ('OrderInDoubt', %s)"
    confirmed = [("OrderInDoubt",), ("OrderConfirmed",)]
    floor.desk.until(
        lambda: floor.desk.rows(told, child, "OrderConfirmed") == confirmed, "its word"
    )
    assert floor.row(name)[3] is False
    sent = [one for one in floor.venue.peer.messages if one.get(11) == child]
    assert [one.msg_type for one in sent] == ["D", "H"], "asked for, and not sent again"
    floor.venue.report(order, "0")
    floor.venue.trade(order, "100")
    floor.becomes(name, "2", "100")
    floor.heard(name, ["0", "F"])


def quote(venue: BookVenue, ask: str, size: str) -> None:
    """What the venue offers of ACME; a size of 0 takes the offer away."""
    entry = [(269, "1"), (270, ask), (271, size)] if size != "0" else []
    venue.peer.send("W", [(55, "ACME"), (268, "1" if entry else "0"), *entry])


@pytest.fixture
def divided(floor: Floor) -> Iterator[tuple[str, VenueOrder, VenueOrder]]:
    """An order of 100 with 60 at one venue and 40 at the other."""
    x, y = floor.venues.values()
    quote(x, "99", "60")
    quote(y, "99.5", "40")
    since = len(y.orders)
    name, at_x = floor.order()
    floor.desk.until(lambda: len(y.orders) > since, "a part at the second venue")
    yield name, at_x, y.orders[since]
    for venue in (x, y):
        quote(venue, "0", "0")


def test_a_cancel_while_the_parts_fill(
    floor: Floor, divided: tuple[str, VenueOrder, VenueOrder]
) -> None:
    name, at_x, at_y = divided
    y = floor.venues["YSIM"]
    assert [int(one.order_qty) for one in (at_x, at_y)] == [60, 40]
    cancel = floor.ask("F", name)
    floor.asked(at_x)
    floor.asked(at_y)
    floor.venue.trade(at_x, "60", "99")
    floor.venue.refuse(at_x)
    y.trade(at_y, "10", "99.5")
    y.grant(at_y)
    floor.becomes(name, "4", "70")
    floor.heard(cancel, ["6", "4"])
    floor.heard(name, ["0", "F", "F"])


def test_a_cancel_that_comes_when_all_parts_have_filled(
    floor: Floor, divided: tuple[str, VenueOrder, VenueOrder]
) -> None:
    name, at_x, at_y = divided
    y = floor.venues["YSIM"]
    cancel = floor.ask("F", name)
    floor.asked(at_x)
    floor.asked(at_y)
    floor.venue.trade(at_x, "60", "99")
    y.trade(at_y, "40", "99.5")
    floor.venue.refuse(at_x)
    y.refuse(at_y)
    floor.becomes(name, "2", "100")
    reject = floor.client.wait_for(lambda m: m.msg_type == "9" and m.get(11) == cancel, PATIENCE_S)
    assert (reject.get(39), reject.get(102), reject.get(434)) == ("2", "0", "1")


def next_date(floor: Floor) -> str:
    """The next trading date, opened."""
    tomorrow = (date.fromisoformat(floor.trade_date()) + timedelta(days=1)).isoformat()
    floor.command(OpenTradingDate(origin=SYSTEM, trade_date=tomorrow))
    floor.desk.until(lambda: floor.trade_date() == tomorrow, "the next date")
    return tomorrow


def traded_and_expired(floor: Floor) -> tuple[str, VenueOrder, str]:
    """An order of which 40 traded, and which the end of the day ended."""
    name, order = floor.order()
    exec_id = floor.venue.trade(order, "40")
    report_of(floor.client, name, "F")
    floor.command(CloseTradingDay(origin=SYSTEM, trade_date=floor.trade_date()))
    floor.asked(order)
    floor.venue.grant(order)
    floor.becomes(name, "C", "40")
    return name, order, exec_id


@pytest.mark.parametrize("when", ["in the evening", "the next morning"])
def test_a_bust_after_the_end_of_the_day(floor: Floor, when: str) -> None:
    before = int(floor.position())
    name, order, exec_id = traded_and_expired(floor)
    if when == "the next morning":
        next_date(floor)
    floor.venue.bust(order, exec_id)
    told = report_of(floor.client, name, "H")
    assert [told.get(tag) for tag in (39, 14, 151)] == ["C", "0", "0"]
    floor.becomes(name, "C", "0")
    assert [row[6] for row in floor.executions(name)] == [True], "busted"
    assert int(floor.position()) == before
    floor.heard(name, ["0", "F", "C", "H"])


def test_a_bust_of_the_day_before_the_last_is_kept_for_reconciliation(floor: Floor) -> None:
    name, order, exec_id = traded_and_expired(floor)
    next_date(floor)
    next_date(floor)
    floor.venue.bust(order, exec_id)
    query = "SELECT exec_type FROM orphans WHERE cl_ord_id = %s"
    floor.desk.until(lambda: floor.desk.rows(query, order.cl_ord_id) == [("H",)], "an orphan")
    assert [row[6] for row in floor.executions(name)] == [False], "for a human to decide"


def test_a_cl_ord_id_of_another_session_is_another_order(floor: Floor) -> None:
    beta = floor.desk.client("BETA")
    name, mine = floor.order()
    _, theirs = floor.order(beta, t11=name, t1="BETA-1")
    assert mine is not theirs
    beta.send("F", [(11, f"{name}-x"), (41, name), (55, "ACME"), (54, "1")])
    floor.asked(theirs)
    assert mine.requests == []
    floor.venue.grant(theirs)
    report_of(beta, f"{name}-x", "4")
    floor.venue.trade(mine, "100")
    report_of(floor.client, name, "F")
    floor.heard(name, ["0", "F"])
    floor.heard(name, ["0"], beta)


def test_a_cl_ord_id_used_again_tomorrow(floor: Floor) -> None:
    """Free where its order is done; what still works under it is not touched."""
    done, first = floor.order()
    floor.venue.trade(first, "100")
    floor.becomes(done, "2", "100")
    until_cancelled, working = floor.order(t59="1")
    next_date(floor)
    restated = report_of(floor.client, until_cancelled, "D")
    assert restated.get(39) == "0"
    since = len(floor.client.messages)
    floor.send(t11=until_cancelled)
    refused = report_of(floor.client, until_cancelled, "8", since)
    assert (refused.get(39), refused.get(103)) == ("0", "6")
    _, again = floor.order(t11=done)
    assert again is not first
    floor.venue.trade(again, "100")
    report_of(floor.client, done, "F", since)
    query = "SELECT trade_date, ord_status FROM orders WHERE cl_ord_id = %s ORDER BY created_at"
    rows = floor.desk.rows(query, done)
    assert [status for _, status in rows] == ["2", "2"]
    assert rows[0][0] != rows[1][0]
    floor.venue.trade(working, "100")
    floor.becomes(until_cancelled, "2", "100")


def test_a_plain_order_that_no_venue_takes_is_rejected_and_was_never_new(floor: Floor) -> None:
    name = floor.send(t59="4")
    rejected = report_of(floor.client, name, "8")
    assert [rejected.get(tag) for tag in (39, 103)] == ["8", "11"]
    text = "TimeInForce (59) = 4 (FOK): not taken by any venue of ACME (XSIM, YSIM)"
    assert rejected.get(58) == text
    floor.becomes(name, "8", "0")
    floor.heard(name, ["8"])


def test_a_mass_cancels_id_is_used_up(floor: Floor) -> None:
    name, order = floor.order()
    floor.client.send("q", [(11, "mass-1"), (530, "7"), (60, "20260101-00:00:00")])
    done = floor.client.wait_for(lambda m: m.msg_type == "r" and m.get(11) == "mass-1", PATIENCE_S)
    assert done.get(531) == "7"
    floor.asked(order)
    floor.venue.grant(order)
    floor.becomes(name, "4", "0")
    refused = report_of(floor.client, floor.send(t11="mass-1"), "8")
    assert refused.get(103) == "6"
    assert refused.get(58) == "ClOrdID (11) = mass-1: already used for a mass cancel"
