"""Reference data the core decides with: instruments, venues, clients. Configuration, not state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from oms.domain.conditions import PLAIN_TIMES, PLAIN_TYPES, Ability
from oms.domain.fix import OrdType, TimeInForce
from oms.domain.profile import USUAL_CLIENT, USUAL_VENUE, ClientProfile, VenueProfile
from oms.domain.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One tradable symbol. tick and lot in units of price and quantity."""

    symbol: str
    currency: str
    tick: Decimal
    lot: Decimal
    security_type: str = "CS"
    venues: tuple[str, ...] = ()
    reference_px: Decimal | None = None
    tradable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One place we route to; fee in basis points of notional for taking liquidity.

    ord_types, times_in_force, abilities: what it can take; see oms.domain.conditions.
    """

    name: str
    session: str
    fee_bps: Decimal = Decimal(0)
    ord_types: frozenset[OrdType] = PLAIN_TYPES
    times_in_force: frozenset[TimeInForce] = PLAIN_TIMES
    max_messages_per_second: int = 0
    ack_timeout_ms: int = 5_000
    calendar: str = ""
    market_data: bool = True
    profile: VenueProfile = USUAL_VENUE
    abilities: frozenset[Ability] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One counterparty that sends orders: its name, its FIX session, the accounts it may use."""

    name: str
    session: str
    accounts: frozenset[str]
    profile: ClientProfile = USUAL_CLIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCopy:
    """A session that tells of a venue's trades besides the order session. match_window_us: how far
    apart the TransactTimes of what is one trade may be, where nothing names it.
    """

    session: str
    venue: str
    match_window_us: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Everything configured that decisions depend on, by its key; schedules and drop copies by FIX
    session. retired: those that were removed since the core's start. Venues and drop copies stay
    among the others: nothing goes there, what still comes from there is understood.
    """

    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    venues: Mapping[str, Venue] = field(default_factory=dict)
    clients: Mapping[str, Client] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    drop_copies: Mapping[str, DropCopy] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()

    def client_profile(self, name: str) -> ClientProfile:
        """What that client expects of us; the usual where it is not configured any more."""
        client = self.clients.get(name)
        return client.profile if client else USUAL_CLIENT

    def venue_of_session(self, session: str) -> Venue | None:
        """The venue that a FIX session belongs to, None for a client's session."""
        for venue in self.venues.values():
            if venue.session == session:
                return venue
        return None
