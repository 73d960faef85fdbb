"""The bench's own machinery over real TCP: every order is counted once, and trouble is named."""

from collections.abc import Iterator

import pytest

from fix_sessions.light_session import LightSettings
from oms.bench.load import BenchError, Load, OrderShape
from oms.bench.relay import Relay
from oms.bench.venue import Venue

SHAPE = OrderShape(symbols=("AAA", "BBB"), account="ACC")


@pytest.fixture(scope="module", params=["fields", "text"])
def relay(request: pytest.FixtureRequest) -> Iterator[Relay]:
    found = Relay(client_sessions=2, shape=SHAPE, style=request.param)
    yield found
    found.stop()


def test_every_order_reaches_the_venue_and_comes_back_filled(relay: Relay) -> None:
    times = relay.load.run(orders=301, in_flight=16)
    at_venue = relay.venue.times()
    assert len(times.order_out_ns) == len(at_venue.order_in_ns) == 301
    assert all(
        start < end for start, end in zip(times.order_out_ns, times.report_in_ns, strict=True)
    )


def test_one_by_one_the_times_of_an_order_stand_in_order(relay: Relay) -> None:
    relay.venue.times()
    relay.venue.set_style("trade")
    times = relay.load.run(orders=20, in_flight=1, one_by_one=True)
    found = relay.venue.times()
    for stamps in zip(
        times.order_out_ns,
        found.order_in_ns,
        found.report_out_ns,
        times.report_in_ns,
        strict=True,
    ):
        assert list(stamps) == sorted(stamps)


@pytest.fixture
def venue() -> Iterator[Venue]:
    found = Venue(sender_comp_id="V", target_comp_id="C")
    yield found
    found.stop()


@pytest.fixture
def load(venue: Venue) -> Iterator[Load]:
    """A client straight at the venue."""
    sessions = [LightSettings(sender_comp_id="C", target_comp_id="V")]
    found = Load(host="127.0.0.1", port=venue.port, sessions=sessions, shape=SHAPE)
    yield found
    found.close()


def test_a_session_lost_in_mid_run_is_an_error(venue: Venue, load: Load) -> None:
    load.logon()
    assert venue.is_logged_on()
    venue.stop()
    with pytest.raises(BenchError, match="session with V lost in mid-run"):
        load.run(orders=10, in_flight=2)
