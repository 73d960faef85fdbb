"""The soak's configuration without one of its clients."""

from pathlib import Path

import pytest

from oms.settings.load import load
from oms.soak.absences import WHO, without
from oms.soak.site import CLIENTS, VENUES, Place, Site, furnish, new_api_keys


@pytest.fixture
def site(tmp_path: Path) -> Site:
    place = Place(host="127.0.0.1", port=7001)
    places = {name: Place(host="127.0.0.1", port=7002 + at) for at, name in enumerate(VENUES)}
    made = Site(
        home=tmp_path / "home",
        disk=tmp_path / "disk",
        server=place,
        entrance=place,
        venues=places,
        exits=places,
        controls=dict.fromkeys(VENUES, 7010),
        api=Place(host="127.0.0.1", port=7020),
        jobs_port=7021,
        seed=1,
        password="of-the-soak",
        api_keys=new_api_keys(),
    )
    furnish(made)
    return made


def test_all_is_there_but_that_client_and_its_key(site: Site) -> None:
    whole = load(site.config)
    text = site.config.read_text()
    site.config.write_text(without(text, WHO))
    left = load(site.config)
    assert [one.name for one in whole.clients] == list(CLIENTS)
    others = [name for name in CLIENTS if name != WHO]
    assert [one.name for one in left.clients] == others
    assert [one.client for one in left.api.keys] == others
    gone = {"clients": whole.clients, "api": whole.api}
    assert left.model_copy(update=gone) == whole


def test_a_client_that_is_not_there_cannot_be_taken_out(site: Site) -> None:
    with pytest.raises(AssertionError, match="DELTA: its table and its key's"):
        without(site.config.read_text(), "DELTA")
