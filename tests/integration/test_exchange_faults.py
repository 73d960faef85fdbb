"""Every fault switch of a running venue, as a counterparty sees it, and the files of the day."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fix_sessions.exchange_control import ControlRefused, ExchangeControl
from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub, LightPeer
from tests.integration.exchange_process import (
    VenueProcess,
    cancel_fields,
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
def control(venue: VenueProcess) -> Iterator[ExchangeControl]:
    with venue.control() as found:
        yield found


@pytest.fixture
def peer(venue: VenueProcess, control: ExchangeControl) -> Iterator[LightPeer]:
    settings = LightSettings(
        sender_comp_id="OMS", target_comp_id="XSIM", heartbeat_s=10, reset_on_logon=True
    )
    with Hub() as hub:
        found = hub.client("127.0.0.1", venue.port, settings)
        found.logon()
        yield found
        for name in control.faults():
            control.set(name, 0)
        control.expire_day()
        hub.wait_until(lambda: control.stats()["waiting"] == 0, 10, "every answer to leave")


def traded(peer: LightPeer, name: str) -> str:
    """Buy 100 and sell 60 of them; the ExecID of the buyer's fill."""
    peer.send("D", order_fields(f"{name}-B", "1", "100"))
    wait_report(peer, f"{name}-B", "0")
    peer.send("D", order_fields(f"{name}-S", "2", "60"))
    wait_report(peer, f"{name}-S", "F")
    return wait_report(peer, f"{name}-B", "F").get(17) or ""


def test_reject_next_and_reject_cancels_next(peer: LightPeer, control: ExchangeControl) -> None:
    control.reject_next(1)
    peer.send("D", order_fields("A1"))
    assert values(wait_report(peer, "A1", "8"), 39, 103) == ["8", "0"]
    peer.send("D", order_fields("A2"))
    wait_report(peer, "A2", "0")
    control.reject_cancels_next(1)
    peer.send("F", cancel_fields("A3", "A2"))
    assert peer.wait_for(lambda m: m.msg_type == "9").get(102) == "2"
    peer.send("F", cancel_fields("A4", "A2"))
    wait_report(peer, "A4", "4")


def test_a_dropped_ack_is_an_order_that_lives(peer: LightPeer, control: ExchangeControl) -> None:
    control.drop_acks_next(1)
    peer.send("D", order_fields("B1"))
    peer.send("H", [(11, "B1"), (55, "ACME"), (54, "1")])
    status = wait_report(peer, "B1", "I")
    assert values(status, 39, 151) == ["0", "100"]
    assert [m.get(150) for m in reports(peer) if m.get(11) == "B1"] == ["I"]


def test_a_duplicate_has_the_same_exec_id(peer: LightPeer, control: ExchangeControl) -> None:
    control.duplicate_next(1)
    peer.send("D", order_fields("C1"))
    peer.wait_until(lambda: len(reports(peer)) == 2)
    first, second = reports(peer)
    assert first.get(17) == second.get(17)
    assert first.seq + 1 == second.seq
    assert second.get(43) is None


def test_a_late_fill_comes_after_the_cancel(peer: LightPeer, control: ExchangeControl) -> None:
    control.fill_late_next(2, ms=300)
    peer.send("D", order_fields("D1", "1", "100"))
    peer.send("D", order_fields("D2", "2", "60"))
    wait_report(peer, "D2", "0")
    peer.send("F", cancel_fields("D3", "D1"))
    gone = wait_report(peer, "D3", "4")
    assert values(gone, 14, 151) == ["60", "0"]
    fill = wait_report(peer, "D1", "F")
    assert fill.seq > gone.seq
    assert values(fill, 32, 14, 151, 39) == ["60", "60", "40", "1"]


def test_delayed_answers_come_in_order(peer: LightPeer, control: ExchangeControl) -> None:
    control.delay(100)
    names = [f"E{number}" for number in range(20)]
    for name in names:
        peer.send("D", order_fields(name))
    assert control.stats()["waiting"] > 0
    wait_report(peer, names[-1], "0")
    assert [m.get(11) for m in reports(peer)] == names


def test_silence_holds_everything_back(peer: LightPeer, control: ExchangeControl) -> None:
    control.silent(on=True)
    peer.send("D", order_fields("F1"))
    peer.send("H", [(11, "F1"), (55, "ACME"), (54, "1")])
    request = [(262, "MD"), (263, "1"), (264, "1"), (267, "1"), (269, "0"), (146, "1")]
    peer.send("V", [*request, (55, "ACME")])
    peer.send("1", [(112, "alive")])
    peer.wait_for(lambda m: m.msg_type == "0" and m.get(112) == "alive")
    assert [order["cl_ord_id"] for order in control.orders()][-1] == "F1"
    assert reports(peer) == []
    control.silent(on=False)
    wait_report(peer, "F1", "0")
    wait_report(peer, "F1", "I")
    peer.wait_for(lambda m: m.msg_type == "W")


def test_ignored_cancels_get_no_answer(peer: LightPeer, control: ExchangeControl) -> None:
    control.ignore_cancels(on=True)
    control.ignore_replaces(on=True)
    peer.send("D", order_fields("G1"))
    peer.send("F", cancel_fields("G2", "G1"))
    peer.send("G", [(41, "G1"), *order_fields("G3", qty="50")])
    peer.send("H", [(11, "G1"), (55, "ACME"), (54, "1")])
    wait_report(peer, "G1", "I")
    assert [m.get(150) for m in reports(peer)] == ["0", "I"]
    control.ignore_cancels(on=False)
    peer.send("F", cancel_fields("G2", "G1"))
    wait_report(peer, "G2", "4")


