"""Rates of sessions at the wire: what is too fast waits or is refused, by each one's profile."""

import time
from collections.abc import Iterator

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.support.desk import PATIENCE_S, cl_ord_id, new_order, report_of
from tests.support.floor import Floor, floor_with
from tests.support.postgres import Databases

PER_SECOND = 5
CLIENT = f'[clients.profile]\nmax_messages_per_second = {PER_SECOND}\nthrottle = "REJECT"\n'
VENUE = f'max_messages_per_second = {PER_SECOND}\n[venues.profile]\nthrottle = "REJECT"\n'
SENT = 20


@pytest.fixture(scope="module")
def floor(
    tmp_path_factory: pytest.TempPathFactory, migrated_databases: Databases
) -> Iterator[Floor]:
    """ALPHA has a rate, BETA none; the venue has one too: what is beyond either is refused."""
    url = migrated_databases.take()
    directory = tmp_path_factory.mktemp("floor")
    with floor_with(directory, url, client=CLIENT, venue=VENUE) as found:
        yield found
        found.verified()
    migrated_databases.drop(url)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ALPHA", f"max_messages_per_second = {PER_SECOND}: measured "),
        ("BETA", f"no more messages in this second to XSIM ({PER_SECOND})"),
    ],
    ids=["the client's rate", "the venue's rate"],
)
def test_what_is_too_fast_is_refused_by_name(floor: Floor, name: str, text: str) -> None:
    """In one write, so that all of it falls into one second, or at most two."""
    wait_for_room(floor)
    client = floor.desk.client(name)
    seen = len(floor.venue.orders)
    orders = [new_order(t1=f"{name}-1") for _ in range(SENT)]
    client.send_bytes(b"".join(client.session.prepare("D", fields) for fields in orders))
    answers = [answer_to(client, cl_ord_id(fields)) for fields in orders]
    refused = [one for one in answers if one.get(150) == "8"]
    assert len(refused) >= SENT - 3 * PER_SECOND
    for one in refused:
        assert (one.get(39), one.get(103)) == ("8", "3")
        assert (one.get(58) or "").startswith(text)
    taken = [one.get(11) for one in answers if one.get(150) == "0"]
    assert len(taken) == SENT - len(refused) >= 1
    floor.desk.until(lambda: len(floor.venue.orders) == seen + len(taken), "all at the venue")
    # Whoever is beyond the rate may still withdraw, at once.
    for number, taken_id in enumerate(taken):
        cancel = [(11, f"{taken_id}-x"), (41, str(taken_id)), (55, "ACME"), (54, "1")]
        client.send("F", cancel)
        order = floor.venue.orders[seen + number]
        floor.asked(order)
        floor.venue.grant(order)
        assert report_of(client, f"{taken_id}-x", "4").get(39) == "4"
    query = "SELECT count(*) FROM orders WHERE client = %s AND ord_status = '8'"
    assert floor.desk.rows(query, name) == [(len(refused),)]


def test_a_replace_beyond_the_rate_is_refused_and_the_order_stays(floor: Floor) -> None:
    wait_for_room(floor)
    name, order = floor.order()
    # Orders that come to nothing count as any others.
    many = [floor.client.session.prepare("D", new_order(t55="NONE")) for _ in range(2 * PER_SECOND)]
    fields = new_order(t38="50")
    replace = floor.client.session.prepare("G", [*fields, (41, name)])
    floor.client.send_bytes(b"".join([*many, replace]))
    reject = answer_to(floor.client, cl_ord_id(fields))
    assert [reject.get(tag) for tag in (35, 434, 39)] == ["9", "2", "0"]
    assert (reject.get(58) or "").startswith(f"max_messages_per_second = {PER_SECOND}: measured ")
    assert order.requests == []
    floor.venue.trade(order, "100")
    floor.becomes(name, "2", "100")


def answer_to(client: LightPeer, name: str) -> Message:
    """The first report or reject under that ClOrdID."""
    return client.wait_for(lambda m: m.msg_type in "89" and m.get(11) == name, PATIENCE_S)


def wait_for_room(floor: Floor) -> None:
    """Until the second of the test before is over: the rates count what a second holds."""
    over = time.monotonic() + 1.1
    floor.desk.until(lambda: time.monotonic() > over, "a second without a message")
