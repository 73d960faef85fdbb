"""A venue's hours and resets: orders wait, are in doubt, and are found again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from tests.support.clocked_core import ClockedDesk
from tests.support.desk import PATIENCE_S, answer_resync, cl_ord_id, new_order, report_of

HOURS = (
    '[venues.schedule]\ntime_zone = "Europe/London"\nstart = 08:00:00\nend = 17:00:00\n'
    'reset = 07:00:00\ndays = ["MON", "TUE", "WED", "THU", "FRI"]\n'
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ClockedDesk]:
    found = ClockedDesk(tmp_path, database_url, "2026-03-27T12:00:00", "")
    text = found.config.read_text()
    found.config.write_text(
        text.replace("ack_timeout_ms = 1000\n", f"ack_timeout_ms = 1000\n{HOURS}")
    )
    try:
        yield found
    finally:
        found.close()


def report(venue: LightPeer, child: str, exec_type: str, **more: str) -> None:
    fields = {
        37: f"V-{child}",
        11: child,
        17: f"{child}-{exec_type}",
        150: exec_type,
        39: "0",
        55: "ACME",
        54: "1",
        38: "100",
        14: "0",
        151: "100",
        6: "0",
    } | {int(key[1:]): value for key, value in more.items()}
    venue.send("8", list(fields.items()))


def fresh_venue(desk: ClockedDesk) -> LightPeer:
    """The venue with the numbers of a new epoch, at the same place."""
    port = desk.venue.port
    desk.venue.kill()
    settings = LightSettings(sender_comp_id="XSIM", target_comp_id="OMS", initiates=False)
    desk.venue = desk.hub.venue(settings, port=port)
    return desk.venue


def venue_is(desk: ClockedDesk, column: str) -> bool:
    [(value,)] = desk.rows(f"SELECT {column} FROM sessions WHERE name = 'XSIM'")
    return bool(value)


def test_a_weekend_with_a_clock_change_and_a_reset(desk: ClockedDesk) -> None:
    desk.start_core()
    client = desk.client()
    answer_resync(desk, desk.venue)
    fields = new_order()
    client.send("D", fields)
    child = desk.venue.wait_for(lambda m: m.msg_type == "D", PATIENCE_S).get(11) or ""
    report(desk.venue, child, "0")
    report_of(client, cl_ord_id(fields), "0")

    desk.move_to("2026-03-27T17:00:00")
    desk.until(lambda: not desk.venue.is_connected, "the Logout to the venue")
    reason = desk.venue.session.close_reason
    assert reason.startswith("Logout: the session's hours are over: it opens at 2026-03-")
    desk.until(lambda: venue_is(desk, "out_of_hours"), "the hours to be over")
    desk.until(
        lambda: desk.rows("SELECT FROM child_orders WHERE order_id = %s AND in_doubt", child),
        "the order to be in doubt",
    )
    # An order of the weekend waits, and nobody connects to the venue.
    waiting = new_order()
    client.send("D", waiting)
    report_of(client, cl_ord_id(waiting), "0")
    desk.move_to("2026-03-30T05:59:00")  # Monday, 06:59 in London since the clocks changed
    assert client.is_logged_on
    assert not desk.venue.is_connected
    desk.move_to("2026-03-30T06:00:00")
    desk.until(lambda: venue_is(desk, "epoch = 1"), "the reset")
    assert not desk.venue.is_connected

    venue = fresh_venue(desk)
    desk.move_to("2026-03-30T07:00:00")
    desk.until(lambda: venue.is_logged_on, "the Logon with new numbers")
    asked = venue.wait_for(lambda m: m.msg_type == "AF", PATIENCE_S)
    assert asked.get(34) == "2", "the first message behind the Logon"
    mass = {"t584": asked.get(584) or "", "t911": "1", "t912": "Y"}
    report(venue, child, "I", **mass)
    desk.until(
        lambda: desk.rows("SELECT FROM child_orders WHERE order_id = %s AND NOT in_doubt", child),
        "the order to be found again",
    )
    late = venue.wait_for(lambda m: m.msg_type == "D", PATIENCE_S)
    assert late.get(11) != child, "what waited goes out; what works is not sent again"
    assert [m.get(11) for m in venue.messages if m.msg_type == "D"] == [late.get(11)]
    assert venue.faults == []
