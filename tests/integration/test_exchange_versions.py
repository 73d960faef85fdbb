"""The simulated venue in every FIX version: a light client that spells each message by hand."""

from pathlib import Path

import pytest

from fix_sessions.exchange_config import ExchangeConfigError, config_from
from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from tests.integration.exchange_process import (
    cancel_fields,
    order_fields,
    reports,
    running,
    values,
    values_of,
)

LOGONS: dict[str, tuple[tuple[int, str], ...]] = {
    "FIX.4.2": (),
    "FIX.4.4": (),
    "FIXT.1.1": ((1137, "9"),),
}
NOW = "20260101-00:00:00.000"
REPLACE = [(21, "1"), (55, "ACME"), (54, "1"), (60, NOW), (38, "150"), (40, "2"), (44, "99")]


def client(hub: Hub, port: int, version: str, name: str = "OMS") -> LightPeer:
    settings = LightSettings(
        sender_comp_id=name,
        target_comp_id="XSIM",
        begin_string=version,
        logon_fields=LOGONS[version],
    )
    peer = hub.client("127.0.0.1", port, settings)
    peer.logon()
    return peer


def report_of(peer: LightPeer, cl_ord_id: str, count: int) -> Message:
    """The report with that ClOrdID that is number `count` of all."""
    peer.wait_for(lambda _: len(reports(peer)) >= count)
    found = reports(peer)[count - 1]
    assert found.get(11) == cl_ord_id, found
    return found


@pytest.mark.parametrize("version", LOGONS)
def test_an_order_life(version: str, tmp_path: Path) -> None:
    old = version == "FIX.4.2"
    with running(tmp_path, begin_string=version) as venue, Hub() as hub:
        peer = client(hub, venue.port, version)
        rival = client(hub, venue.port, version, "RIVAL")
        tags = (20, 150, 39, 14, 151)
        peer.send("D", order_fields("c1"))
        assert values(report_of(peer, "c1", 1), *tags) == [
            "0" if old else None,
            "0",
            "0",
            "0",
            "100",
        ]
        rival.send("D", order_fields("r1", side="2", qty="40"))
        assert values(report_of(peer, "c1", 2), *tags) == [
            "0" if old else None,
            "1" if old else "F",
            "1",
            "40",
            "60",
        ]
        peer.send("G", [(11, "c2"), (41, "c1"), *REPLACE])
        assert values(report_of(peer, "c2", 3), *tags) == [
            "0" if old else None,
            "5",
            "1",
            "40",
            "110",
        ]
        peer.send("H", [(11, "c2"), (55, "ACME"), (54, "1")])
        status = report_of(peer, "c2", 4)
        assert values(status, *tags) == [
            "3" if old else None,
            "1" if old else "I",
            "1",
            "40",
            "110",
        ]
        peer.send("F", cancel_fields("c3", "c2"))
        assert values(report_of(peer, "c3", 5), *tags) == [
            "0" if old else None,
            "4",
            "4",
            "40",
            "0",
        ]
        peer.send("F", cancel_fields("c4", "c2"))
        reject = peer.wait_for(lambda m: m.msg_type == "9")
        assert values(reject, 11, 39, 434) == ["c4", "4", "1"]


def test_a_replaced_order_without_a_fill_is_replaced_in_fix42(tmp_path: Path) -> None:
    with running(tmp_path, begin_string="FIX.4.2") as venue, Hub() as hub:
        peer = client(hub, venue.port, "FIX.4.2")
        peer.send("D", order_fields("c1"))
        report_of(peer, "c1", 1)
        peer.send("G", [(11, "c2"), (41, "c1"), *REPLACE])
        assert values(report_of(peer, "c2", 2), 150, 39) == ["5", "5"]


def test_what_fix42_has_not_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, begin_string="FIX.4.2") as venue, Hub() as hub:
        peer = client(hub, venue.port, "FIX.4.2")
        peer.send("AF", [(584, "m1"), (585, "7")])
        refused = peer.wait_for(lambda m: m.msg_type in {"j", "3"})
        assert values(refused, 372) == ["AF"]
        peer.send("D", [field for field in order_fields("c1") if field[0] != 21])
        refused = peer.wait_for(lambda m: m.msg_type == "j" and m.get(379) == "c1")
        assert values(refused, 380, 58) == ["5", "HandlInst (21): missing"]


def test_a_version_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ExchangeConfigError, match=r"begin_string: 'FIX.4.1': must be one of FIX"):
        config_from(values_of(tmp_path, begin_string="FIX.4.1"))
