"""Reports for a client that never comes back are let go by two people, and killed cores agree."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oms.cli import commands
from oms.domain.commands import Channel, Origin
from oms.domain.session_commands import ApproveReportsDiscard
from tests.e2e.test_session_reload import add, client_table, come_back, log_on, reload, undelivered
from tests.support.floor import Floor, command, floor_with


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[Floor]:
    with floor_with(tmp_path, database_url) as found:
        yield found
        found.verified()


def by_operator(floor: Floor, *arguments: str) -> str:
    """What `oms session ...` prints."""
    config = ("--config", str(floor.desk.config))
    done = CliRunner().invoke(commands, ["session", *arguments, *config])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def approval(request: int) -> ApproveReportsDiscard:
    """Of somebody else than who runs these tests."""
    bert = Origin(channel=Channel.OPERATOR, counterparty="cli:bert", user="bert-of-the-desk")
    return ApproveReportsDiscard(
        origin=bert, session="GAMMA", request=request, reason="their desk was told by mail"
    )


def answers(floor: Floor) -> list[tuple[object, ...]]:
    """To the approvals."""
    return floor.desk.rows(
        "SELECT accepted, answer_text FROM command_inbox"
        " WHERE command_type = 'ApproveReportsDiscard' AND state = 'done' ORDER BY id"
    )


def discarded(floor: Floor) -> list[dict[str, object]]:
    """As the audit trail has it."""
    query = (
        "SELECT convert_from(payload, 'UTF8') FROM journal"
        " WHERE type = 'ReportsDiscarded' ORDER BY seq"
    )
    return [json.loads(str(one)) for (one,) in floor.desk.rows(query)]


def test_what_was_discarded_is_never_told_and_what_came_later_is(floor: Floor) -> None:
    before = floor.desk.config.read_text()
    add(floor, client_table("GAMMA"))
    after = floor.desk.config.read_text()
    assert reload(floor)[0]
    gamma = log_on(floor, "GAMMA")
    orders = [floor.order(gamma, t1="GAMMA-1") for _ in range(3)]
    floor.desk.config.write_text(before)
    assert reload(floor, force=True)[0]
    floor.desk.until(lambda: not gamma.is_connected, "the Logout")
    for count, (name, order) in enumerate(orders[:2], start=1):
        floor.venue.trade(order, "100")
        floor.becomes(name, "2", "100")
        floor.desk.until(lambda count=count: undelivered(floor) == count, "it to be counted")
    gauge = "session_undelivered"
    floor.desk.until(lambda: floor.desk.metric(gauge, session="GAMMA") == 2, "the gauge")
    assert "removed" in by_operator(floor, "list")

    approved_among_kills(floor, asked(floor))
    [told] = discarded(floor)
    assert told["count"] == 2
    assert (told["reason"], told["approved_by"]) == ("closed, ticket 9", "bert-of-the-desk")
    assert undelivered(floor) == 0
    floor.desk.until(lambda: floor.desk.metric(gauge, session="GAMMA") == 0, "no gauge")
    assert "removed" not in by_operator(floor, "list")

    # Recovery begins behind it; what becomes of what is still open waits anew.
    floor.order()
    noted = "SELECT FROM sent_notes WHERE session = 'ALPHA' AND last_event_seq > %s"
    floor.desk.until(lambda: floor.desk.rows(noted, told["last_event"]), "it to be noted")
    floor.restart()
    assert recovered_from(floor) > int(str(told["last_event"]))
    last, order = orders[2]
    floor.venue.trade(order, "100")
    floor.becomes(last, "2", "100")
    floor.desk.until(lambda: undelivered(floor) == 1, "the last one to be counted")
    seen = len(gamma.messages)
    floor.desk.config.write_text(after)
    assert reload(floor) == (True, "added: GAMMA")
    come_back(floor, gamma)
    floor.heard(last, ["0", "F"], gamma)
    reports = [one for one in gamma.messages[seen:] if one.msg_type == "8"]
    assert [one.get(11) for one in reports] == [last]


def asked(floor: Floor) -> int:
    """The number of a request, by the command line."""
    printed = by_operator(floor, "discard", "GAMMA", "--reason", "closed, ticket 9", "--yes")
    assert "2 messages wait for GAMMA" in printed
    [(request,)] = floor.desk.rows("SELECT seq FROM journal WHERE type = 'ReportsDiscardRequested'")
    assert f"request {request}: somebody else than" in printed
    return int(str(request))


def approved_among_kills(floor: Floor, request: int) -> None:
    """It is carried out once, whether a kill finds it journaled or not."""
    floor.restart()
    command(floor.desk, approval(request))
    floor.restart()
    floor.desk.until(lambda: answers(floor), "the answer")
    floor.restart()
    command(floor.desk, approval(request))
    floor.desk.until(lambda: len(answers(floor)) == 2, "the second answer")
    assert answers(floor) == [
        (True, "2 messages that waited for GAMMA are discarded"),
        (True, f"request {request}: was carried out before"),
    ]


def recovered_from(floor: Floor) -> int:
    """From which entry on the core that runs made messages again."""
    lines = [one for one in floor.desk.log().splitlines() if "core.recovered" in one]
    return int(json.loads(lines[-1])["sent_from"])
