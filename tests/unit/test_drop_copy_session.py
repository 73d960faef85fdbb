"""A drop copy's session: what is read of it, that nothing goes out by it, and its configuration."""

from pathlib import Path

import pytest

from fix_sessions.decode import Decoder
from fix_sessions.encode import encoder_of
from fix_sessions.exchange_config import ExchangeConfigError, config_from
from fix_sessions.registry import Counterparty
from oms.domain import effects as fx
from oms.domain.commands import ExecutionReport, UnreadableMessage
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.instrument import DropCopy
from oms.domain.orphans import TradeIds
from oms.settings import ConfigError, load, reference_of
from tests.integration.exchange_process import values_of
from tests.support.processes import ROOT
from tests.support.world import START

EXAMPLE = (ROOT / "config" / "oms.toml").read_text()
TRADE = {35: "8", 34: "9", 37: "V1", 17: "e1", 150: "F", 39: "1", 55: "AAPL", 54: "1"}
TRADE |= {32: "5", 31: "10.5", 14: "5", 151: "95", 6: "10.5", 60: "20260921-10:00:00.000"}
COPY = Counterparty(session_id="DC", name="DC", role="drop_copy")
SECTION = """
[[drop_copies]]
name = "XSIM1-DC"
venue = "XSIM1"
host = "127.0.0.1"
port = 9001
sender_comp_id = "PLUMBLINE-DC"
target_comp_id = "XSIM1"
"""


def read(fields: dict[int, str]) -> object:
    text = "".join(f"{tag}={value}\x01" for tag, value in [(8, "FIX.4.4"), *fields.items()])
    [command] = Decoder(COPY).decode(f"{text}10=000\x01", epoch=0, at=START)
    return command


def test_its_reports_are_read_with_what_names_the_trade() -> None:
    report = read(TRADE | {880: "M1", 527: "E9", 198: "V2", 797: "Y"})
    assert isinstance(report, ExecutionReport)
    assert report.ids == TradeIds(
        trd_match_id="M1", secondary_exec_id="E9", secondary_order_id="V2"
    )
    plain = read(TRADE)
    assert isinstance(plain, ExecutionReport)
    assert plain.ids is None


@pytest.mark.parametrize("msg_type", ["9", "W", "X", "Y", "D", "AE"])
def test_nothing_else_is_read(msg_type: str) -> None:
    command = read({35: msg_type, 34: "3", 55: "AAPL", 262: "q", 268: "0"})
    assert isinstance(command, UnreadableMessage)
    assert (command.business, command.reason_code) == (True, "3")


def test_no_order_and_no_question_leaves_by_it() -> None:
    encode = encoder_of(COPY)
    about = {"session": "DC", "event_seq": 1, "at": START}
    question = fx.SendOrderMassStatusRequest(mass_status_req_id="M", **about)  # type: ignore[arg-type]
    assert encode(question) == ("", [])
    rejection = fx.SendReject(
        business=True,
        ref_seq_num=3,
        ref_msg_type="W",
        ref_id="",
        reason_code="3",
        ref_tag=0,
        text="no",
        **about,  # type: ignore[arg-type]
    )
    assert encode(rejection)[0] == "j"


def configured(directory: Path, more: str, old: str = "", new: str = "") -> Path:
    path = directory / "oms.toml"
    assert old in EXAMPLE
    path.write_text(EXAMPLE.replace(old, new, 1) + more)
    return path


def test_its_configuration(tmp_path: Path) -> None:
    reference = reference_of(load(configured(tmp_path, SECTION)))
    assert reference.drop_copies == {"XSIM1-DC": DropCopy(session="XSIM1-DC", venue="XSIM1")}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('venue = "XSIM1"', 'venue = "X"', "drop_copies[0].venue = X: must be a configured venue"),
        ('name = "XSIM1-DC"', 'name = "ALPHA"', "drop_copies[0].name = ALPHA: must be different"),
        ('"PLUMBLINE-DC"', '"PLUMBLINE"', "drop_copies[0].target_comp_id = PLUMBLINE, XSIM1: our"),
        ("port = 9001", "port = 9001\nwindow = 1", "drop_copies[0].window: unknown key"),
        ("port = 9001", "port = 9001\nmatch_window_ms = -1", "drop_copies[0].match_window_ms"),
    ],
)
def test_what_is_wrong_with_it_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(configured(tmp_path, SECTION.replace(old, new)))
    assert str(caught.value).startswith(fault)


def test_adoption_needs_an_account(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"venues\[0\].profile.orphan_account: is missing"):
        load(configured(tmp_path, "", 'orphans = "HOLD"', 'orphans = "ADOPT"'))


@pytest.mark.parametrize("copies", [{"OMS": "OMS"}, {"DC": "NOBODY"}])
def test_a_simulated_venue_copies_one_counterpartys_trades(
    tmp_path: Path, copies: dict[str, str]
) -> None:
    with pytest.raises(ExchangeConfigError, match="drop_copies"):
        config_from(values_of(tmp_path, drop_copies=copies))
    good = config_from(values_of(tmp_path, drop_copies={"OMS-DC": "OMS"}))
    assert good.drop_copies == {"OMS-DC": "OMS"}


def test_sides_and_states_stay_what_they_are() -> None:
    report = read(TRADE)
    assert isinstance(report, ExecutionReport)
    assert (report.side, report.ord_status) == (Side.BUY, OrdStatus.PARTIALLY_FILLED)
    assert (report.origin.counterparty, report.origin.session) == ("DC", "DC")


@pytest.mark.parametrize("version", ["FIX.4.2", "FIXT.1.1"])
def test_in_other_versions(version: str) -> None:
    fields = TRADE | {20: "0", 150: "1"} if version == "FIX.4.2" else TRADE
    text = "".join(f"{tag}={value}\x01" for tag, value in [(8, version), *fields.items()])
    copy = Counterparty(session_id="DC", name="DC", role="drop_copy", begin_string=version)
    [report] = Decoder(copy).decode(f"{text}10=000\x01", epoch=0, at=START)
    assert isinstance(report, ExecutionReport)
    assert report.exec_type is ExecType.TRADE
