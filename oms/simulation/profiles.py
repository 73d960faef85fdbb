"""What the counterparties of one run are like: drawn from its seed."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oms.domain.conditions import Ability
from oms.domain.fix import OrdType, TimeInForce
from oms.domain.profile import (
    BelowCumQty,
    ChainedReplace,
    ClientProfile,
    ClOrdIdScope,
    OrphanPolicy,
    VenueProfile,
    WireProfile,
)
from oms.domain.schedule import WEEK, Schedule
from oms.simulation.agenda import START_US
from oms.simulation.versions import FIX42

_STOPS = frozenset({OrdType.STOP, OrdType.STOP_LIMIT})
_GOOD_TILL = frozenset({TimeInForce.GTC, TimeInForce.GTD})


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueKind:
    """A venue's profile, message rate (0: any), and what it takes beside plain orders."""

    profile: VenueProfile
    rate: int
    ord_types: frozenset[OrdType]
    times_in_force: frozenset[TimeInForce]
    abilities: frozenset[Ability]


def draw_client(randomness: random.Random) -> ClientProfile:
    """The usual one in every second run."""
    draw = randomness.random
    if draw() < 0.5:
        return ClientProfile()
    return ClientProfile(
        wire=_draw_wire(randomness),
        cl_ord_id_scope=randomness.choice(list(ClOrdIdScope)),
        pending_acks=draw() < 0.5,
        new_for_immediate=draw() < 0.5,
        bundled_ioc=draw() < 0.5,
        new_awaits_venue=draw() < 0.5,
        replace_below_cum_qty=randomness.choice(list(BelowCumQty)),
        chained_replaces=randomness.choice(list(ChainedReplace)),
        filled_is_final=draw() < 0.5,
        cancel_on_disconnect=draw() < 0.3,
        cancel_grace_ms=randomness.choice((0, 200, 3_000)),
    )


def _draw_wire(randomness: random.Random) -> WireProfile:
    return WireProfile(
        price_decimals=randomness.choice((0, 0, 2, 4)),
        quantity_decimals=randomness.choice((0, 0, 0, 1)),
    )


def draw_venue(randomness: random.Random, version: str) -> VenueKind:
    """The usual one in every second run; FIX 4.2 knows no mass status."""
    draw = randomness.random
    special = draw() < 0.5
    return VenueKind(
        profile=VenueProfile(
            mass_status=(not special or draw() < 0.6) and version != FIX42,
            wire=_draw_wire(randomness),
            orphans=randomness.choice(list(OrphanPolicy)),
            orphan_account=randomness.choice(("", "X1")),
        ),
        rate=randomness.choice((0, 5, 50)) if special else 0,
        ord_types=_STOPS if special and draw() < 0.5 else frozenset(),
        times_in_force=_GOOD_TILL if draw() < 0.7 else frozenset(),
        abilities=frozenset(Ability) if special and draw() < 0.5 else frozenset(),
    )


def draw_hours(randomness: random.Random) -> Schedule | None:
    """Open around the clock but for some seconds, mostly during the run; None: always open."""
    if randomness.random() < 0.8:
        return None
    began = datetime.fromtimestamp(START_US // 1_000_000, UTC)
    end = began + timedelta(seconds=1 + randomness.randrange(30))
    start = end + timedelta(seconds=1 + randomness.randrange(20))
    every = frozenset(range(WEEK))
    resets = [None, start.time(), (end + timedelta(seconds=1)).time(), end.time()]
    resets.append((start + timedelta(seconds=randomness.randrange(20))).time())
    return Schedule(
        time_zone=UTC,
        start=start.time(),
        end=end.time(),
        days=every,
        reset=randomness.choice(resets),
        reset_days=every,
    )
