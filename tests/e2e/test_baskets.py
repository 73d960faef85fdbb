"""Lists of orders over real FIX, in every version: taken, refused, cancelled, repeated."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.audit.verify import verify
from tests.e2e.test_inquiries import answers, told
from tests.e2e.test_versions import CLIENTS, Floor
from tests.support.baskets import list_fields
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

NOW = (60, "20260101-00:00:00.000")
FIRST = 11
OF_AN_ORDER = frozenset({11, 14, 39, 151, 84, 6, 103, 58})
# OrdStatus, CumQty, LeavesQty, CxlQty
Figures = dict[str, tuple[str | None, ...]]


def orders_in(message: Message) -> list[dict[int, str]]:
    """The entries of NoOrders (73), each from its ClOrdID to the next."""
    found: list[dict[int, str]] = []
    for tag, value in message.fields:
        if tag == FIRST:
            found.append({})
        if found and tag in OF_AN_ORDER:
            found[-1][tag] = value
    return found


def figures(message: Message) -> Figures:
    return {
        one[FIRST]: tuple(one.get(tag) for tag in (39, 14, 151, 84)) for one in orders_in(message)
    }


def kinds(message: Message) -> tuple[str | None, ...]:
    """ListStatusType, ListOrderStatus."""
    return message.get(429), message.get(431)


def await_status(peer: LightPeer, kind: tuple[str, str], since: int) -> Message:
    """The first ListStatus of that type and status since then."""
    return peer.wait_for(lambda m: m.msg_type == "N" and kinds(m) == kind, PATIENCE_S, since)


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[tuple[Desk, LightPeer, LightPeer]]:
    """The desk, its venue, and a client that is logged on."""
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        desk.start_core()
        client = desk.client()
        answer_resync(desk, venue)
        yield desk, venue, client


def test_a_list_from_its_first_message_to_its_last(
    floor: tuple[Desk, LightPeer, LightPeer], database_url: str
) -> None:
    desk, venue, client = floor
    orders = [new_order(t44=price, t38="100") for price in ("99", "98", "97")]
    orders.append(new_order(t55="NONE"))
    names = [cl_ord_id(one) for one in orders]
    seen, asked = len(client.messages), len(venue.messages)
    client.send("E", list_fields("L-1", orders))
    ack, began = answers(client, "N", seen, 2)
    assert [kinds(one) for one in (ack, began)] == [("1", "2"), ("4", "3")]
    assert [ack.get(tag) for tag in (66, 68, 73, 82, 83, 893)] == ["L-1", "4", "4", "1", "1", "Y"]
    assert figures(ack) == dict.fromkeys(names, ("A", "0", "100", "0"))
    assert figures(began)[names[2]] == ("0", "0", "100", "0")
    assert orders_in(began)[3] == {
        11: names[3],
        14: "0",
        39: "8",
        151: "0",
        84: "0",
        6: "0",
        103: "1",
        58: "Symbol (55) = NONE: not a known instrument",
    }
    for name, exec_type in zip(names, "0008", strict=True):
        assert report_of(client, name, exec_type, seen).get(66) == "L-1"
    at_venue = answers(venue, "D", asked, 3)
    for order in at_venue:
        told(venue, order, "0", "0")
    told(venue, at_venue[0], "F", "2", t32="100", t31="99", t14="100", t151="0")
    assert report_of(client, names[0], "F", seen).get(66) == "L-1"

    _asked_and_cancelled(client, venue, names)
    assert len([one for one in venue.messages if one.msg_type == "D"]) == 3
    assert desk.stop_core() == 0, desk.log()
    report = verify(database_url)
    assert report.ok, (report.faults, report.differences)


def _asked_and_cancelled(client: LightPeer, venue: LightPeer, names: list[str]) -> None:
    """Of the four orders one is filled and one refused; the others are cancelled."""
    seen, asked = len(client.messages), len(venue.messages)
    client.send("M", [(66, "L-1")])
    status = await_status(client, ("2", "3"), seen)
    assert [figures(status)[name] for name in names[:2]] == [
        *[("2", "100", "0", "0"), ("0", "0", "100", "0")]
    ]
    client.send("K", [(66, "L-1"), NOW])
    canceling = await_status(client, ("2", "4"), seen)
    assert canceling.get(444) == "2 orders are being cancelled"
    for cancel in answers(venue, "F", asked, 2):
        told(venue, cancel, "4", "4")
    done = await_status(client, ("5", "6"), seen)
    assert [figures(done)[name] for name in names] == [
        *[("2", "100", "0", "0"), ("4", "0", "0", "100"), ("4", "0", "0", "100")],
        ("8", "0", "0", "0"),
    ]


def test_the_same_again_and_what_is_refused(floor: tuple[Desk, LightPeer, LightPeer]) -> None:
    desk, venue, client = floor
    orders = [new_order(t44="99"), new_order(t44="98")]
    names = [cl_ord_id(one) for one in orders]
    fields = list_fields("L-1", orders)
    seen, asked = len(client.messages), len(venue.messages)
    client.send("E", fields)
    await_status(client, ("4", "3"), seen)
    answers(venue, "D", asked, 2)

    seen = len(client.messages)
    client.send("E", fields, header=[(97, "Y")])
    client.send("E", fields)
    client.send("E", list_fields("L-2", [*orders, new_order()], t68="4"))
    client.send("E", list_fields("L-3", orders))
    again, refused, malformed, _, used = answers(client, "N", seen, 5)
    assert (kinds(again), set(figures(again))) == (("2", "3"), set(names))
    assert (kinds(refused), refused.get(444)) == (("2", "7"), "ListID (66) = L-1: already used")
    assert figures(refused)[names[0]] == ("0", "0", "100", "0")
    assert kinds(malformed) == ("2", "7")
    assert malformed.get(444) == (
        "TotNoOrders (68) = 4: 3 have come, and LastFragment (893) is not N"
    )
    assert {one[0] for one in figures(malformed).values()} == {"8"}
    # A ClOrdID in use refuses its order, not the list.
    assert (kinds(used), [one.get(103) for one in orders_in(used)]) == (("4", "6"), ["6", "6"])
    duplicates = [one for one in answers(client, "8", seen, 2) if one.get(66) == "L-3"]
    assert [(one.get(150), one.get(39), one.get(103)) for one in duplicates] == [
        ("8", "0", "6")
    ] * 2
    await_status(client, ("5", "6"), seen)
    query = "SELECT type, cl_ord_id, reason FROM refusals WHERE type = 'ListRefused' ORDER BY seq"
    assert desk.rows(query) == [
        ("ListRefused", "L-1", "DUPLICATE_CL_ORD_ID"),
        ("ListRefused", "L-2", "LIST_MALFORMED"),
    ]
    seen = len(client.messages)
    bad = [*orders[0][:3], (54, "8"), *orders[0][4:]]
    number = client.send("E", list_fields("L-4", [new_order(), bad]))
    [reject] = answers(client, "3", seen)
    assert [reject.get(tag) for tag in (45, 371, 373)] == [str(number), "54", "5"]
    assert (reject.get(58) or "").startswith("order 2 of the list: Side (54) = 8")
    number = client.send("K", [(66, "L-4"), NOW])
    [unknown] = answers(client, "j", seen)
    assert [unknown.get(tag) for tag in (45, 372, 379, 380)] == [str(number), "K", "L-4", "1"]
    assert len([one for one in venue.messages if one.msg_type == "D"]) == 2


def test_a_list_in_parts_that_waits_survives_a_crash(
    floor: tuple[Desk, LightPeer, LightPeer],
) -> None:
    desk, venue, client = floor
    orders = [new_order(t44="99"), new_order(t44="98"), new_order(t44="97")]
    seen = len(client.messages)
    parts = [orders[:2], orders[2:]]
    whole = {"t68": "3", "t433": "2"}
    client.send("E", list_fields("L-1", parts[0], t893="N", **whole))
    taken = "SELECT 1 FROM journal WHERE type = 'ListFragmentTaken'"
    desk.until(lambda: desk.rows(taken), "the first part")
    desk.kill_core()
    since = len(venue.messages)
    desk.start_core()
    client = desk.client()
    answer_resync(desk, venue, since)
    second = list_fields("L-1", parts[1], **whole)
    client.send("E", [(tag, "3" if tag == 67 else value) for tag, value in second])
    ack = await_status(client, ("1", "2"), seen)
    assert list(figures(ack)) == [cl_ord_id(one) for one in orders]
    desk.kill_core()
    since = len(venue.messages)
    desk.start_core()
    client = desk.client()
    answer_resync(desk, venue, since)
    assert not [one for one in venue.messages if one.msg_type == "D"]
    client.send("L", [(66, "L-1"), NOW])
    began = await_status(client, ("4", "3"), seen)
    assert {one[0] for one in figures(began).values()} == {"0"}
    assert len(answers(venue, "D", since, 3)) == 3
    told_first = [one.partition(":")[0] for one in _timeline(desk, cl_ord_id(orders[0]))]
    assert [one.partition(",")[0] for one in told_first][:5] == [
        *("<- E from ALPHA", "?  NewOrderList by ALPHA", "!  ListFragmentTaken"),
        *("<- E from ALPHA", "?  NewOrderList by ALPHA"),
    ]
    lines = _timeline(desk, cl_ord_id(orders[2]))
    assert [one.partition(":")[0] for one in lines if one[0] in "?!"][:5] == [
        *("?  NewOrderList by ALPHA, session ALPHA, CLIENT", "!  ListAccepted"),
        *("?  ListExecute by ALPHA, session ALPHA, CLIENT", "!  ListExecutionBegan"),
        "!  OrderAccepted",
    ]
    assert lines[0].startswith("<- E from ALPHA, MsgSeqNum ")
    assert lines[2].endswith(" waits=True no_orders=3")


def _timeline(desk: Desk, name: str) -> list[str]:
    """What `oms audit order` prints, without times and numbers."""
    command = [sys.executable, "-m", "oms", "audit", "order", name, "--config", str(desk.config)]
    run = subprocess.run(
        command, cwd=ROOT, check=True, timeout=PATIENCE_S, capture_output=True, text=True
    )
    return [line[37:] for line in run.stdout.splitlines() if line[:1].isdigit()]


def test_each_version_has_its_lists(tmp_path: Path, database_url: str) -> None:
    """Clients of all versions; in each list an order at a venue of each."""
    with ExitStack() as stack:
        floor = Floor(tmp_path, database_url, stack)
        for client, version in CLIENTS.items():
            _lives(floor, client, version)


def _lives(floor: Floor, client: str, version: str) -> None:
    peer = floor.clients[client]
    orders = [
        new_order(t1=f"{client}-1", t55=f"AT-{venue}", t21="1", t44="90") for venue in floor.venues
    ]
    if version == "FIXT.1.1":
        # Who it is for stands among the parties, behind ClOrdID as the version has them.
        party = [(453, "1"), (448, f"{client}-1"), (447, "D"), (452, "24")]
        first = orders[0]
        orders[0] = [first[0], *party, *(field for field in first[1:] if field[0] != 1)]
    seen = len(peer.messages)
    peer.send("E", list_fields(f"L-{client}", orders))
    ack = await_status(peer, ("1", "2"), seen)
    assert (ack.get(893) is None) == (version == "FIX.4.2")
    began = await_status(peer, ("4", "3"), seen)
    assert {one[0] for one in figures(began).values()} == {"0"}, str(began)
    for order in orders:
        assert report_of(peer, cl_ord_id(order), "0", seen).get(66) == f"L-{client}"
    peer.send("K", [(66, f"L-{client}"), NOW])
    done = await_status(peer, ("5", "6"), seen)
    assert list(figures(done).values()) == [("4", "0", "0", "100")] * 3
