"""Reading what was sent: the order path waits for that, so never for a server that is gone."""

import psycopg
import pytest

from oms.store.leader import NOTICED_SOON, acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from oms.store.sent_messages import SentReader, sent_since


def test_connections_that_the_order_path_waits_for_notice_a_server_that_went_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[psycopg.Connection[tuple[object, ...]]] = []
    connect = psycopg.connect

    def noted(*arguments: object, **options: object) -> psycopg.Connection[tuple[object, ...]]:
        made.append(connect(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(psycopg, "connect", noted)
    url = role_url(database_url, APP_ROLE)
    reader = SentReader(url)
    assert list(reader.read("ALPHA", 0, 1, 10)) == []
    wanted = {name: str(value) for name, value in NOTICED_SOON.items()}
    with acquire_leadership(url, shard="main", wait=True, timeout_s=10):
        all_made = [one.info.get_parameters() for one in made]
    # What an earlier test left running may connect meanwhile, as somebody else.
    parameters = [one for one in all_made if one["user"] == APP_ROLE]
    assert len(parameters) == 2
    assert all(wanted.items() <= one.items() for one in parameters)
    reader.close()
    assert sent_since(url, "ALPHA", 0, 0) == []
