"""What clients ask beyond single orders, over real FIX: mass cancel, mass status and the rest."""

import itertools
import subprocess
import sys
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
from tests.support.processes import ROOT

_ACK = "ack_timeout_ms = 1000\n"
_numbers = itertools.count(1)
NOW = (60, "20260101-00:00:00.000")


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[tuple[Desk, LightPeer, LightPeer]]:
    """The desk, its venue, and a client that is logged on."""
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        text = desk.config.read_text()
        profile = f'{_ACK}[venues.profile]\norphans = "DK"\n'
        desk.config.write_text(text.replace(_ACK, profile))
        desk.start_core()
        client = desk.client()
        answer_resync(desk, venue)
        yield desk, venue, client


def working(desk: Desk, venue: LightPeer, client: LightPeer, **more: str) -> str:
    """A new order that the venue has taken; its ClOrdID."""
    fields = new_order(**more)
    seen = len(venue.messages)
    client.send("D", fields)
    order = venue.wait_for(lambda m: m.msg_type == "D", PATIENCE_S, seen)
    told(venue, order, "0", "0")
    report_of(client, cl_ord_id(fields), "0")
    return cl_ord_id(fields)


def told(venue: LightPeer, order: Message, exec_type: str, status: str, **more: str) -> None:
    """The venue's report on an order or a request that it was sent."""
    qty = order.get(38) or "0"
    leaves = "0" if status in "2348C" else qty
    fields = {37: f"V-{order.get(41) or order.get(11)}", 17: f"X{next(_numbers)}"}
    fields |= {150: exec_type, 39: status, 11: order.get(11) or "", 55: order.get(55) or ""}
    fields |= {54: order.get(54) or "", 38: qty, 14: "0", 151: leaves, 6: "0"}
    fields |= {41: order.get(41) or ""} | {int(key[1:]): value for key, value in more.items()}
    venue.send("8", [(tag, value) for tag, value in fields.items() if value])


def answers(client: LightPeer, msg_type: str, since: int, count: int = 1) -> list[Message]:
    """The first so many messages of that type since then."""

    def found() -> list[Message]:
        return [one for one in client.messages[since:] if one.msg_type == msg_type]

    client.wait_until(lambda: len(found()) >= count, PATIENCE_S, f"{count} of {msg_type}")
    return found()[:count]


def test_mass_cancel(floor: tuple[Desk, LightPeer, LightPeer]) -> None:
    desk, venue, client = floor
    names = [working(desk, venue, client, t44=price) for price in ("99", "98")]
    seen, asked = len(client.messages), len(venue.messages)
    request = [(11, "MC-1"), (530, "1"), (55, "ACME"), NOW]
    client.send("q", request)
    [report] = answers(client, "r", seen)
    assert [report.get(tag) for tag in (11, 530, 531, 532, 533, 55)] == [
        *("MC-1", "1", "1", None, "2", "ACME")
    ]
    for cancel in answers(venue, "F", asked, 2):
        told(venue, cancel, "4", "4")
    for name in names:
        assert report_of(client, name, "4", seen).get(39) == "4"
    # Again, marked so: the same answer, and nothing to the venue.
    seen, asked = len(client.messages), len(venue.messages)
    client.send("q", request, header=[(97, "Y")])
    client.send("q", [(11, "MC-2"), (530, "6"), NOW])
    again, refused = answers(client, "r", seen, 2)
    assert (again.get(37), again.get(533)) == (report.get(37), "2")
    assert [refused.get(tag) for tag in (531, 532, 533)] == ["0", "0", "0"]
    assert not [one for one in venue.messages[asked:] if one.msg_type == "F"]
    query = "SELECT type, reason FROM refusals WHERE cl_ord_id = 'MC-2'"
    assert desk.rows(query) == [("MassCancelAnswered", "UNSUPPORTED_VALUE")]


def test_mass_status(floor: tuple[Desk, LightPeer, LightPeer]) -> None:
    desk, venue, client = floor
    seen = len(client.messages)
    client.send("AF", [(584, "S-0"), (585, "7")])
    [none] = answers(client, "8", seen)
    wanted = {584: "S-0", 911: "0", 912: "Y", 150: "I", 39: "8", 103: "5", 37: "NONE"}
    assert {tag: none.get(tag) for tag in wanted} == wanted
    names = [working(desk, venue, client, t44=price) for price in ("99", "98")]
    seen = len(client.messages)
    client.send("AF", [(584, "S-1"), (585, "1"), (55, "ACME")])
    found = answers(client, "8", seen, 2)
    assert [one.get(11) for one in found] == names
    assert {(one.get(584), one.get(150), one.get(911)) for one in found} == {("S-1", "I", "2")}
    assert [one.get(912) for one in found] == ["N", "Y"]
    seen = len(client.messages)
    client.send("AF", [(584, "S-2"), (585, "8")])
    [reject] = answers(client, "3", seen)
    assert (reject.get(371), reject.get(373)) == ("585", "5")


