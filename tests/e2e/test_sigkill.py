"""The core killed with SIGKILL under load, again and again: nothing lost, nothing doubled.

After each kill the three who know something are compared order by order: the clients by the reports
they got, the journal's read tables, the venue by its own book of orders and trades.
"""

import random
from pathlib import Path

import pytest

from tests.support.desk import CLIENTS, desk_with_exchange
from tests.support.ledger import Ledger, send_some, settle

KILLS = 20


@pytest.mark.timeout(600)
def test_twenty_kills_under_load_lose_and_double_nothing(tmp_path: Path, database_url: str) -> None:
    random_ = random.Random(20)
    with desk_with_exchange(tmp_path, database_url) as (desk, exchange):
        desk.start_core()
        ledgers = [Ledger(name) for name in CLIENTS]
        for _ in range(KILLS):
            send_some(desk, ledgers, random_)
            settle(desk, exchange, ledgers)
        assert desk.stop_core() == 0
        for ledger in ledgers:
            assert ledger.sent