def test_disconnect_ends_the_connection_and_nothing_else(
    peer: LightPeer, control: ExchangeControl
) -> None:
    peer.send("D", order_fields("H1"))
    wait_report(peer, "H1", "0")
    control.disconnect("OMS")
    peer.wait_until(lambda: not peer.is_connected)
    assert not [m for m in peer.messages if m.msg_type == "5"]
    peer.session.settings = LightSettings(sender_comp_id="OMS", target_comp_id="XSIM")
    peer.reconnect()
    peer.send("F", cancel_fields("H2", "H1"))
    wait_report(peer, "H2", "4")
    with pytest.raises(ControlRefused, match="'NOBODY': unknown"):
        control.disconnect("NOBODY")


def test_reports_made_while_the_counterparty_is_away_wait_for_it(
    peer: LightPeer, control: ExchangeControl
) -> None:
    peer.send("D", order_fields("I1"))
    wait_report(peer, "I1", "0")
    peer.kill()
    peer.hub.wait_until(lambda: control.stats()["logged_on"] == [], 10, "the venue to notice")
    control.cancel()
    peer.session.settings = LightSettings(sender_comp_id="OMS", target_comp_id="XSIM")
    peer.reconnect()
    assert wait_report(peer, "I1", "4").get(41) is None


def test_bust_and_correct(peer: LightPeer, control: ExchangeControl) -> None:
    exec_id = traded(peer, "J")
    assert control.correct(exec_id, last_px=Decimal("99.50")) == exec_id
    corrected = wait_report(peer, "J-B", "G")
    assert values(corrected, 19, 32, 31, 14, 6) == [exec_id, "60", "99.50", "60", "99.5"]
    assert control.bust(exec_id) == exec_id
    busted = wait_report(peer, "J-B", "H")
    assert values(busted, 19, 14, 151, 39) == [corrected.get(17), "0", "100", "0"]
    with pytest.raises(ControlRefused, match="no trade that stands"):
        control.bust(exec_id)


def test_unsolicited_cancel_and_unknown_fill(peer: LightPeer, control: ExchangeControl) -> None:
    peer.send("D", order_fields("K1"))
    order_id = wait_report(peer, "K1", "0").get(37)
    assert control.cancel() == order_id
    assert values(wait_report(peer, "K1", "4"), 41, 39) == [None, "4"]
    exec_id = control.unknown_fill("ACME", "1", Decimal(7), Decimal("9.5"))
    fill = peer.wait_for(lambda m: m.get(17) == exec_id)
    assert values(fill, 150, 39, 32, 31) == ["F", "2", "7", "9.5"]
    assert (fill.get(11) or "").startswith("NOT-YOURS-")


def test_the_trade_file_lies_as_told_and_otherwise_agrees(
    peer: LightPeer, control: ExchangeControl
) -> None:
    omitted, altered = traded(peer, "M1"), traded(peer, "M2")
    assert control.falsify("omit", omitted) == omitted
    assert control.falsify("quantity", altered) == altered
    paths = control.write_trade_file()
    rows = [line.split(",") for line in Path(paths["trades"]).read_text().splitlines()]
    assert rows[-1] == ["TRAILER", str(len(rows) - 2)]
    told = {row[0]: row[5] for row in rows[1:-1]}
    true = {trade["exec_id"]: trade["last_qty"] for trade in control.trades()}
    assert {key for key in true if told.get(key) != true[key]} == {omitted, altered}
    assert int(told[altered]) == int(true[altered]) + 1
    assert [item["exec_id"] for item in control.falsifications()] == [omitted, altered]
    rows = [line.split(",") for line in Path(paths["orders"]).read_text().splitlines()]
    assert len(rows) - 2 == control.stats()["orders"] == int(rows[-1][1])
    assert not list(Path(paths["orders"]).parent.glob("*.tmp"))


@pytest.mark.parametrize(
    ("action", "arguments", "word"),
    [
        ("dance", {}, "do: 'dance': unknown"),
        ("set", {"name": "delay_ms"}, "value: missing"),
        ("set", {"name": "colour", "value": 1}, "none of"),
        ("set", {"name": "delay_ms", "value": "x"}, "invalid literal"),
        ("falsify", {"kind": "wrong"}, "none of"),
        ("correct", {"last_px": "NaN"}, "last_px: NaN"),
        ("unknown_fill", {"symbol": "NONE", "side": "1", "last_qty": 1, "last_px": 1}, "NONE"),
        ("write_trade_file", {"day": "yesterday"}, "Invalid isoformat"),
    ],
)
def test_nonsense_on_the_control_socket_is_refused(
    control: ExchangeControl, action: str, arguments: dict[str, object], word: str
) -> None:
    with pytest.raises(ControlRefused, match=word):
        control.call(action, **arguments)
    assert control.stats()["name"] == "XSIM"


def test_garbage_on_the_control_socket_is_refused(control: ExchangeControl) -> None:
    control._socket.sendall(b"not json\n[1]\n")
    assert b"error" in control._lines.readline()
    assert b"JSON object" in control._lines.readline()
