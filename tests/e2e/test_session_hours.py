"""Sessions open, close and are reset by their schedules, seen from the wire."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from tests.support.clocked_core import ClockedDesk
from tests.support.desk import (
    PASSWORD,
    PATIENCE_S,
    answer_resync,
    cl_ord_id,
    new_order,
    report_of,
)

EVERY_DAY = 'days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]\n'
# New York changed its clocks on 8 March 2026: from then on 08:00 there is 12:00 UTC, not 13:00.
HOURS = (
    '[clients.schedule]\ntime_zone = "America/New_York"\nstart = 08:00:00\nend = 17:00:00\n'
    f"reset = 07:55:00\n{EVERY_DAY}"
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ClockedDesk]:
    found = ClockedDesk(tmp_path, database_url, "2026-03-07T14:00:00", "")
    found.schedule("ALPHA", HOURS)
    try:
        yield found
    finally:
        found.close()


def working_order(desk: ClockedDesk, client: LightPeer) -> tuple[str, str]:
    """ClOrdID of a working order and of its child."""
    seen = len(desk.venue.messages)
    fields = new_order()
    client.send("D", fields)
    name = cl_ord_id(fields)
    child = desk.venue.wait_for(lambda m: m.msg_type == "D", PATIENCE_S, seen).get(11) or ""
    report(desk, child, "0", "0")
    report_of(client, name, "0")
    return name, child


def report(desk: ClockedDesk, child: str, exec_type: str, status: str) -> None:
    traded = "100" if exec_type == "F" else "0"
    fields = {
        37: f"V-{child}",
        11: child,
        17: f"{child}-{exec_type}",
        150: exec_type,
        39: status,
        55: "ACME",
        54: "1",
        38: "100",
        14: traded,
        151: "0" if exec_type == "F" else "100",
        6: traded,
    }
    if exec_type == "F":
        fields |= {32: "100", 31: "100"}
    desk.venue.send("8", list(fields.items()))


def state(desk: ClockedDesk, column: str, session: str = "ALPHA") -> object:
    [(value,)] = desk.rows(f"SELECT {column} FROM sessions WHERE name = %s", session)
    return value


def fresh_client(desk: ClockedDesk) -> LightPeer:
    """ALPHA with the numbers of a new epoch."""
    settings = LightSettings(
        sender_comp_id="ALPHA",
        target_comp_id="PLUMBLINE",
        username="ALPHA",
        password=PASSWORD,
        heartbeat_s=10,
    )
    peer = desk.hub.client("127.0.0.1", desk.port, settings)
    desk._clients["ALPHA"] = peer
    return peer


def reports_on(client: LightPeer, name: str) -> list[tuple[str | None, str | None]]:
    """ExecType and PossResend of what the client was told of an order."""
    return [
        (m.get(150), m.get(97)) for m in client.messages if m.msg_type == "8" and m.get(11) == name
    ]


def test_a_day_of_a_client(desk: ClockedDesk) -> None:
    desk.start_core()
    client = desk.client()
    answer_resync(desk, desk.venue)
    name, child = working_order(desk, client)

    desk.move_to("2026-03-07T22:00:00")  # 17:00 in New York
    desk.until(lambda: not client.is_connected, "the Logout at the end of the hours")
    until = "the session's hours are over: it opens at 2026-03-08 12:00:00 UTC"
    assert client.session.close_reason == f"Logout: {until}"
    desk.until(lambda: state(desk, "closed_cause") == "OURS", "the answered Logout in the record")

    def told() -> bool:
        with pytest.raises((ConnectionError, TimeoutError)):
            client.reconnect(timeout_s=2.0)
        return f"Rejected Logon Attempt: {until}" in [
            m.get(58) for m in client.messages if m.msg_type == "5"
        ]

    desk.until(told, "the answer to a Logon")
    assert desk.venue.is_logged_on, "another session is not touched"

    # What happens meanwhile is told after the reset, once, under the new numbers.
    report(desk, child, "F", "2")
    desk.until(
        lambda: desk.rows("SELECT FROM orders WHERE cl_ord_id = %s AND NOT is_open", name),
        "the fill to be booked",
    )
    desk.move_to("2026-03-08T11:54:00")  # clocks have changed: 07:54 in New York
    assert state(desk, "epoch") == 0
    desk.move_to("2026-03-08T11:55:00")
    desk.until(lambda: state(desk, "epoch") == 1, "the reset")
    desk.move_to("2026-03-08T12:00:00")
    desk.until(lambda: not state(desk, "out_of_hours"), "the hours to begin")
    client = fresh_client(desk)
    client = desk.client()
    report_of(client, name, "F")
    # What was sent just before the Logout comes again too, as it may have been lost.
    told = reports_on(client, name)
    assert told.count(("F", "Y")) == 1
    assert set(told) <= {("0", "Y"), ("F", "Y")}
    again, _ = working_order(desk, client)
    assert reports_on(client, again)[0] == ("0", None)
    assert client.faults == []
    assert desk.stop_core() == 0


def test_a_core_that_was_killed_at_the_reset_carries_it_out(desk: ClockedDesk) -> None:
    desk.start_core()
    client = desk.client()
    answer_resync(desk, desk.venue)
    name, child = working_order(desk, client)
    client.kill()
    report(desk, child, "F", "2")
    desk.until(
        lambda: desk.rows("SELECT FROM orders WHERE cl_ord_id = %s AND NOT is_open", name),
        "the fill to be booked",
    )
    desk.kill_core()
    desk.move_to("2026-03-08T11:55:00")
    desk.start_core()
    desk.until(lambda: state(desk, "epoch") == 1, "the reset")
    desk.kill_core()
    desk.move_to("2026-03-08T13:00:00")
    desk.start_core()
    fresh_client(desk)
    client = desk.client()
    report_of(client, name, "F")
    assert ("F", "Y") in reports_on(client, name)
    assert state(desk, "epoch") == 1
    assert desk.stop_core() == 0


def filled_while_away(desk: ClockedDesk, client: LightPeer) -> str:
    """ClOrdID of an order whose fill finds the client away."""
    name, child = working_order(desk, client)
    client.kill()
    report(desk, child, "F", "2")
    desk.until(
        lambda: desk.rows("SELECT FROM orders WHERE cl_ord_id = %s AND NOT is_open", name),
        "the fill to be booked",
    )
    return name


def killed_in_the_reset(desk: ClockedDesk, day: int, step: int) -> None:
    """That day begins, and the core dies so many journal entries into it; the next one leads."""
    [(base,)] = desk.rows("SELECT max(seq) FROM journal")
    assert isinstance(base, int)
    desk.move_to(f"2026-03-{day:02}T14:00:00")
    desk.until(
        lambda: desk.rows("SELECT FROM journal WHERE seq >= %s", base + step),
        "the core to be in the middle of it",
    )
    seen = len(desk.venue.messages)
    desk.kill_core()
    desk.start_core()
    desk.until(lambda: desk.venue.is_logged_on, "the venue's session")
    answer_resync(desk, desk.venue, seen)
    desk.until(
        lambda: desk.rows(
            "SELECT FROM sessions WHERE name = 'ALPHA' AND epoch >= %s AND NOT reset_due", step
        ),
        "the reset",
    )


def test_a_core_killed_at_any_step_of_resets_loses_nothing(desk: ClockedDesk) -> None:
    """Each day a fill finds the client away, and the core dies somewhere in the next reset."""
    desk.start_core()
    client = desk.client()
    answer_resync(desk, desk.venue)
    for step in range(1, 6):
        name = filled_while_away(desk, client)
        killed_in_the_reset(desk, 7 + step, step)
        fresh_client(desk)
        client = desk.client()
        report_of(client, name, "F")
    assert client.faults == []
    assert desk.stop_core() == 0


def test_a_core_that_starts_out_of_hours_lets_nobody_in(desk: ClockedDesk) -> None:
    desk.move_to("2026-03-07T23:00:00")
    desk.start_core()
    beta = desk.client("BETA")
    assert beta.is_logged_on
    with pytest.raises((ConnectionError, TimeoutError)):
        fresh_client(desk).logon(timeout_s=2.0)
    desk.kill_core()
    desk.start_core()
    assert desk.client("BETA").is_logged_on
    with pytest.raises((ConnectionError, TimeoutError)):
        fresh_client(desk).logon(timeout_s=2.0)
