"""A venue whose profile adopts trades of orders that nobody sent, over real FIX and a kill."""

from pathlib import Path

from fix_sessions.light_session import wall_clock_us
from fix_sessions.light_socket import LightPeer
from fix_sessions.wire import utc_timestamp_ms
from tests.support.desk import Desk, answer_resync, desk_with_light_venue

_ACK = "ack_timeout_ms = 1000\n"
POSITION = "SELECT quantity FROM positions WHERE account = 'HOUSE'"


def fill(venue: LightPeer, exec_id: str, qty: str, kind: str = "F", ref: str = "") -> None:
    """A report on an order at the venue that we did not send."""
    fields = {37: "V-9", 17: exec_id, 19: ref, 150: kind, 39: "1", 11: "PHONE-1", 55: "ACME"}
    fields |= {54: "2", 38: "100", 14: "0", 151: "50", 6: "0"}
    fields[60] = utc_timestamp_ms(wall_clock_us())
    if kind == "F":
        fields |= {32: qty, 31: "99.5"}
    venue.send("8", [(tag, value) for tag, value in fields.items() if value])


def test_the_policy_adopts_once_and_knows_the_order_again(
    tmp_path: Path, database_url: str
) -> None:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        profile = '[venues.profile]\norphans = "ADOPT"\norphan_account = "HOUSE"\n'
        text = desk.config.read_text()
        desk.config.write_text(text.replace(_ACK, f"{_ACK}{profile}"))
        desk.start_core()
        desk.client()
        answer_resync(desk, venue)
        fill(venue, "P-1", "40")
        fill(venue, "P-1", "40")
        desk.until(lambda: desk.rows(POSITION) == [(-40,)], "the trade to be booked")
        seen = len(venue.messages)
        desk.kill_core()
        desk.start_core()
        desk.client()
        answer_resync(desk, venue, seen)
        fill(venue, "P-1", "40")
        fill(venue, "P-2", "10")
        desk.until(lambda: desk.rows(POSITION) == [(-50,)], "its order's next trade")
        fill(venue, "P-3", "", kind="H", ref="P-1")
        desk.until(lambda: desk.rows(POSITION) == [(-10,)], "the bust")
        query = "SELECT client, account, order_qty, cum_qty, is_open FROM orders"
        assert desk.rows(query) == [("EXTERNAL", "HOUSE", 50, 10, False)]
        assert _orphans(desk) == [("P-1", "ADOPTED", False)]
        asked = {one.msg_type for one in venue.messages}
        assert asked <= {"A", "0", "1", "5", "AF", "V", "2", "4"}, asked


def _orphans(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("SELECT exec_id, settlement, is_open FROM orphans ORDER BY seq")
