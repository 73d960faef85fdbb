"""The venue over FIX/TCP: orders, questions, refusals and market data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from tests.integration.exchange_process import (
    VenueProcess,
    cancel_fields,
    client,
    every,
    order_fields,
    reports,
    running,
    values,
    wait_report,
)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with running(tmp_path_factory.mktemp("venue")) as process:
        yield process


@pytest.fixture
def peer(venue: VenueProcess) -> Iterator[LightPeer]:
    with Hub() as hub:
        found = _fresh(hub, venue, "OMS")
        yield found
        with venue.control() as control:
            control.expire_day()
        found.logout()


def _fresh(hub: Hub, venue: VenueProcess, name: str) -> LightPeer:
    """A client whose numbers start again on both sides."""
    settings = LightSettings(
        sender_comp_id=name, target_comp_id="XSIM", heartbeat_s=10, reset_on_logon=True
    )
    found = hub.client("127.0.0.1", venue.port, settings)
    found.logon()
    return found


def test_the_life_of_an_order(peer: LightPeer) -> None:
    peer.send("D", order_fields("L1", "1", "100", price="100.10"))
    ack = wait_report(peer, "L1", "0")
    assert values(ack, 39, 55, 54, 38, 44, 40, 59) == ["0", "ACME", "1", "100", "100.10", "2", "0"]
    assert values(ack, 14, 151, 6, 32, 31) == ["0", "100", "0", None, None]
    peer.send("D", order_fields("L2", "5", "30", price="100"))
    fill = wait_report(peer, "L1", "F")
    assert values(fill, 39, 32, 31, 14, 151, 6) == ["1", "30", "100.10", "30", "70", "100.1"]
    assert fill.get(37) == ack.get(37)
    replace = order_fields("L3", "1", "50", price="100.20")
    peer.send("G", [(41, "L1"), *replace])
    replaced = wait_report(peer, "L3", "5")
    assert values(replaced, 41, 39, 38, 44, 14, 151) == ["L1", "1", "50", "100.20", "30", "20"]
    peer.send("F", cancel_fields("L4", "L3"))
    gone = wait_report(peer, "L4", "4")
    assert values(gone, 41, 39, 14, 151, 38) == ["L3", "4", "30", "0", "50"]
    peer.send("F", cancel_fields("L5", "L4"))
    late = peer.wait_for(lambda m: m.msg_type == "9" and m.get(11) == "L5")
    assert values(late, 41, 39, 434, 102, 37) == ["L4", "4", "1", "0", ack.get(37)]
    ids = [message.get(17) for message in reports(peer)]
    assert len(set(ids)) == len(ids)


def test_ioc_fok_and_market(peer: LightPeer) -> None:
    peer.send("D", order_fields("T1", "2", "40"))
    peer.send("D", order_fields("T2", "1", "100", tif="4"))
    assert values(wait_report(peer, "T2", "4"), 39, 14, 151) == ["4", "0", "0"]
    peer.send("D", order_fields("T3", "1", "30", tif="3"))
    assert values(wait_report(peer, "T3", "F"), 39, 14) == ["2", "30"]
    peer.send("D", order_fields("T4", "1", "30", price=""))
    assert values(wait_report(peer, "T4", "F"), 40, 44, 31) == ["1", None, "100"]
    assert values(wait_report(peer, "T4", "4"), 39, 14, 151) == ["4", "10", "0"]


def test_a_cl_ord_id_never_trades_twice(peer: LightPeer) -> None:
    peer.send("D", order_fields("D1", "1", "100"))
    wait_report(peer, "D1", "0")
    peer.send("D", order_fields("D1", "1", "150"))
    refused = wait_report(peer, "D1", "8")
    assert values(refused, 103, 39, 38) == ["6", "0", "100"]
    peer.send("D", order_fields("D1", "1", "100"), header=[(97, "Y")])
    status = wait_report(peer, "D1", "I")
    assert values(status, 17, 39, 151) == ["0", "0", "100"]


def test_status_questions(peer: LightPeer) -> None:
    peer.send("H", [(11, "S0"), (55, "ACME"), (54, "1"), (790, "Q0")])
    unknown = wait_report(peer, "S0", "I")
    assert values(unknown, 37, 17, 39, 103, 14, 151, 790) == ["NONE", "0", "8", "5", "0", "0", "Q0"]
    peer.send("AF", [(584, "M0"), (585, "7")])
    none = peer.wait_for(lambda m: m.get(584) == "M0")
    assert values(none, 150, 39, 911, 912, 103) == ["I", "8", "0", "Y", "5"]
    for name in ("S1", "S2", "S3"):
        peer.send("D", order_fields(name, "1", "10", price="90"))
    peer.send("H", [(11, "S2"), (55, "ACME"), (54, "1")])
    assert values(wait_report(peer, "S2", "I"), 39, 38, 151) == ["0", "10", "10"]
    peer.send("AF", [(584, "M1"), (585, "7")])
    peer.wait_for(lambda m: m.get(584) == "M1" and m.get(912) == "Y")
    found = [m for m in peer.messages if m.get(584) == "M1"]
    assert [m.get(11) for m in found] == ["S1", "S2", "S3"]
    assert {m.get(911) for m in found} == {"3"}
    assert {m.get(150) for m in found} == {"I"}
    peer.send("AF", [(584, "M2"), (585, "1"), (55, "ZETA")])
    assert peer.wait_for(lambda m: m.get(584) == "M2").get(911) == "0"


@pytest.mark.parametrize(
    ("msg_type", "fields", "reason", "word"),
    [
        ("D", [(11, "X1"), (55, "ACME"), (54, "1"), (40, "2"), (44, "1")], "5", "OrderQty (38)"),
        ("D", [*order_fields("X2", qty="1e3")], "0", "OrderQty (38): '1e3'"),
        ("D", [*order_fields("X3", price="NaN")], "0", "Price (44): 'NaN'"),
        ("F", [(11, "X4"), (55, "ACME"), (54, "1")], "5", "OrigClOrdID (41)"),
        ("AF", [(584, "X5"), (585, "3")], "0", "MassStatusReqType (585)"),
        ("V", [(262, "X6"), (263, "1")], "5", "MarketDepth (264)"),
        ("R", [(131, "X7")], "3", "MsgType (35) R"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_and_the_session_goes_on(
    peer: LightPeer, msg_type: str, fields: list[tuple[int, str]], reason: str, word: str
) -> None:
    seq = peer.send(msg_type, fields)
    refused = peer.wait_for(lambda m: m.msg_type == "j")
    assert values(refused, 45, 372, 380) == [str(seq), msg_type, reason]
    assert word in (refused.get(58) or "")
    peer.send("D", order_fields(f"AFTER-{msg_type}-{fields[0][1]}"))
    wait_report(peer, f"AFTER-{msg_type}-{fields[0][1]}", "0")


def test_refused_orders_say_why(peer: LightPeer) -> None:
    for name, more, reason in (
        ("R1", {"symbol": "NONE"}, "1"),
        ("R2", {"qty": "0"}, "13"),
        ("R3", {"tif": "2"}, "11"),
        ("R4", {"price": "100.001"}, "99"),
    ):
        peer.send("D", order_fields(name, **more))
        refused = wait_report(peer, name, "8")
        assert values(refused, 39, 103, 14, 151) == ["8", reason, "0", "0"]
        assert refused.get(58)


def test_two_counterparties_trade_with_each_other(venue: VenueProcess, peer: LightPeer) -> None:
    rival = _fresh(peer.hub, venue, "RIVAL")
    peer.send("D", order_fields("SAME", "1", "10"))
    wait_report(peer, "SAME", "0")
    rival.send("D", order_fields("SAME", "2", "10"))
    assert values(wait_report(rival, "SAME", "F"), 39, 54) == ["2", "2"]
    assert values(wait_report(peer, "SAME", "F"), 39, 54) == ["2", "1"]
    rival.logout()


def levels(message: Message) -> list[tuple[str, str]]:
    return list(zip(every(message, 269), every(message, 270), strict=True))


def test_market_data_snapshot_and_refreshes(peer: LightPeer) -> None:
    peer.send("D", order_fields("Q1", "1", "10", price="99"))
    wait_report(peer, "Q1", "0")
    entry_types = [(267, "2"), (269, "0"), (269, "1")]
    symbols = [(146, "2"), (55, "ACME"), (55, "ZETA")]
    peer.send("V", [(262, "MD1"), (263, "1"), (264, "1"), (265, "1"), *entry_types, *symbols])
    shot = peer.wait_for(lambda m: m.msg_type == "W" and m.get(55) == "ACME")
    assert (levels(shot), every(shot, 271)) == ([("0", "99")], ["10"])
    empty = peer.wait_for(lambda m: m.msg_type == "W" and m.get(55) == "ZETA")
    assert values(empty, 262, 268) == ["MD1", "0"]
    peer.send("D", order_fields("Q2", "1", "20", price="99.50"))
    moved = peer.wait_for(lambda m: m.msg_type == "X")
    assert every(moved, 279) == ["2", "0"]
    assert levels(moved) == [("0", "99"), ("0", "99.50")]
    assert every(moved, 55) == ["ACME", "ACME"]
    since = len(peer.messages)
    peer.send("D", order_fields("Q3", "1", "5", price="99.50"))
    grown = peer.wait_for(lambda m: m.msg_type == "X", since=since)
    assert (every(grown, 279), every(grown, 271)) == (["1"], ["25"])
    peer.send("V", [(262, "MD1"), (263, "2"), (264, "1"), *entry_types, *symbols])
    peer.send("D", order_fields("Q4", "1", "5", price="99.60"))
    wait_report(peer, "Q4", "0")
    peer.send("V", [(262, "MD2"), (263, "0"), (264, "0"), *entry_types, (146, "1"), (55, "ACME")])
    whole = peer.wait_for(lambda m: m.msg_type == "W" and m.get(262) == "MD2")
    assert levels(whole) == [("0", "99.60"), ("0", "99.50"), ("0", "99")]
    quiet = [m for m in peer.messages[since:] if m.msg_type == "X" and "99.60" in every(m, 270)]
    assert quiet == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([(263, "1"), (264, "1"), (267, "1"), (269, "0"), (146, "1"), (55, "NONE")], "0"),
        ([(263, "1"), (264, "1"), (267, "1"), (269, "7"), (146, "1"), (55, "ACME")], "8"),
        ([(263, "9"), (264, "1"), (267, "1"), (269, "0"), (146, "1"), (55, "ACME")], "4"),
    ],
)
def test_market_data_requests_are_refused(
    peer: LightPeer, fields: list[tuple[int, str]], reason: str
) -> None:
    peer.send("V", [(262, "BAD"), *fields])
    refused = peer.wait_for(lambda m: m.msg_type == "Y")
    assert values(refused, 262, 281) == ["BAD", reason]


def test_background_liquidity_is_quoted_and_traded(tmp_path: Path) -> None:
    liquidity = {"depth": 3, "min_lots": 50, "max_lots": 50}
    with running(tmp_path, liquidity=liquidity, walk_interval_ms=5) as venue, Hub() as hub:
        peer = client(hub, venue.port)
        peer.send(
            "V",
            [
                (262, "MD"),
                (263, "1"),
                (264, "0"),
                (267, "3"),
                (269, "0"),
                (269, "1"),
                (269, "2"),
                (146, "1"),
                (55, "ACME"),
            ],
        )
        shot = peer.wait_for(lambda m: m.msg_type == "W")
        assert [kind for kind, _ in levels(shot)] == ["0", "0", "0", "1", "1", "1"]
        peer.send("D", order_fields("B1", "1", "120", price=""))
        wait_report(peer, "B1", "F")
        peer.wait_for(lambda m: m.msg_type == "X" and "2" in every(m, 269))
        peer.wait_for(lambda m: m.get(11) == "B1" and m.get(39) == "2")
        peer.wait_until(lambda: sum(m.msg_type == "X" for m in peer.messages) > 5)
