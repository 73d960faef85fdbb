"""Counterparty profiles at the wire: what the client and the venue see of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.support.desk import (
    PATIENCE_S,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)

PER_SECOND = 4
CLIENT = f"""
[clients.profile]
pending_acks = false
price_decimals = 2
custom_tags = {{ "8" = ["9001=DESK"] }}
max_messages_per_second = {PER_SECOND}
"""
VENUE = """
[venues.profile]
quantity_decimals = 1
custom_tags = { D = ["21=3", "453=1", "448=FIRM", "447=D", "452=1"] }
"""


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[tuple[Desk, LightPeer]]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        text = desk.config.read_text()
        text = text.replace("allow_reset = false\n", f"allow_reset = false\n{CLIENT}")
        text = text.replace("ack_timeout_ms = 1000\n", f"ack_timeout_ms = 1000\n{VENUE}")
        desk.config.write_text(text)
        desk.start_core()
        yield desk, venue


def orders_at(venue: LightPeer) -> list[Message]:
    return [one for one in venue.messages if one.msg_type == "D"]


def test_messages_as_the_profiles_want_them(bench: tuple[Desk, LightPeer]) -> None:
    desk, venue = bench
    client = desk.client()
    answer_resync(desk, venue)
    fields = new_order(t44="100.5")
    client.send("D", fields)
    new = report_of(client, cl_ord_id(fields), "0")
    assert (new.get(9001), new.get(44), new.get(38)) == ("DESK", "100.50", "100")
    desk.until(lambda: orders_at(venue), "the order at the venue")
    [order] = orders_at(venue)
    assert (order.get(21), order.get(38), order.get(44)) == ("3", "100.0", "100.5")
    parties = [field for field in order.fields if field[0] in {453, 448, 447, 452}]
    assert parties == [(453, "1"), (448, "FIRM"), (447, "D"), (452, "1")]
    name = order.get(11) or ""
    ack = [(37, "V1"), (11, name), (17, "A1"), (150, "0"), (39, "0"), (55, "ACME"), (54, "1")]
    venue.send("8", [*ack, (38, "100"), (14, "0"), (151, "100"), (6, "0")])
    client.send("F", new_order(t11="cancel", t41=cl_ord_id(fields)))
    asked = venue.wait_for(lambda m: m.msg_type == "F", PATIENCE_S)
    done = [(37, "V1"), (11, asked.get(11) or ""), (41, name), (17, "A2"), (150, "4"), (39, "4")]
    venue.send("8", [*done, (55, "ACME"), (54, "1"), (14, "0"), (151, "0"), (6, "0")])
    report_of(client, "cancel", "4")
    kinds = [one.get(150) for one in client.messages if one.msg_type == "8"]
    assert kinds == ["0", "4"], "no Pending Cancel"


def test_orders_that_wait_for_their_rate_outlive_a_crash(bench: tuple[Desk, LightPeer]) -> None:
    desk, venue = bench
    client = desk.client()
    answer_resync(desk, venue)
    orders = [new_order() for _ in range(3 * PER_SECOND)]
    for fields in orders:
        client.send("D", fields)
    report_of(client, cl_ord_id(orders[0]), "0")
    desk.kill_core()
    query = "SELECT cl_ord_id FROM orders ORDER BY created_at, order_id"
    taken = len(desk.rows(query))
    assert taken < len(orders), "nothing had to wait"
    desk.start_core()
    client = desk.client()
    names = [cl_ord_id(fields) for fields in orders]
    desk.until(lambda: len(desk.rows(query)) >= len(names), "all orders")
    assert [row[0] for row in desk.rows(query)] == names
    for name in names:
        report_of(client, name, "0")


def test_a_venue_that_wants_its_numbers_reset_at_every_logon(
    tmp_path: Path, database_url: str
) -> None:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        text = desk.config.read_text()
        profile = "ack_timeout_ms = 1000\n[venues.profile]\nreset_on_logon = true\n"
        desk.config.write_text(text.replace("ack_timeout_ms = 1000\n", profile))
        desk.start_core()
        client = desk.client()
        answer_resync(desk, venue)
        fields = new_order()
        client.send("D", fields)
        desk.until(lambda: orders_at(venue), "the order at the venue")
        name = orders_at(venue)[0].get(11) or ""
        ack = [(37, "V1"), (11, name), (17, "A1"), (150, "0"), (39, "0"), (55, "ACME"), (54, "1")]
        figures = [(38, "100"), (14, "0"), (151, "100"), (6, "0")]
        venue.send("8", [*ack, *figures])
        desk.until(
            lambda: desk.rows("SELECT 1 FROM journal WHERE type = 'OrderAcknowledged'"), "the ack"
        )
        since = len(venue.messages)
        venue.reconnect(PATIENCE_S)
        asked = venue.wait_for(lambda m: m.msg_type == "AF", PATIENCE_S, since)
        logons = [message for message in venue.messages if message.msg_type == "A"]
        assert [(one.seq, one.get(141)) for one in logons] == [(1, "Y"), (1, "Y")]
        status = [(17, "0"), (150, "I"), (39, "0"), (584, asked.get(584) or ""), (911, "1")]
        venue.send("8", [(37, "V1"), (11, name), (55, "ACME"), (54, "1"), *status, *figures])
        confirmed = "SELECT 1 FROM journal WHERE type = 'OrderConfirmed'"
        desk.until(lambda: desk.rows(confirmed), "the order known again")
        client.send("F", new_order(t11="cancel", t41=cl_ord_id(fields)))
        assert venue.wait_for(lambda m: m.msg_type == "F", PATIENCE_S).get(41) == name
