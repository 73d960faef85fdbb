"""ResendRequests to a core: the journal has what was sent, whatever became of core and numbers."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import LightPeer
from tests.support.desk import (
    PASSWORD,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)

ROUNDS = 8
# What the session layer gives a message anew when it is resent.
_NEW_TAGS = frozenset({9, 10, 43, 52, 122})


class Bench:
    """A desk with a light venue that answers nothing, and a client with all it has received."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        desk.start_core()
        self.client = desk.client("BETA")
        answer_resync(desk, venue)

    def orders(self, count: int) -> list[str]:
        """Sent in one go; their ClOrdIDs."""
        orders = [new_order(t1="BETA-1") for _ in range(count)]
        for fields in orders:
            self.client.send("D", fields)
        return [cl_ord_id(fields) for fields in orders]

    def told(self, count: int) -> None:
        """Orders that the client is told of, which is in the journal."""
        for name in self.orders(count):
            report_of(self.client, name, "0")
        self.noted("BETA", max(self.reports()))

    def noted(self, session: str, number: int) -> None:
        query = "SELECT coalesce(max(msg_seq_num), 0) FROM fix_messages WHERE session = %s AND "
        query += "direction = 'out' AND epoch = (SELECT epoch FROM sessions WHERE name = %s)"
        self.desk.until(
            lambda: self.desk.rows(query, session, session)[0][0] == number,
            f"{number} to be noted as the last one sent",
        )

    def reports(self) -> dict[int, Message]:
        """What the client has been told the first time, by MsgSeqNum, since it logged on first."""
        found: dict[int, Message] = {}
        for m in self.client.messages:
            if m.msg_type == "8" and not m.poss_dup:
                found[m.seq] = m
        return found

    def until_next(self, number: int) -> None:
        """Until the client expects this number, or a later one."""
        self.desk.until(lambda: self.client.session.next_in >= number, f"{number - 1} to come")

    def ask(self, begin: int) -> dict[int, Message]:
        """What comes again, from there to the end, by MsgSeqNum."""
        client = self.client
        seen, last = len(client.messages), client.session.next_in
        client.session.next_in = begin
        client.send("2", [(7, str(begin)), (16, "0")])
        self.desk.until(lambda: client.session.next_in >= last, "the resend to end")
        return {m.seq: m for m in client.messages[seen:] if m.poss_dup and m.msg_type == "8"}

    def restart(self) -> None:
        seen = len(self.venue.messages)
        self.desk.kill_core()
        self.desk.start_core()
        self.desk._clients["BETA"] = self.client
        self.client = self.desk.client("BETA")
        answer_resync(self.desk, self.venue, seen)

    def reset(self) -> None:
        """The client starts over at 1, both ways."""
        self.client.kill()
        settings = LightSettings(
            sender_comp_id="BETA",
            target_comp_id="PLUMBLINE",
            username="BETA",
            password=PASSWORD,
            heartbeat_s=10,
            reset_on_logon=True,
        )
        self.client = self.desk.hub.client("127.0.0.1", self.desk.port, settings)
        self.client.logon()
        plain = self.desk._clients["BETA"].session.settings
        self.client.session.settings = plain


def is_the_same(again: Message, first: Message) -> bool:
    def rest(m: Message) -> list[tuple[int, str]]:
        return [one for one in m.fields if one[0] not in _NEW_TAGS]

    return rest(again) == rest(first) and again.get(122) == first.get(52)


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    with desk_with_light_venue(tmp_path, database_url) as (desk, venue):
        yield Bench(desk, venue)


def test_every_report_comes_again_however_young_it_is(bench: Bench) -> None:
    session = bench.client.session
    for number in range(ROUNDS):
        before = session.next_in
        bench.orders(20)
        # Some of the reports have just come: hardly any is in the journal.
        bench.until_next(before + 1 + number)
        first = bench.reports()
        again = bench.ask(before)
        young = [one for one in first if one >= before]
        assert young
        for seq in young:
            assert is_the_same(again[seq], first[seq]), str(again.get(seq))
        bench.until_next(before + 20)
    assert sorted(bench.ask(1)) == sorted(bench.reports())


def test_after_a_kill_too_and_after_each_reset_only_what_came_since(bench: Bench) -> None:
    bench.told(3)
    first = bench.reports()
    bench.restart()
    again = bench.ask(1)
    assert sorted(again) == sorted(first)
    assert all(is_the_same(again[seq], first[seq]) for seq in first)
    bench.reset()
    assert bench.ask(1) == {}
    bench.restart()
    assert bench.ask(1) == {}
    bench.told(2)
    bench.restart()
    first, again = bench.reports(), bench.ask(1)
    assert sorted(again) == sorted(first)
    assert all(is_the_same(again[seq], first[seq]) for seq in first)


def test_a_reset_of_the_clients_numbers_alone_leaves_ours_to_ask_for(bench: Bench) -> None:
    bench.told(3)
    bench.client.send("4", [(123, "N"), (36, "500")])
    bench.client.session.next_out = 500
    bench.told(2)
    first = bench.reports()
    assert sorted(bench.ask(1)) == sorted(first)
    bench.restart()
    again = bench.ask(1)
    assert sorted(again) == sorted(first)
    assert all(is_the_same(again[seq], first[seq]) for seq in first)


@pytest.mark.parametrize("killed", [False, True], ids=["core runs", "core killed"])
def test_an_order_that_a_venue_did_not_read_comes_again(bench: Bench, killed: bool) -> None:
    seen = len(bench.venue.messages)
    bench.venue.reads = False
    bench.told(1)
    order = bench.desk.rows(
        "SELECT msg_seq_num FROM fix_messages WHERE msg_type = 'D' AND "
        "session = 'XSIM' AND direction = 'out'"
    )
    bench.venue.kill()
    bench.venue.reads = True
    if killed:
        bench.desk.kill_core()
        bench.desk.start_core()
    bench.venue.listen()
    bench.desk.until(lambda: bench.venue.is_logged_on, "the venue to be back")
    again = bench.venue.wait_for(lambda m: m.msg_type == "D", 30.0, seen)
    assert [(again.seq,)] == order
    assert again.poss_dup


def test_thousands_of_reports_that_a_client_was_away_for(bench: Bench) -> None:
    bench.client.reads = False
    names = bench.orders(1_500)
    bench.desk.until(lambda: noted_reports(bench) == len(names), "all reports to be sent")
    bench.client.kill()
    bench.client.reads = True
    bench.desk.client("BETA")
    report_of(bench.client, names[-1], "0")
    told = [m.get(11) for m in bench.client.messages if m.msg_type == "8"]
    assert told == names


def noted_reports(bench: Bench) -> object:
    [(count,)] = bench.desk.rows(
        "SELECT count(*) FROM fix_messages WHERE session = 'BETA' AND direction = 'out'"
    )
    return count


def test_what_the_database_does_not_give_is_not_passed_over(bench: Bench) -> None:
    bench.told(2)
    first = bench.reports()
    with psycopg.connect(bench.desk.database_url) as connection:
        connection.execute("LOCK TABLE sent_notes IN ACCESS EXCLUSIVE MODE")
        bench.client.send("2", [(7, "1"), (16, "0")])
        logout = bench.client.wait_for(lambda m: m.msg_type == "5", 30.0)
        text = "what was sent cannot be read now: log on again, and ask again"
        assert (logout.get(58) or "").endswith(text)
        bench.desk.until(lambda: not bench.client.is_connected, "the session to end")
    bench.desk.client("BETA")
    assert sorted(bench.ask(1)) == sorted(first)
    assert "fix.resend_unavailable" in bench.desk.log()
