"""Whatever clients, venues, the network and crashes do: the laws hold and all is answered."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.desk_model import ACTIONS, Desk
from tests.support.invariants import check_packing, check_same, check_state

ACTS = st.lists(
    st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, 999)), min_size=40, max_size=200
)


# A cancel that comes while its child's replace is in doubt, which the venue then refuses.
REFUSED_AMID_A_CANCEL = [
    *([(0, 0)] + [(20, 0)] * 6 + [(42, 1), (165, 0)] + [(0, 0)] * 4 + [(20, 0)] * 2 + [(190, 0)]),
    *([(0, 0)] * 14 + [(42, 3), (42, 1), (82, 1), (191, 0), (28, 1), (42, 1), (42, 1), (42, 1)]),
    *[(189, 0), (20, 1)],
]


def laws(desk: Desk) -> None:
    check_state(desk.world.state, desk.stubborn)
    check_packing(desk.world.state)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
@example(REFUSED_AMID_A_CANCEL)
def test_any_traffic_keeps_every_law_and_settles(acts: list[tuple[int, int]]) -> None:
    desk = Desk(laws)
    for kind, n in acts:
        desk.act(kind, n)
    check_same(desk.world.state, desk.world.replayed())
    desk.settle()
    check_same(desk.world.state, desk.world.replayed())
    _all_agree(desk)


def _all_agree(desk: Desk) -> None:
    state = desk.world.state
    assert dict(desk.answers) == dict.fromkeys(desk.asked, 1)
    for venue in desk.venues:
        for standing in venue.orders:
            child = state.child_of(venue.name, standing.cl_ord_id)
            if child is None:
                continue  # of an earlier date, forgotten
            assert child.cum_qty == standing.cum_qty, (child, standing)
            assert child.leaves_qty == standing.leaves_qty, (child, standing)
    if desk.orphans:
        return  # busts of what was forgotten two dates later
    for (account, _), position in state.positions.items():
        traded = sum(
            standing.side.sign * quantity
            for venue in desk.venues
            for standing in venue.orders
            for quantity, _ in standing.trades.values()
        )
        assert account == "A1"
        assert position.quantity == traded
