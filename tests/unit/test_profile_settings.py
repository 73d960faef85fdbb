"""[clients.profile] and [venues.profile]: what is read for core and edge, what is refused."""

from pathlib import Path

import pytest

from oms.app.fix_parties import counterparties_of, session_specs
from oms.domain.profile import BelowCumQty, ClientProfile, ClOrdIdScope, VenueProfile, WireProfile
from oms.settings import reference_of
from oms.settings.load import load
from tests.unit.test_settings import CLIENT, DATABASE, VENUE, faults, write

GRACE_MS = 10_000  # the configuration's default
CLIENT_PROFILE = """
[clients.profile]
cl_ord_id_scope = "WORKING"
pending_acks = false
replace_below_cum_qty = "AT_CUM_QTY"
price_decimals = 2
max_order_age_ms = 60000
custom_tags = { "8" = ["9001=a=b", "528=A"] }
"""
VENUE_PROFILE = """
[venues.profile]
canceled_is_final = false
reset_on_logon = true
quantity_decimals = 1
"""


def test_what_is_read(tmp_path: Path) -> None:
    text = DATABASE + CLIENT + CLIENT_PROFILE + VENUE + VENUE_PROFILE
    settings = load(write(tmp_path, text))
    reference = reference_of(settings)
    assert reference.clients["ALPHA"].profile == ClientProfile(
        wire=WireProfile(custom_tags={"8": ((9001, "a=b"), (528, "A"))}, price_decimals=2),
        cl_ord_id_scope=ClOrdIdScope.WORKING,
        pending_acks=False,
        cancel_grace_ms=GRACE_MS,
        max_order_age_ms=60_000,
        replace_below_cum_qty=BelowCumQty.AT_CUM_QTY,
    )
    venue = reference.venues["XSIM"].profile
    assert venue == VenueProfile(wire=WireProfile(quantity_decimals=1), canceled_is_final=False)
    wires = [one.wire for one in counterparties_of(settings)]
    assert wires == [reference.clients["ALPHA"].profile.wire, venue.wire]
    assert [one.reset_on_logon for one in session_specs(settings)] == [False, True]


def test_without_a_profile_all_is_as_usual(tmp_path: Path) -> None:
    reference = reference_of(load(write(tmp_path, DATABASE + CLIENT + VENUE)))
    assert reference.clients["ALPHA"].profile == ClientProfile(cancel_grace_ms=GRACE_MS)
    assert reference.venues["XSIM"].profile == VenueProfile()


@pytest.mark.parametrize(
    ("version", "mass_status"), [("FIX.4.2", False), ("FIX.4.4", True), ("FIXT.1.1", True)]
)
def test_a_venue_of_fix42_has_no_mass_status(
    tmp_path: Path, version: str, mass_status: bool
) -> None:
    text = DATABASE + VENUE + f'begin_string = "{version}"\n[venues.profile]\nmass_status = true\n'
    settings = load(write(tmp_path, text))
    assert reference_of(settings).venues["XSIM"].profile.mass_status is mass_status
    [spec] = session_specs(settings)
    assert spec.begin_string == version


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('cl_ord_id_scope = "EVER"', "cl_ord_id_scope = EVER: must be one of DAY, WORKING"),
        (
            'replace_below_cum_qty = "MAYBE"',
            "replace_below_cum_qty = MAYBE: must be one of REJECT, AT_CUM_QTY",
        ),
        ("price_decimals = 11", "price_decimals = 11: must be <= 10"),
        ("max_messages_per_second = -1", "max_messages_per_second = -1: must be >= 0"),
        ("no_such = 1", "no_such: unknown key"),
        (
            'custom_tags = { "8" = ["x"] }',
            "custom_tags.8[0] = x: must be tag=value in printable characters, like 528=A",
        ),
        (
            'custom_tags = { "8" = ["38=5"] }',
            "custom_tags.8[0] = 38=5: tag 38 is set by the server",
        ),
    ],
)
def test_a_fault_is_told_by_its_rule(tmp_path: Path, line: str, fault: str) -> None:
    found = faults(tmp_path, f"{DATABASE}{CLIENT}[clients.profile]\n{line}\n")
    assert found == [f"clients[0].profile.{fault}"]


def test_a_version_that_is_not_spoken(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, DATABASE + CLIENT + 'begin_string = "FIX.4.3"\n')
    rule = "must be 'FIX.4.2', 'FIX.4.4' or 'FIXT.1.1'"
    assert fault == f"clients[0].begin_string = FIX.4.3: {rule}"