def test_trades_that_somebody_does_not_know(floor: tuple[Desk, LightPeer, LightPeer]) -> None:
    """The client disputes a fill; the venue is told of one that is of no order of ours."""
    desk, venue, client = floor
    name = working(desk, venue, client)
    order = next(one for one in venue.messages if one.msg_type == "D")
    told(venue, order, "F", "1", t32="40", t31="99.5", t14="40", t151="60")
    fill = report_of(client, name, "F")
    about = [(37, fill.get(37) or ""), (55, "ACME"), (54, "1"), (127, "C"), (58, "too much")]
    client.send("Q", [(17, fill.get(17) or ""), *about])
    seen = len(client.messages)
    client.send("Q", [(17, "E0"), *about])
    [reject] = answers(client, "j", seen)
    assert (reject.get(372), reject.get(379), reject.get(380)) == ("Q", "E0", "1")
    query = "SELECT client, report_id, dk_reason, text, resolved_at FROM disputes"
    assert desk.rows(query) == [("ALPHA", fill.get(17), "C", "too much", None)]
    query = "SELECT quantity FROM positions WHERE account = 'ALPHA-1' AND symbol = 'ACME'"
    assert desk.rows(query) == [(40,)]
    asked = len(venue.messages)
    told(venue, order, "F", "2", t11="NOBODYS", t17="S-1", t32="5", t31="9", t14="5", t151="0")
    [declined] = answers(venue, "Q", asked)
    assert [declined.get(tag) for tag in (17, 127, 55, 54, 32, 31)] == [
        *("S-1", "D", "ACME", "1", "5", "9")
    ]
    assert desk.rows("SELECT exec_id, declined FROM orphans") == [("S-1", True)]


def test_instruments_and_the_trading_day(floor: tuple[Desk, LightPeer, LightPeer]) -> None:
    desk, _, client = floor
    seen = len(client.messages)
    client.send("x", [(320, "L-1"), (559, "4")])
    [listed] = answers(client, "y", seen)
    assert [listed.get(tag) for tag in (320, 560, 393, 893, 146)] == ["L-1", "0", "2", "Y", "2"]
    group = [(tag, value) for tag, value in listed.fields if tag in (55, 15, 561, 58)]
    assert group == [
        *[(55, "ACME"), (15, "USD"), (561, "1"), (58, "tick 0.01")],
        *[(55, "ZETA"), (15, "USD"), (561, "10"), (58, "tick 0.05")],
    ]
    client.send("g", [(335, "D-1"), (263, "1")])
    [status] = answers(client, "h", seen)
    assert [status.get(tag) for tag in (335, 336, 340, 325)] == ["D-1", "1", "2", "N"]
    engage = ["kill", "engage", "FIRM", "*", "--reason", "drill"]
    command = [sys.executable, "-m", "oms", *engage, "--config", str(desk.config)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=2 * PATIENCE_S)
    [_, halted] = answers(client, "h", seen, 2)
    assert [halted.get(tag) for tag in (335, 340, 325)] == ["D-1", "1", "Y"]


def test_a_clients_own_trades(floor: tuple[Desk, LightPeer, LightPeer]) -> None:
    desk, venue, client = floor
    name = working(desk, venue, client)
    order = next(one for one in venue.messages if one.msg_type == "D")
    told(venue, order, "F", "1", t32="40", t31="99.5", t14="40", t151="60")
    fill = report_of(client, name, "F")
    seen = len(client.messages)
    client.send("AD", [(568, "R-1"), (569, "1"), (11, name)])
    [answered] = answers(client, "AQ", seen)
    assert [answered.get(tag) for tag in (568, 748, 749, 750)] == ["R-1", "1", "0", "0"]
    [trade] = answers(client, "AE", seen)
    wanted = {568: "R-1", 912: "Y", 150: "F", 32: "40", 31: "99.5", 552: "1", 54: "1", 11: name}
    assert {tag: trade.get(tag) for tag in wanted} == wanted
    assert trade.get(17) == fill.get(17)
    query = "SELECT count(*) FROM journal WHERE type = 'TradeReported' AND order_id = %s"
    assert desk.rows(query, fill.get(37)) == [(1,)]
    client.send("AD", [(568, "R-2"), (569, "0"), (580, "1"), (75, "20200101")])
    refused = answers(client, "AQ", seen, 2)[1]
    assert [refused.get(tag) for tag in (749, 750)] == ["99", "2"]


@pytest.mark.parametrize("msg_type", ["B", "C", "J", "R", "AG"])
def test_what_is_not_taken_is_answered_so(
    floor: tuple[Desk, LightPeer, LightPeer], msg_type: str
) -> None:
    """News and email among it, from clients and from venues alike."""
    _, venue, client = floor
    fields = [(148, "news"), (33, "1"), (58, "line"), (164, "T"), (94, "0"), (147, "about")]
    for peer in (client, venue):
        seen = len(peer.messages)
        number = peer.send(msg_type, fields)
        [reject] = answers(peer, "j", seen)
        assert (reject.get(45), reject.get(372)) == (str(number), msg_type)
        assert (reject.get(380), reject.get(58)) == (
            "3",
            f"MsgType (35) = {msg_type}: not supported here",
        )
