"""The parties of a world: clients, venues and their drop copies, as its plan has them."""

from functools import partial
from typing import TYPE_CHECKING

from oms.domain.instrument import Client, Venue
from oms.simulation.agenda import chance
from oms.simulation.client import SimClient
from oms.simulation.copies import SimCopy
from oms.simulation.engine import settings_of
from oms.simulation.venue import SimVenue

if TYPE_CHECKING:
    from oms.simulation.world import World

Party = SimClient | SimVenue | SimCopy
_THEIRS = 0


def new_client(world: "World", client: Client) -> SimClient:
    """One that trades for its accounts."""
    name = client.session
    made = SimClient(
        settings_of(name, world.plan.versions[name], client=True, ours=False),
        tuple(sorted(client.accounts)),
        agenda=world.agenda,
        randomness=chance(world.plan.seed, "client", name),
        story=world.story,
        flush=partial(world.flush, name, _THEIRS),
    )
    made.bundling = client.profile.bundled_ioc
    made.late = world.plan.late.get(name, 0.0)
    return made


def new_venue(world: "World", venue: Venue) -> SimVenue:
    """One with the manners of the plan."""
    name = venue.session
    return SimVenue(
        settings_of(name, world.plan.versions[name], client=False, ours=False),
        world.plan.manners[name],
        agenda=world.agenda,
        randomness=chance(world.plan.seed, "venue", name),
        story=world.story,
        flush=partial(world.flush, name, _THEIRS),
    )


def new_copy(world: "World", name: str, venue: str) -> SimCopy:
    """The drop copy's session of that venue, which tells it of its trades from now on."""
    forgets = world.plan.manners[venue].forget > 0
    made = world.venues[venue].copy = SimCopy(
        settings_of(name, world.plan.versions[name], client=False, ours=False),
        agenda=world.agenda,
        randomness=chance(world.plan.seed, "copy", name),
        story=world.story,
        flush=partial(world.flush, name, _THEIRS),
        slow_us=5_000_000 if forgets else world.plan.manners[venue].speed_us * 20,
    )
    return made
