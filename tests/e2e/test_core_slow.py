"""Counterparties that are slow, silent or stuck, and what the core's metrics say of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.support.desk import (
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)

PER_SECOND = 5


class Bench:
    """A desk with a light venue; its core runs and the venue is in step."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        desk.start_core()
        self.client = desk.client()
        answer_resync(desk, venue)

    def order(self) -> str:
        fields = new_order()
        self.client.send("D", fields)
        report_of(self.client, cl_ord_id(fields), "0")
        return cl_ord_id(fields)

    def at_venue(self, msg_type: str, since: int = 0) -> list[Message]:
        return [one for one in self.venue.messages[since:] if one.msg_type == msg_type]

    def metric(self, name: str, **labels: str) -> float:
        return self.desk.metric(name, **labels)

    def until_metric(self, name: str, value: float, **labels: str) -> None:
        what = f"{name} {labels} to be {value}"
        self.desk.until(lambda: self.metric(name, **labels) == value, what)

    def acknowledge(self, child: str) -> None:
        fields = [(37, f"V-{child}"), (11, child), (17, f"A-{child}"), (150, "0"), (39, "0")]
        fields += [(55, "ACME"), (54, "1"), (38, "100"), (14, "0"), (151, "100"), (6, "0")]
        self.venue.send("8", fields)


@contextmanager
def bench_with(directory: Path, url: str, more: str = "") -> Iterator[Bench]:
    with desk_with_light_venue(directory, url) as (desk, venue):
        text = desk.config.read_text()
        desk.config.write_text(
            text.replace("ack_timeout_ms = 1000\n", f"ack_timeout_ms = 1000\n{more}")
        )
        yield Bench(desk, venue)


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    with bench_with(tmp_path, database_url) as found:
        yield found


def test_a_venue_that_says_nothing_makes_orders_unknown_until_it_speaks(bench: Bench) -> None:
    bench.order()
    child = bench.venue.wait_for(lambda m: m.msg_type == "D", 30.0).get(11) or ""
    bench.until_metric("unknown_orders", 1)
    assert bench.metric("events_total", type="OrderInDoubt") == 1
    bench.desk.until(lambda: len(bench.at_venue("H")) >= 2, "questions, again and again")
    first, second = bench.at_venue("H")[:2]
    assert (first.get(11), second.get(11)) == (child, child)
    assert sent_at(second) - sent_at(first) > timedelta(seconds=1.5), "it is asked at leisure"
    assert len(bench.at_venue("D")) == 1, "nothing is sent again on suspicion"
    bench.acknowledge(child)
    bench.until_metric("unknown_orders", 0)
    assert bench.metric("open_orders") == 2


def test_a_venue_that_takes_no_logon_holds_nobody_up(bench: Bench) -> None:
    on_logon = bench.venue.session._on_logon
    bench.venue.session._on_logon = unanswered  # type: ignore[method-assign]
    seen = len(bench.venue.messages)
    bench.venue._drop("the test")
    bench.until_metric("session_up", 0, session="XSIM")
    bench.desk.until(lambda: bench.at_venue("A", seen), "the core to try")
    name = bench.order()
    for _ in range(20):
        bench.order()
    bench.until_metric("held_orders", 21)
    bench.until_metric("session_up", 1, session="ALPHA")
    bench.venue.session._on_logon = on_logon  # type: ignore[method-assign]
    bench.venue._drop("the test")
    seen = len(bench.venue.messages)
    answer_resync(bench.desk, bench.venue, seen)
    bench.desk.until(
        lambda: len({m.get(11) for m in bench.at_venue("D")}) == 21, "the orders that waited"
    )
    bench.until_metric("session_ready", 1, session="XSIM")
    assert name in {m.get(11) for m in bench.client.messages}


def test_a_client_that_does_not_read_holds_nobody_up(bench: Bench) -> None:
    other = bench.desk.client("BETA")
    bench.client.reads = False
    for _ in range(300):
        bench.client.send("D", new_order())
    fields = new_order(t1="BETA-1")
    other.send("D", fields)
    report_of(other, cl_ord_id(fields), "0")
    bench.client.reads = True
    bench.client._watch()
    bench.desk.until(
        lambda: len({m.get(37) for m in bench.client.messages if m.msg_type == "8"}) == 300,
        "all reports once it reads again",
    )


