"""The conformance runner: all 54 scenarios accounted for, the comparer, the certificate."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import Message
from oms.conformance.certificate import Certificate
from oms.conformance.compare import Allowed, Differs, Wanted, compare
from oms.conformance.dialect import DIALECTS, FIX42, FIX44
from oms.conformance.executions import Executions
from oms.conformance.matrix import Row, rows, scenarios, titles
from oms.conformance.orders import new_order
from oms.conformance.play import Outcome, Result, paths_played
from oms.conformance.profiles import USUAL
from oms.conformance.scope import TABLE, Entry, Kind, Role, entries, whole
from oms.conformance.server_config import Lane, server_config
from oms.conformance.sides import Market
from oms.settings.load import load
from oms.settings.trading_date import trade_date_of

MARKET = Market(symbol="ACME", account="A-1")


def message(msg_type: str, *fields: tuple[int, str]) -> Message:
    return Message(msg_type=msg_type, seq=1, fields=list(fields), raw=b"", at_ns=0)


def row(scenario: str, step: str, branch: str = "") -> Row:
    [found] = [
        one
        for one in rows()
        if one.place == (scenario, step) and one.branch == branch and not one.inbound
    ]
    return found


# The table


@pytest.mark.parametrize("version", [one.version for one in DIALECTS])
@pytest.mark.parametrize("role", list(Role))
def test_each_of_the_54_is_executed_or_named_with_its_reason(version: str, role: Role) -> None:
    assert len(scenarios()) == 54
    for scenario, its_rows in scenarios().items():
        entry = whole(role, scenario, version)
        if entry is None:
            assert paths_played(its_rows, entries(role, scenario, version))
        else:
            assert len(entry.reason) > 10, scenario
    played = [one for one in scenarios() if whole(role, one, version) is None]
    assert len(played) > 25


def test_every_scenario_has_a_title() -> None:
    assert list(titles()) == list(scenarios())
    assert all(titles().values())


@pytest.mark.parametrize("entry", TABLE, ids=lambda one: f"{one.role}-{'-'.join(one.scenarios)}")
def test_an_entry_of_the_table_is_about_rows_that_exist(entry: Entry) -> None:
    assert entry.scenarios
    assert set(entry.scenarios) <= set(scenarios())
    assert set(entry.versions) <= {one.version for one in DIALECTS}
    if entry.kind is not Kind.DEVIATION:
        assert not any((entry.steps, entry.refusals, entry.instead, entry.then)), (
            "of a deviation only"
        )
    for scenario in entry.scenarios:
        of_it = scenarios()[scenario]
        assert {*entry.steps, *entry.instead, *entry.then} <= {one.step for one in of_it}
        assert set(entry.refusals) <= {one.step for one in of_it if one.branch == "alt"}


def test_no_scenario_is_both_left_out_and_played_with_deviations() -> None:
    by_place = Counter(
        (one.role, scenario, version)
        for one in TABLE
        if one.kind is not Kind.DEVIATION
        for scenario in one.scenarios
        for version in one.versions or tuple(each.version for each in DIALECTS)
    )
    assert max(by_place.values()) == 1
    for one in TABLE:
        for scenario in one.scenarios:
            for version in one.versions or tuple(each.version for each in DIALECTS):
                deviates = one.kind is Kind.DEVIATION
                assert not (deviates and by_place[one.role, scenario, version]), (scenario, one)


# The comparer


def test_the_first_differing_field_is_named() -> None:
    told = message("8", (11, "X"), (39, "1"), (14, "2000"), (151, "1"))
    wanted = [
        Wanted(tag=35, value="8"),
        Wanted(tag=14, value=Decimal("2000.0")),
        Wanted(tag=151, value=Decimal(8000)),
        Wanted(tag=39, value="2"),
    ]
    with pytest.raises(Differs) as raised:
        compare(row("A.1.a", "3"), told, wanted)
    assert str(raised.value) == "step 3: LeavesQty (151): expected 8000, got 1"


@pytest.mark.parametrize(
    ("wanted", "fields", "same"),
    [
        (Wanted(tag=32, value=Decimal(0)), (), True),
        (Wanted(tag=14, value=Decimal(0)), (), False),
        (Wanted(tag=41, value=None), (), True),
        (Wanted(tag=41, value=None), ((41, "X"),), False),
        (Wanted(tag=38, value=Decimal(1)), ((38, "one"),), False),
        (Wanted(tag=11, value="01"), ((11, "1"),), False),
    ],
)
def test_how_fields_compare(
    wanted: Wanted, fields: tuple[tuple[int, str], ...], *, same: bool
) -> None:
    told = message("8", *fields)
    if same:
        compare(row("A.1.a", "3"), told, [wanted])
    else:
        with pytest.raises(Differs):
            compare(row("A.1.a", "3"), told, [wanted])


def test_an_allowed_deviation_demands_its_own_value_and_no_other() -> None:
    entry = Entry(
        role=Role.RECEIVER,
        scenarios=("A.1.b",),
        kind=Kind.DEVIATION,
        reason="for this test",
        instead={"5": {39: "4"}},
    )
    allowed = Allowed([entry])
    wanted = [Wanted(tag=39, value="3"), Wanted(tag=14, value=Decimal(3000))]
    there = allowed.instead(row("A.1.b", "5"), wanted)
    assert there == [Wanted(tag=39, value="4"), wanted[1]]
    assert allowed.instead(row("A.1.b", "4"), wanted) == wanted
    with pytest.raises(Differs):
        compare(row("A.1.b", "5"), message("8", (39, "3"), (14, "3000")), there)


# Versions, terms


def test_fix_4_2_says_trades_busts_corrections_and_status_by_exec_trans_type() -> None:
    said = {
        (scenario, step): {
            one.tag: one.value for one in FIX42.exec_type_wanted(row(scenario, step))
        }
        for scenario, step in (("A.1.a", "4"), ("A.1.a", "5"), ("J.1.a", "5"), ("J.1.a", "6"))
    }
    assert said == {
        ("A.1.a", "4"): {20: "0", 150: "1"},
        ("A.1.a", "5"): {20: "0", 150: "2"},
        ("J.1.a", "5"): {20: "1"},
        ("J.1.a", "6"): {20: "2"},
    }
    assert FIX42.exec_type_said("I", "1", complete=False) == [(20, "3"), (150, "1")]
    assert FIX44.exec_type_said("F", "1", complete=False) == [(150, "F")]


@pytest.mark.parametrize(
    ("scenario", "tag", "value"),
    [("I.1.a", 59, "4"), ("XI.1.b", 59, "3"), ("H.1.a", 59, "1"), ("E.1.e", 18, "Z")],
)
def test_what_the_notes_say_of_an_order_is_sent(scenario: str, tag: int, value: str) -> None:
    path = scenarios()[scenario]
    assert dict(new_order(path[0], path, MARKET, "X"))[tag] == value


# The certificate


def certificate(outcome: Outcome, detail: str = "") -> Certificate:
    one = Result(
        version="FIX 4.4",
        role=Role.RECEIVER,
        scenario="A.1.a",
        outcome=outcome,
        detail=detail,
        paths=3,
    )
    return Certificate(version="1", date="2026-01-02", server="a fresh server", results=(one,))


def test_a_certificate_tells_the_first_differing_field() -> None:
    fault = "A.1.a-main: step 3: CumQty (14): expected 2000, got 1"
    failed = certificate(Outcome.FAIL, fault)
    assert failed.as_json()["passed"] is False
    assert f"- FIX 4.4 as receiver: {fault}" in failed.as_markdown()
    passed = certificate(Outcome.PASS)
    assert passed.as_json()["passed"] is True
    assert "Failures" not in passed.as_markdown()
    assert "| A.1.a | filled in three trades | **pass** |" in passed.as_markdown()


def test_a_certificate_repeats_where_the_data_come_from() -> None:
    text = " ".join(certificate(Outcome.PASS).as_markdown().split())
    assert "Copyright FIX Protocol Limited" in text
    assert "FIX 4.4 Volume 4" in str(certificate(Outcome.PASS).as_json()["source"])


# What trades add up to


def told(exec_type: str, exec_id: str, avg_px: str, **fields: str) -> tuple[str, Message]:
    named = {int(key[1:]): value for key, value in fields.items()}
    return exec_type, message("8", (17, exec_id), (6, avg_px), *named.items())


TRADED = (
    told("F", "C", "100", t14="1000", t32="1000", t31="100"),
    told("F", "D", "109", t14="10000", t32="9000", t31="110"),
    told("H", "E", "110", t14="9000", t19="C"),
    told("G", "F", "100", t14="9000", t19="D", t32="9000", t31="100"),
    told("F", "G", "102", t14="10000", t32="1000", t31="120"),
    told("G", "H", "120", t14="10000", t19="F", t32="9000", t31="120"),
)


def test_avg_px_is_that_of_the_trades_with_busts_and_corrections_of_corrections() -> None:
    """The figures of J.1.a."""
    executions = Executions()
    for exec_type, one in TRADED:
        executions.take("1", one, exec_type)


@pytest.mark.parametrize(
    ("exec_type", "one", "field"),
    [
        (*told("F", "I", "120.1", t14="11000", t32="1000", t31="120"), "AvgPx (6)"),
        (*told("G", "I", "120", t14="9000", t19="A", t32="1", t31="1"), "ExecRefID (19)"),
        (*told("H", "I", "120", t14="9000", t19="C"), "ExecRefID (19)"),
    ],
)
def test_what_does_not_add_up_differs(exec_type: str, one: Message, field: str) -> None:
    executions = Executions()
    for kind, before in TRADED:
        executions.take("1", before, kind)
    with pytest.raises(Differs) as raised:
        executions.take("2", one, exec_type)
    assert raised.value.field == field


# The fresh server


@pytest.mark.parametrize("hour", [0, 12, 22, 23])
def test_the_fresh_servers_date_is_the_date_of_the_scripts_at_every_hour(
    tmp_path: Path, hour: int
) -> None:
    lane = Lane(
        begin_string="FIX.4.4",
        clients={"USUAL44": USUAL},
        venue="VENUE44",
        venue_port=20_001,
        symbol="SYM44",
        account="ACCOUNT44",
    )
    config = tmp_path / "oms.toml"
    config.write_text(
        server_config(
            tmp_path,
            lane,
            comp_id="PLUMBLINE",
            fix_port=20_002,
            metrics_port=20_003,
            password_hash=hash_password("secret"),
        )
    )
    now = datetime(2026, 11, 21, hour, 59, tzinfo=UTC)
    assert trade_date_of(load(config).trading_day, now) == now.date()
