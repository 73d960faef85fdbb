"""Commands of operators and jobs in the inbox: once for each key, by the same rule as REST's."""

import asyncio
from datetime import date

import pytest

from oms.api.connections import Connections
from oms.api.handover import hand_over
from oms.domain.commands import Channel, CloseTradingDay, Origin
from oms.jobs.core_commands import send
from oms.jobs.once import jobs_engine
from oms.store.inbox_content import KeyTaken

DAY = date(2026, 1, 2)


def close(trade_date: str, *, user: str = "jobs", received_at: int = 0) -> CloseTradingDay:
    origin = Origin(channel=Channel.SYSTEM, counterparty="jobs", user=user, received_at=received_at)
    return CloseTradingDay(origin=origin, trade_date=trade_date)


def test_a_command_sent_again_is_the_one_that_was_sent(database_url: str) -> None:
    engine = jobs_engine(database_url)
    first = send(engine, close("2026-01-02"), key="eod", scope="2026-01-02")
    later = close("2026-01-02", user="another", received_at=7)
    assert send(engine, later, key="eod", scope="2026-01-02") == first


def test_a_key_used_for_another_content_is_refused(database_url: str) -> None:
    engine = jobs_engine(database_url)
    send(engine, close("2026-01-02"), key="eod", scope="2026-01-02")
    with pytest.raises(KeyTaken, match="was used for another CloseTradingDay or with other"):
        send(engine, close("2026-01-05"), key="eod", scope="2026-01-02")


def test_both_ways_into_the_inbox_know_each_others_commands(database_url: str) -> None:
    number = send(jobs_engine(database_url), close("2026-01-02"), key="eod", scope=DAY.isoformat())

    async def over_rest(command: CloseTradingDay) -> tuple[int, bool]:
        connections = Connections(database_url)
        try:
            found, repeated = await hand_over(connections, command, "eod", DAY)
        finally:
            await connections.close()
        return found.id, repeated

    assert asyncio.run(over_rest(close("2026-01-02"))) == (number, True)
    with pytest.raises(KeyTaken):
        asyncio.run(over_rest(close("2026-01-05")))