@pytest.mark.timeout(120)
def test_a_throttle_holds_and_loses_nothing_when_the_core_is_killed(
    tmp_path: Path, database_url: str
) -> None:
    more = f"max_messages_per_second = {PER_SECOND}\n"
    with bench_with(tmp_path, database_url, more) as bench:
        names = [cl_ord_id(fields) for fields in (new_order() for _ in range(15))]
        for name in names:
            bench.client.send("D", new_order(t11=name))
        for name in names:
            report_of(bench.client, name, "0")
        assert len(bench.at_venue("D")) <= 2 * PER_SECOND
        seen = len(bench.venue.messages)
        bench.desk.kill_core()
        bench.desk.start_core()
        bench.desk.client()
        rows = bench.desk.rows("SELECT order_id FROM child_orders")
        children = {str(row[0]) for row in rows}
        assert len(children) == 15
        known: set[str] = set()
        position = 0

        def everywhere() -> bool:
            """The venue answers what it is asked: it knows the orders that have come."""
            nonlocal position
            for message in bench.venue.messages[position:]:
                name = message.get(11) or ""
                if message.msg_type == "D":
                    assert name not in known or message.get(97) == "Y", "doubled"
                    known.add(name)
                    bench.acknowledge(name)
                elif message.msg_type == "H":
                    answer(bench, name, name in known)
                elif message.msg_type == "AF" and position >= seen:
                    answer_resync(bench.desk, bench.venue, bench.venue.messages.index(message))
            position = len(bench.venue.messages)
            return known == children

        bench.desk.until(everywhere, "every order to reach the venue")
        times = [sent_at(one) for one in bench.venue.messages if one.msg_type in ("D", "H", "AF")]
        for first, later in zip(times, times[2 * PER_SECOND + 1 :], strict=False):
            assert later - first > timedelta(seconds=0.5), "faster than the venue allows"


def unanswered(message: Message) -> None:
    assert message.msg_type == "A"


def sent_at(message: Message) -> datetime:
    """By the core's own clock."""
    return datetime.strptime(message.get(52) or "", "%Y%m%d-%H:%M:%S.%f").replace(tzinfo=UTC)


def answer(bench: Bench, child: str, known: bool) -> None:
    """To an OrderStatusRequest."""
    status = [(39, "0"), (14, "0"), (151, "100")]
    unknown = [(39, "8"), (103, "5"), (14, "0"), (151, "0")]
    fields = [(37, f"V-{child}"), (11, child), (17, "0"), (150, "I"), (55, "ACME"), (54, "1")]
    bench.venue.send("8", [*fields, *(status if known else unknown), (6, "0")])


def test_every_metric_moves(bench: Bench) -> None:
    bench.order()
    bench.client.send("D", new_order(t44="100.001"))
    bench.client.send("D", new_order(t54=""))
    bench.until_metric("refusals_total", 1, reason="OFF_TICK")
    bench.until_metric("refusals_total", 1, reason="SESSION_REJECT")
    bench.until_metric("session_up", 1, session="ALPHA")
    bench.until_metric("session_up", 0, session="BETA")
    bench.until_metric("session_ready", 1, session="XSIM")
    bench.until_metric("unknown_orders", 1)
    bench.until_metric("journal_lag_entries", 0)
    assert bench.metric("commands_total", type="NewOrderSingle") == 2
    assert bench.metric("events_total", type="OrderAccepted") == 1
    for name in (
        "batch_entries_count",
        "batch_entries_sum",
        "commit_seconds_sum",
        "received_to_handed_over_seconds_count",
        "received_to_durable_seconds_sum",
        "durable_to_sent_seconds_sum",
        "effects_sent_total",
        "journal_seq",
        "open_orders",
        "leader_epoch",
        "recovery_seconds",
    ):
        assert bench.metric(name) > 0, name
    assert bench.metric("queue_depth") >= 0
    bench.client.kill()
    bench.until_metric("session_up", 0, session="ALPHA")
    assert bench.metric("journal_seq") == bench.desk.rows("SELECT max(seq) FROM journal")[0][0]


def test_session_rejects_both_ways_are_counted_by_reason(bench: Bench) -> None:
    client = bench.client
    client.send("D", new_order(t54="Z"))
    client.wait_for(lambda m: m.msg_type == "3" and m.get(372) == "D")
    bench.until_metric("refusals_total", 1, reason="SESSION_REJECT")
    client.send("3", [(45, "1"), (372, "8"), (58, "not understood")])
    bench.until_metric("refusals_total", 1, reason="REFUSED_BY_PEER")
    client.send("4", [(36, "1")])  # a reset backwards: QuickFIX itself rejects it
    client.wait_for(lambda m: m.msg_type == "3" and m.get(372) == "4")
    bench.until_metric("refusals_total", 2, reason="SESSION_REJECT")
    bench.order()
    assert bench.metric("refusals_total", reason="MESSAGE_REFUSED") == 0
