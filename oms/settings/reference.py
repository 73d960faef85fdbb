"""What the core decides with, out of the configuration."""

from oms.domain.instrument import Client, DropCopy, Instrument, Reference, Venue
from oms.domain.schedule import Schedule
from oms.settings.model import Settings


def reference_of(settings: Settings) -> Reference:
    """Instruments, venues and clients by name; a session is called as its client or venue is."""
    everywhere = tuple(venue.name for venue in settings.venues)
    return Reference(
        instruments={
            one.symbol: Instrument(
                symbol=one.symbol,
                currency=one.currency,
                tick=one.tick,
                lot=one.lot,
                security_type=one.security_type,
                venues=one.venues or everywhere,
                reference_px=one.reference_px,
                tradable=one.tradable,
            )
            for one in settings.instruments
        },
        venues={
            one.name: Venue(
                name=one.name,
                session=one.name,
                fee_bps=one.fee_bps,
                ord_types=frozenset(one.ord_types),
                times_in_force=frozenset(one.times_in_force),
                max_messages_per_second=one.max_messages_per_second,
                ack_timeout_ms=one.ack_timeout_ms,
                calendar=one.calendar,
                profile=one.profile.profile(one.begin_string),
                abilities=frozenset(one.abilities),
            )
            for one in settings.venues
        },
        clients={
            one.name: Client(
                name=one.name,
                session=one.name,
                accounts=frozenset(one.accounts),
                profile=one.profile.profile(),
            )
            for one in settings.clients
        },
        schedules=schedules_of(settings),
        drop_copies={
            one.name: DropCopy(
                session=one.name, venue=one.venue, match_window_us=one.match_window_ms * 1000
            )
            for one in settings.drop_copies
        },
    )


def schedules_of(settings: Settings) -> dict[str, Schedule]:
    """The schedules by session; a session that has none is always open."""
    clients = {one.name: one.schedule for one in settings.clients}
    venues = {one.name: one.schedule for one in settings.venues}
    copies = {one.name: one.schedule for one in settings.drop_copies}
    every = clients | venues | copies
    return {name: one.compiled() for name, one in every.items() if one is not None}
