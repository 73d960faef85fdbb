"""Conditions of orders on the wire: read, written, and written as every FIX version has them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from oms.domain import effects as fx
from oms.domain.commands import NewOrderSingle, OrderCancelReplaceRequest, UnreadableMessage
from oms.domain.conditions import Conditions, DayFigures
from oms.domain.fix import ExecInst, ExecType, OrdType, TimeInForce
from tests.support.messages import (
    AT,
    NEW,
    NOW,
    VERSIONS,
    about_an_order,
    order,
    read,
    report,
    sent,
)
from tests.unit.test_standard_messages import judged

BASE = {35: "D", 34: "2", 11: "c1", 1: "A", 21: "1", 55: "AAPL", 54: "1", 60: NOW, 38: "10"}
THEN = "20260921-14:13:20.000"  # AT
ALL = Conditions(
    stop_px=Decimal("9.5"),
    expire_time=AT,
    min_qty=Decimal(5),
    max_floor=Decimal(6),
    exec_inst=(ExecInst.NOT_HELD, ExecInst.ALL_OR_NONE),
)


def test_every_condition_is_read() -> None:
    fields = {40: "4", 44: "9", 59: "6", 99: "9.5", 126: THEN, 110: "5", 111: "6", 18: "1 G 1"}
    command = read("FIX.4.4", BASE | fields)
    assert isinstance(command, NewOrderSingle), command
    assert (command.ord_type, command.time_in_force) == (OrdType.STOP_LIMIT, TimeInForce.GTD)
    assert command.conditions == ALL
    dated = read("FIX.4.4", BASE | {40: "P", 59: "6", 432: "20261231", 18: "M", 211: "-0.01"})
    assert isinstance(dated, NewOrderSingle), dated
    assert dated.conditions == Conditions(
        expire_date="2026-12-31", exec_inst=(ExecInst.MIDPOINT_PEG,), peg_offset=Decimal("-0.01")
    )


def test_a_plain_order_has_none() -> None:
    command = read("FIX.4.4", BASE | {40: "1"})
    assert isinstance(command, NewOrderSingle)
    assert command.conditions is None
    changed = {**BASE, 35: "G", 41: "c0", 40: "3", 99: "9"}
    asked = read("FIX.4.4", changed)
    assert isinstance(asked, OrderCancelReplaceRequest)
    assert asked.conditions == Conditions(stop_px=Decimal(9))


def test_cash_stands_in_the_place_of_a_quantity() -> None:
    without = {tag: value for tag, value in BASE.items() if tag != 38}
    command = read("FIX.4.4", without | {40: "1", 152: "5000"})
    assert isinstance(command, NewOrderSingle), command
    assert (command.order_qty, command.conditions) == (
        0,
        Conditions(cash_order_qty=Decimal(5000)),
    )


@pytest.mark.parametrize(
    ("fields", "tag", "text"),
    [
        ({152: "5"}, 152, "CashOrderQty (152) = 5: must not stand together with OrderQty (38)"),
        ({38: ""}, 38, "OrderQty (38): specified without a value"),
        ({18: "1 x"}, 18, "ExecInst (18) = 1 x: each must be one of 1 (NOT_HELD), G (ALL_OR_NONE)"),
        ({432: "20260231"}, 432, "ExpireDate (432) = 20260231: must be a date as YYYYMMDD"),
        ({126: "noon"}, 126, "ExpireTime (126) = noon: "),
        ({99: "1e3"}, 99, "StopPx (99) = 1e3: must be a decimal number without exponent"),
    ],
)
def test_a_bad_value_is_refused_by_name(fields: dict[int, str], tag: int, text: str) -> None:
    command = read("FIX.4.4", BASE | {40: "1"} | fields)
    assert isinstance(command, UnreadableMessage)
    assert command.ref_tag == tag
    assert command.text.startswith(text)


DAY = DayFigures(order_qty=Decimal(90), cum_qty=Decimal(10), avg_px=Decimal("10.5"))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_leaves_is_in_the_standard_and_means_the_same(version: str) -> None:
    cash = replace(ALL, expire_time=0, expire_date="2026-12-31", exec_inst=(), cash_px=Decimal(1))
    stop: dict[str, Any] = {"ord_type": OrdType.STOP_LIMIT, "conditions": ALL}
    new = replace(order(), time_in_force=TimeInForce.GTD, **stop)
    amended = about_an_order(
        fx.SendOrderCancelReplaceRequest,
        account="A-1",
        price=Decimal(11),
        time_in_force=TimeInForce.GTD,
        **stop,
    )
    told = report(ExecType.NEW, NEW, **stop, day=DAY)
    dated = report(ExecType.RESTATED, NEW, restatement="1", conditions=cash, day=DAY)
    for msg_type, effect in (("D", new), ("G", amended), ("8", told), ("8", dated)):
        found = sent(version, effect)
        judged(version, msg_type, [(tag, text) for tag, text in found.items() if tag != 35])
    back = read(version, [(35, "D"), (34, "2"), *_without_type(sent(version, new))])
    assert isinstance(back, NewOrderSingle), back
    assert back.conditions == ALL
    found = sent(version, told)
    assert (found[99], found[424], found[425], found[426]) == ("9.5", "90", "10", "10.5")


def _without_type(fields: dict[int, str]) -> list[tuple[int, str]]:
    extra = {21: "1"} | {tag: text for tag, text in fields.items() if tag != 35}
    return list(extra.items())


def test_triggered_is_told_by_its_own_exec_type_from_fix44_on() -> None:
    triggered = report(ExecType.TRIGGERED, NEW)
    assert [sent(version, triggered)[150] for version in VERSIONS] == ["0", "L", "L"]
    assert sent("FIX.4.2", triggered)[20] == "3"
