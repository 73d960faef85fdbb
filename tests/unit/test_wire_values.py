"""Enumerated values: on the wire those of the standard, in the journal and in REST their names."""

import importlib
import inspect
import pkgutil
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

import ems.simulator
import oms.domain
import oms.risk
from oms.domain.fix import GT_CORPORATE_ACTION, GT_RENEWAL, REPRICING

DICTIONARIES = Path(sys.prefix) / "share" / "quickfix"
# What we call shorter than QuickFIX's dictionaries do.
CALLED = {
    "GTC": "GOOD_TILL_CANCEL",
    "OPG": "AT_THE_OPENING",
    "IOC": "IMMEDIATE_OR_CANCEL",
    "FOK": "FILL_OR_KILL",
    "GTD": "GOOD_TILL_DATE",
    "CLS": "AT_THE_CLOSE",
    "MIDPOINT_PEG": "MID_PRICE_PEG",
    "TRIGGERED": "TRIGGERED_OR_ACTIVATED_BY_SYSTEM",
    "BROKER_OPTION": "BROKER_CREDIT",
    "ALREADY_PENDING": "ORDER_ALREADY_IN_PENDING_STATUS",
    "INCORRECT_DATA_FORMAT": "INCORRECT_DATA_FORMAT_FOR_VALUE",
    "INCORRECT_NUM_IN_GROUP_COUNT": "INCORRECT_NUM_IN_GROUP_COUNT_FOR_REPEATING_GROUP",
    "MARKET_DATA_SNAPSHOT": "MARKET_DATA_SNAPSHOT_FULL_REFRESH",
    "SUBSCRIBE": "SNAPSHOT_AND_UPDATES",
    "UNSUBSCRIBE": "DISABLE_PREVIOUS_SNAPSHOT",
}
MASS = {
    ("530", "SECURITY"): "CANCEL_ORDERS_FOR_A_SECURITY",
    ("530", "ALL_ORDERS"): "CANCEL_ALL_ORDERS",
    ("585", "SECURITY"): "STATUS_FOR_ORDERS_FOR_A_SECURITY",
    ("585", "ALL_ORDERS"): "STATUS_FOR_ALL_ORDERS",
}


def enumerations() -> Iterator[type[Enum]]:
    """Those of the language, of risk and of the simulated venue."""
    for package in (oms.domain, oms.risk, ems.simulator):
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for one in vars(module).values():
                is_enum = inspect.isclass(one) and issubclass(one, Enum)
                if is_enum and one.__module__ == module.__name__:
                    yield one


def tag_of(one: type[Enum]) -> str:
    """The FIX field that the docstring names, as in `Side (54)`."""
    found = re.search(r"\((\d+)\)", one.__doc__ or "")
    return found[1] if found and found[1] in standard() else ""


@cache
def standard() -> dict[str, dict[str, set[str | None]]]:
    """Descriptions by tag and value, in FIX 4.4 and in FIX 5.0 SP2."""
    told: dict[str, dict[str, set[str | None]]] = {}
    for name in ("FIX44.xml", "FIX50SP2.xml"):
        for field in ET.parse(DICTIONARIES / name).findall(".//fields/field"):  # noqa: S314 - ours
            for value in field.findall("value"):
                values = told.setdefault(field.get("number", ""), {})
                values.setdefault(value.get("enum", ""), set()).add(value.get("description"))
    return told


WIRE = [one for one in enumerations() if tag_of(one)]
CODES = [one for one in enumerations() if not tag_of(one)]


@pytest.mark.parametrize("one", WIRE, ids=lambda one: one.__name__)
def test_a_wire_value_means_what_the_standard_says(one: type[Enum]) -> None:
    tag = tag_of(one)
    for member in one:
        called = CALLED.get(member.name, MASS.get((tag, member.name), member.name))
        assert called in standard()[tag].get(str(member.value), set()), member


@pytest.mark.parametrize(
    ("value", "called"),
    [
        (GT_CORPORATE_ACTION, "GT_CORPORATE_ACTION"),
        (GT_RENEWAL, "GT_RENEWAL"),
        (REPRICING, "REPRICING_OF_ORDER"),
    ],
)
def test_an_exec_restatement_reason_means_what_the_standard_says(value: str, called: str) -> None:
    assert called in standard()["378"].get(value, set())


@pytest.mark.parametrize("one", CODES, ids=lambda one: one.__name__)
def test_a_code_is_its_name(one: type[Enum]) -> None:
    """Journals of years hold it, and clients of REST compare it."""
    assert {member.name: str(member.value) for member in one} == {
        member.name: member.name for member in one
    }


def test_there_are_both() -> None:
    assert {one.__name__ for one in WIRE} >= {"Side", "OrdStatus", "ExecType", "OrdType"}
    assert {one.__name__ for one in CODES} >= {"Reason", "Rule", "Level"}
