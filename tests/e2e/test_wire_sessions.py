"""The session layer around orders, at the wire: gaps both ways; repeated, cut, foreign frames."""

from collections.abc import Iterator

import pytest

from fix_sessions.light_session import wall_clock_us
from fix_sessions.wire import fields_of, frame, utc_timestamp_ms
from tests.support.desk import cl_ord_id, new_order, report_of
from tests.support.floor import Floor, floor_with
from tests.support.postgres import Databases

MANY = 30


@pytest.fixture(scope="module")
def floor(
    tmp_path_factory: pytest.TempPathFactory, migrated_databases: Databases
) -> Iterator[Floor]:
    url = migrated_databases.take()
    with floor_with(tmp_path_factory.mktemp("floor"), url) as found:
        yield found
        found.verified()
    migrated_databases.drop(url)


def gaps(floor: Floor, session: str) -> int:
    """How many ResendRequests, of either side, the journal tells of that session."""
    query = "SELECT count(*) FROM journal WHERE type = 'ResendAsked' AND session = %s"
    [(found,)] = floor.desk.rows(query, session)
    return int(str(found))


def test_gaps_both_ways_at_once_with_a_client(floor: Floor) -> None:
    """It was away: it has numbered orders, and we have reports, that the other side has not had."""
    before, before_that = gaps(floor, "ALPHA"), len(floor.venue.orders)
    told = [floor.order() for _ in range(MANY)]
    floor.client.kill()
    query = "SELECT 1 FROM sessions WHERE name = 'ALPHA' AND NOT logged_on"
    floor.desk.until(lambda: floor.desk.rows(query), "the client to be lost")
    for _, order in told:
        floor.venue.trade(order, "100")
    for name, _ in told:
        floor.becomes(name, "2", "100")
    sent = []
    for _ in range(MANY):
        fields = new_order()
        floor.client.session.send("D", fields)
        sent.append(cl_ord_id(fields))
    floor.desk.client()
    for name in sent:
        report_of(floor.client, name, "0")
    for name, _ in told:
        floor.heard(name, ["0", "F"])
    orders = floor.venue.orders
    floor.desk.until(lambda: len(orders) >= before_that + 2 * MANY, "all at the venue")
    for name, order in zip(sent, orders[before_that + MANY :], strict=True):
        floor.venue.end(order, "4")
        floor.becomes(name, "4", "0")
        floor.heard(name, ["0", "4"])
    assert gaps(floor, "ALPHA") >= before + 2, "both sides had to ask"


def test_gaps_both_ways_at_once_with_a_venue(floor: Floor) -> None:
    """It lost what it had of our last orders, and we what it told of them meanwhile."""
    before = gaps(floor, "XSIM")
    told = [floor.order() for _ in range(MANY)]
    floor.lose_venue()
    for _, order in told:
        floor.venue.trade(order, "100")
    floor.venue.peer.session.next_in -= MANY // 2
    floor.find_venue()
    for name, _ in told:
        floor.becomes(name, "2", "100")
        floor.heard(name, ["0", "F"])
    again = [m for m in floor.venue.peer.messages if m.msg_type == "D" and m.poss_dup]
    assert again, "it asked for orders once more"
    names = [order.cl_ord_id for order in floor.venue.orders]
    assert len(set(names)) == len(names)
    assert gaps(floor, "XSIM") >= before + 2, "both sides had to ask"


def test_a_repeated_frame_is_taken_once(floor: Floor) -> None:
    """Marked as a duplicate, under its old number: nothing is done and nothing is answered."""
    name, order = floor.order()
    number = max(floor.client.session.sent)
    fields = fields_of(floor.client.session.sent[number].decode())
    header = [one for one in fields if one[0] in {35, 34, 49, 56}]
    sent_at = next(value for tag, value in fields if tag == 52)
    body = [one for one in fields if one[0] not in {8, 9, 10, 35, 34, 49, 52, 56}]
    now = utc_timestamp_ms(wall_clock_us())
    marked = [(43, "Y"), (52, now), (122, sent_at)]
    since = len(floor.client.messages)
    floor.client.send_bytes(frame("FIX.4.4", [*header, *marked, *body]))
    floor.client.send("1", [(112, "is that all")])
    floor.client.wait_for(lambda m: m.msg_type == "0" and m.get(112) == "is that all", since=since)
    assert [m.msg_type for m in floor.client.messages[since:] if m.msg_type not in "01"] == []
    floor.venue.trade(order, "100")
    floor.becomes(name, "2", "100")
    floor.heard(name, ["0", "F"])


def test_a_frame_that_is_cut_by_the_connections_end_comes_again(floor: Floor) -> None:
    fields = new_order()
    data = floor.client.session.prepare("D", fields)
    floor.client.send_bytes(data[: len(data) // 2])
    floor.client.kill()
    floor.desk.client()
    name = cl_ord_id(fields)
    assert report_of(floor.client, name, "0").get(39) == "0"
    floor.heard(name, ["0"])
    floor.desk.until(lambda: floor.venue.orders[-1].leaves_qty, "the order at the venue")
    floor.venue.end(floor.venue.orders[-1], "4")
    floor.becomes(name, "4", "0")


@pytest.mark.parametrize("begin_string", ["FIX.4.2", "FIX.5.0", "FIXT.1.1"])
def test_a_wrong_begin_string_ends_the_session_and_nothing_is_taken(
    floor: Floor, begin_string: str
) -> None:
    session = floor.client.session
    fields = new_order()
    head = [(35, "D"), (34, str(session.next_out)), (49, "ALPHA"), (56, "PLUMBLINE")]
    now = utc_timestamp_ms(wall_clock_us())
    since = len(floor.client.messages)
    floor.client.send_bytes(frame(begin_string, [*head, (52, now), *fields]))
    floor.desk.until(lambda: not floor.client.is_connected, "the session to end")
    logouts = [m.get(58) for m in floor.client.messages[since:] if m.msg_type == "5"]
    assert logouts == ["Incorrect BeginString"]
    assert floor.row(cl_ord_id(fields)) == ()
    floor.desk.client()
    name, order = floor.order()
    floor.venue.trade(order, "100")
    floor.becomes(name, "2", "100")
