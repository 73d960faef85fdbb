"""What a message, an event or a setting leaves unsaid is nothing: no, none, zero or empty."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal

import oms.domain
from oms.domain.reasons import SPECS

PLAIN = (bool, int, str, Decimal)
# All others, each as documented for those who set it or leave it out.
SAID = {
    "NewOrderList.last_fragment": True,
    "EngageKillSwitch.cancel_open_orders": True,
    "Instrument.security_type": "CS",
    "Instrument.tradable": True,
    "Venue.ack_timeout_ms": 5000,
    "Venue.market_data": True,
    "DropCopy.match_window_us": 1_000_000,
    "OrderRestated.restatement": "1",
    "ClientProfile.pending_acks": True,
    "ClientProfile.new_for_immediate": True,
    "VenueProfile.mass_status": True,
    "VenueProfile.canceled_is_final": True,
    "ReasonSpec.http_status": 422,
}


# What REST answers to a refusal, where it is not the usual 422.
HTTP_STATUSES = {
    "ACCOUNT_NOT_PERMITTED": 403,
    "UNKNOWN_ORDER": 404,
    "DUPLICATE_CL_ORD_ID": 409,
    "TOO_LATE": 409,
    "ALREADY_PENDING": 409,
    "BELOW_CUM_QTY": 409,
    "ORDER_STATE_UNKNOWN": 409,
}


def language() -> Iterator[type]:
    for found in pkgutil.iter_modules(oms.domain.__path__):
        module = importlib.import_module(f"oms.domain.{found.name}")
        for one in vars(module).values():
            if inspect.isclass(one) and is_dataclass(one) and one.__module__ == module.__name__:
                yield one


def test_what_is_left_unsaid_is_nothing() -> None:
    told = {
        f"{one.__name__}.{field.name}": field.default
        for one in language()
        for field in fields(one)
        if field.default is not MISSING and type(field.default) in PLAIN and field.default
    }
    assert told == SAID


def test_some_refusals_have_an_http_status_of_their_own() -> None:
    told = {reason.name: spec.http_status for reason, spec in SPECS.items()}
    assert {name: status for name, status in told.items() if status != 422} == HTTP_STATUSES


def test_most_of_the_language_has_something_that_may_be_left_unsaid() -> None:
    assert (
        len([one for one in language() if any(f.default is not MISSING for f in fields(one))]) > 50
    )
