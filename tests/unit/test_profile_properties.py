"""Under any profile of client and venues the laws of the brain hold, and all settles."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.domain.profile import (
    BelowCumQty,
    ChainedReplace,
    ClientProfile,
    ClOrdIdScope,
    VenueProfile,
)
from tests.support.desk_model import ACTIONS, Desk
from tests.support.invariants import check_same, check_state
from tests.support.world import REFERENCE

ACTS = st.lists(
    st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, 999)), min_size=40, max_size=150
)
CLIENTS = st.builds(
    ClientProfile,
    cl_ord_id_scope=st.sampled_from(ClOrdIdScope),
    pending_acks=st.booleans(),
    new_for_immediate=st.booleans(),
    new_awaits_venue=st.booleans(),
    replace_below_cum_qty=st.sampled_from(BelowCumQty),
    chained_replaces=st.sampled_from(ChainedReplace),
    filled_is_final=st.booleans(),
    cancel_on_disconnect=st.booleans(),
)
VENUES = st.builds(VenueProfile, mass_status=st.booleans(), canceled_is_final=st.booleans())


def laws(desk: Desk) -> None:
    check_state(desk.world.state, desk.stubborn)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS, CLIENTS, VENUES, VENUES)
def test_any_traffic_under_any_profile_keeps_every_law(
    acts: list[tuple[int, int]],
    client: ClientProfile,
    first: VenueProfile,
    second: VenueProfile,
) -> None:
    clients = {**REFERENCE.clients, "ALPHA": replace(REFERENCE.clients["ALPHA"], profile=client)}
    venues = {
        name: replace(REFERENCE.venues[name], profile=profile)
        for name, profile in (("XA", first), ("XB", second))
    }
    desk = Desk(laws, replace(REFERENCE, clients=clients, venues=venues))
    for kind, n in acts:
        desk.act(kind, n)
    check_same(desk.world.state, desk.world.replayed())
    desk.settle()
    check_same(desk.world.state, desk.world.replayed())
    state = desk.world.state
    for venue in desk.venues:
        for standing in venue.orders:
            child = state.child_of(venue.name, standing.cl_ord_id)
            if child is not None:  # else of an earlier date, forgotten
                assert child.cum_qty == standing.cum_qty, (child, standing)
                assert child.leaves_qty == standing.leaves_qty, (child, standing)
