"""The instruments, venues and clients of a simulated desk."""

from decimal import Decimal
from typing import Protocol

from oms.domain.conditions import PLAIN_TIMES, PLAIN_TYPES
from oms.domain.instrument import Client, DropCopy, Instrument, Reference, Venue
from oms.domain.profile import ClientProfile
from oms.domain.schedule import Schedule
from oms.simulation.profiles import VenueKind

LISTINGS = {"AAPL": ("XA", "XB"), "MSFT": ("XB",), "NVDA": ("XA",)}
ACCOUNTS = {"ALPHA": frozenset({"A1", "A2"}), "BETA": frozenset({"B1"})}
_FEES = {"XA": Decimal("0.3"), "XB": Decimal("0.1")}


class Configured(Protocol):
    """What is said of sessions, by the plan or by a configuration file."""

    clients: dict[str, ClientProfile]
    venues: dict[str, VenueKind]
    copies: dict[str, str]
    hours: dict[str, Schedule]


def reference_of(plan: Configured) -> Reference:
    """Three shares, two venues, two clients; what they are like the plan says."""
    return Reference(
        instruments={
            symbol: Instrument(
                symbol=symbol,
                currency="USD",
                tick=Decimal("0.01"),
                lot=Decimal(1),
                venues=venues,
                reference_px=Decimal(100),
            )
            for symbol, venues in LISTINGS.items()
        },
        venues={
            name: Venue(
                name=name,
                session=name,
                fee_bps=_FEES[name],
                ord_types=PLAIN_TYPES | kind.ord_types,
                times_in_force=PLAIN_TIMES | kind.times_in_force,
                abilities=kind.abilities,
                max_messages_per_second=kind.rate,
                profile=kind.profile,
            )
            for name, kind in plan.venues.items()
        },
        clients={
            name: Client(name=name, session=name, accounts=ACCOUNTS[name], profile=profile)
            for name, profile in plan.clients.items()
        },
        schedules=plan.hours,
        drop_copies={
            name: DropCopy(session=name, venue=venue) for name, venue in plan.copies.items()
        },
    )
