"""The core killed amid replace chains, cancels, mass cancels and disputes: each answered once."""

import random
from pathlib import Path

import pytest

from oms.audit.verify import verify
from tests.support.desk import CLIENTS, desk_with_exchange
from tests.support.ledger import settle
from tests.support.request_ledger import RequestLedger, act_and_kill, compare_terms

KILLS = 4
PROFILE = '[clients.profile]\nchained_replaces = "QUEUE"\n'


@pytest.mark.timeout(300)
def test_kills_amid_requests_of_every_kind(tmp_path: Path, database_url: str) -> None:
    random_ = random.Random(8)
    with desk_with_exchange(tmp_path, database_url) as (desk, exchange):
        # One client's replaces wait for each other, the other one's are refused meanwhile.
        mark = "allow_reset = false\n"
        text = desk.config.read_text()
        assert mark in text
        desk.config.write_text(text.replace(mark, mark + PROFILE, 1))
        desk.start_core()
        ledgers = [RequestLedger(name) for name in CLIENTS]
        for _ in range(KILLS):
            act_and_kill(desk, ledgers, random_)
            settle(desk, exchange, ledgers, lambda: compare_terms(desk, exchange, ledgers))
        for ledger in ledgers:
            assert set(ledger.asked.values()) == {"F", "G"}
            assert ledger.disputed
            assert ledger.affected()
        chained = "SELECT count(*) FROM journal WHERE type = 'ReplacePending' AND "
        waited = "convert_from(payload, 'UTF8')::json ->> 'waits' = 'true'"
        assert desk.rows(chained + waited) != [(0,)], "no replace waited for another"
        assert desk.stop_core() == 0
        report = verify(database_url)
        assert report.ok, (report.faults, report.differences)
