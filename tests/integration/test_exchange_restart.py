"""A venue that is stopped, killed at any moment, or started wrongly."""

import json
import os
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ems.simulator.statements import utc_date
from fix_sessions.exchange import clock_us
from fix_sessions.exchange_config import ExchangeConfigError, config_from
from fix_sessions.exchange_durable import DurableVenue
from fix_sessions.exchange_log import CommandLog, LogError, Sent
from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from tests.integration.exchange_process import (
    VenueProcess,
    cancel_fields,
    client,
    order_fields,
    reports,
    running,
    values,
    values_of,
    wait_report,
)
from tests.support.processes import eventually

LOG = Path("venue/commands.jsonl")


def fills_of(messages: list[Message]) -> dict[str, tuple[str | None, ...]]:
    """Trade reports by ExecID; a repeated one must say the same."""
    found: dict[str, tuple[str | None, ...]] = {}
    for message in messages:
        if message.msg_type == "8" and message.get(150) == "F":
            fill = tuple(values(message, 11, 32, 31, 14))
            assert found.setdefault(message.get(17) or "", fill) == fill
    return found


def test_an_orderly_stop_logs_out_and_writes_the_files(tmp_path: Path) -> None:
    with running(tmp_path) as venue, Hub() as hub:
        peer = client(hub, venue.port)
        peer.send("D", order_fields("A", "1", "100"))
        peer.send("D", order_fields("B", "2", "60"))
        wait_report(peer, "A", "F")
        os.kill(venue.pid, signal.SIGTERM)
        peer.wait_for(lambda m: m.msg_type == "5")
        peer.wait_until(lambda: not peer.is_connected)
        assert venue.wait() == (0, "")
        day = utc_date(clock_us())
        trades = tmp_path / f"venue/files/XSIM-{day}.csv"
        assert trades.read_text().splitlines()[-1] == "TRAILER,2"


def test_the_files_of_a_date_are_there_when_it_is_over(tmp_path: Path) -> None:
    """Whoever reconciles at night waits for them."""
    turned = tmp_path / "the date has turned"
    prelude = f"""
from pathlib import Path
from fix_sessions import exchange
of_the_day = exchange.clock_us
exchange.clock_us = lambda: of_the_day() + 86_400_000_000 * Path({str(turned)!r}).exists()
"""
    venue = VenueProcess(values_of(tmp_path), prelude)
    day = utc_date(clock_us())
    try:
        venue.start()
        turned.touch()
        files = [tmp_path / f"venue/files/XSIM-{day}{kind}.csv" for kind in ("", "-orders")]
        eventually(lambda: all(one.exists() for one in files), "the files of the day")
        assert venue.signal(signal.SIGTERM) == (0, "")
    finally:
        venue.end()


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(tmp_path) as venue, Hub() as hub:
        peer = client(hub, venue.port)
        peer.send("D", order_fields("A", "1", "100"))
        peer.send("D", order_fields("B", "2", "60"))
        wait_report(peer, "A", "F")
        with venue.control() as control:
            before = (control.orders(), control.trades(), control.stats()["orders_by_status"])
            control.reject_next(1)
        venue.kill()
        peer.wait_until(lambda: not peer.is_connected)
        venue.start()
        with venue.control() as control:
            stats = control.stats()
            assert (control.orders(), control.trades(), stats["orders_by_status"]) == before
            assert control.faults()["reject_next"] == 1
        peer.reconnect()
        peer.send("D", order_fields("C", "2", "10"))
        assert wait_report(peer, "C", "8").get(103) == "0"
        peer.send("D", order_fields("D", "2", "40"))
        fill = wait_report(peer, "D", "F")
        assert values(wait_report(peer, "A", "F", since=len(peer.messages) - 2), 14) == ["100"]
        ids = [message.get(17) for message in reports(peer)]
        assert len(set(ids)) == len(ids)
        assert fill.get(17) in ids


def test_what_did_not_leave_leaves_after_the_restart_marked_as_resent(tmp_path: Path) -> None:
    with running(tmp_path) as venue, Hub() as hub:
        peer = client(hub, venue.port)
        with venue.control() as control:
            control.delay(60_000)
            control.drop_acks_next(1)
            peer.send("D", order_fields("A"))
            peer.send("D", order_fields("B"))
            hub.wait_until(lambda: control.stats()["orders"] == 2, 10, "both orders")
            control.delay(0)
        venue.kill()
        peer.wait_until(lambda: not peer.is_connected)
        venue.start()
        peer.reconnect()
        ack = wait_report(peer, "B", "0")
        assert ack.get(97) == "Y"
        peer.send("D", order_fields("C"))
        assert wait_report(peer, "C", "0").get(97) is None
        assert [m.get(11) for m in reports(peer)] == ["B", "C"]
        with venue.control() as control:  # by now the log knows that C has left
            assert control.stats()["waiting"] == 0
        venue.kill()
        peer.wait_until(lambda: not peer.is_connected)
        venue.start()
        peer.reconnect()
        peer.send("D", order_fields("D"))
        wait_report(peer, "D", "0")
        assert [m.get(11) for m in reports(peer)] == ["B", "C", "D"]


class _Flow:
    """A seeded stream of orders and cancels by one client, sent again after every crash."""

    def __init__(self, peer: LightPeer, seed: int) -> None:
        self._peer = peer
        self._rng = random.Random(seed)
        self._sent: list[tuple[str, str]] = []
        self.orders = 0

    def send(self, count: int) -> None:
        for _ in range(count):
            self.orders += 1
            name = f"O{self.orders}"
            side = self._rng.choice("12")
            if self._sent and self._rng.random() < 0.2:
                orig, orig_side = self._rng.choice(self._sent)
                self._peer.send("F", cancel_fields(name, orig, orig_side))
                continue
            price = f"{self._rng.randint(9998, 10002) / 100:.2f}"
            qty = str(self._rng.randint(1, 50))
            self._peer.send("D", order_fields(name, side, qty, price=price))
            self._sent.append((name, side))


def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    liquidity = {"depth": 2, "min_lots": 5, "max_lots": 20}
    rng = random.Random(4)
    with running(tmp_path, liquidity=liquidity) as venue, Hub() as hub:
        settings = LightSettings(sender_comp_id="OMS", target_comp_id="XSIM", heartbeat_s=10)
        peer = hub.client("127.0.0.1", venue.port, settings)
        peer.logon()
        flow = _Flow(peer, seed=9)
        for _ in range(8):
            flow.send(150)
            goal = len(reports(peer)) + rng.randint(1, 150)
            peer.wait_until(lambda goal=goal: len(reports(peer)) >= goal)  # type: ignore[misc]
            venue.kill()
            peer.wait_until(lambda: not peer.is_connected)
            venue.start()
            peer.reconnect()
        last = f"O{flow.orders}"
        peer.wait_until(lambda: any(m.get(11) == last for m in peer.messages))
        with venue.control() as control:
            peer.wait_until(lambda: control.stats()["waiting"] == 0)
            trades, orders = control.trades(), control.orders()
        peer.send("1", [(112, "end")])
        peer.wait_for(lambda m: m.get(112) == "end")
        _check(peer.messages, trades, orders)
        venue.kill()
        venue.start()
        with venue.control() as control:
            assert control.trades() == trades
            assert control.orders() == orders


def _check(
    messages: list[Message], trades: list[dict[str, str]], orders: list[dict[str, str]]
) -> None:
    heard = fills_of(messages)
    made = {trade["exec_id"]: trade for trade in trades}
    assert set(heard) == set(made)
    for exec_id, (cl_ord_id, qty, price, _) in heard.items():
        trade = made[exec_id]
        assert (cl_ord_id, qty, price) == (
            trade["cl_ord_id"],
            trade["last_qty"],
            trade["last_px"],
        )
    sent = Counter(order["cl_ord_id"] for order in orders)
    assert max(sent.values()) == 1
    assert len(made) > 100
    answered = {m.get(11) for m in messages if m.msg_type in {"8", "9"}}
    assert {order["cl_ord_id"] for order in orders} <= answered


def started_log(tmp_path: Path) -> dict[str, Any]:
    """The configuration of a venue that has taken three orders."""
    with running(tmp_path) as venue, Hub() as hub:
        peer = client(hub, venue.port)
        for name in ("A", "B", "C"):
            peer.send("D", order_fields(name))
        wait_report(peer, "C", "0")
        venue.kill()
        return venue.values


def test_a_torn_last_line_is_dropped_or_refused_as_configured(tmp_path: Path) -> None:
    values = started_log(tmp_path)
    path = tmp_path / LOG
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"n":99,"at":1')
    with pytest.raises(LogError, match=r"line \d+: .*torn_tail = refuse"):
        DurableVenue(config_from(values | {"torn_tail": "refuse"}), clock_us())
    durable = DurableVenue(config_from(values), clock_us())
    assert len(list(durable.venue.orders)) == 3
    durable.close()
    assert path.read_bytes() == whole


def test_a_log_cut_at_any_byte_recovers_to_a_prefix(tmp_path: Path) -> None:
    values = started_log(tmp_path)
    path = tmp_path / LOG
    whole = path.read_bytes()
    found = set()
    for length in range(len(whole), whole.index(b"\n"), -37):
        path.write_bytes(whole[:length])
        durable = DurableVenue(config_from(values), clock_us())
        found.add(tuple(order.cl_ord_id for order in durable.venue.orders))
        durable.close()
    assert found == {(), ("A",), ("A", "B"), ("A", "B", "C")}


def test_damage_before_the_end_is_refused_with_its_line(tmp_path: Path) -> None:
    values = started_log(tmp_path)
    path = tmp_path / LOG
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], *lines[2:]]))
    with pytest.raises(LogError, match="line 2: n is 3, not 2"):
        DurableVenue(config_from(values), clock_us())


def test_a_log_belongs_to_one_venue_and_one_process(tmp_path: Path) -> None:
    values = started_log(tmp_path)
    with pytest.raises(LogError, match="made with seed 1, not 2"):
        DurableVenue(config_from(values | {"seed": 2}), clock_us())
    held = DurableVenue(config_from(values), clock_us())
    with pytest.raises(LogError, match="another venue process"):
        DurableVenue(config_from(values), clock_us())
    held.close()


def test_sent_numbers_are_kept_as_ranges(tmp_path: Path) -> None:
    log = CommandLog(tmp_path / "log")
    log.append_sent([3, 1, 2, 7, 9, 8])
    log.close()
    log = CommandLog(tmp_path / "log")
    assert list(log.read()) == [Sent(ranges=((1, 3), (7, 9)))]
    log.close()


def test_a_port_in_use_is_one_line_and_exit_code_4(tmp_path: Path) -> None:
    with running(tmp_path) as venue:
        for key, port in (("port", venue.port), ("control_port", venue.control_port)):
            other = VenueProcess(values_of(tmp_path / key))
            setattr(other, key, port)
            with pytest.raises(
                RuntimeError, match=rf"did not start: venue XSIM: .*{port}"
            ) as error:
                other.start()
            assert len(str(error.value).splitlines()) == 1
            assert other.wait()[0] == 4


def test_a_damaged_log_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    values = started_log(tmp_path)
    (tmp_path / LOG).write_bytes(b"nonsense\n{}\n")
    other = VenueProcess(values)
    with pytest.raises(RuntimeError, match=r"did not start: venue XSIM: .*line 1: ") as error:
        other.start()
    assert len(str(error.value).splitlines()) == 1
    assert other.wait()[0] == 1


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"colour": 1}, "colour: unknown"),
        ({"name": ""}, "name: missing"),
        ({"name": "a/b"}, "name: 'a/b'"),
        ({"port": 70000}, "port: 70000"),
        ({"target_comp_ids": "OMS"}, "target_comp_ids: 'OMS'"),
        ({"seed": -1}, "seed: -1"),
        ({"trade_file": "same.csv"}, "trade_file: 'same.csv'"),
        ({"order_file": "{venue}-{date}.csv"}, "order_file: "),
        ({"torn_tail": "keep"}, "torn_tail: 'keep'"),
        ({"symbols": [{"symbol": "A", "reference_price": "-1"}]}, "symbols.A.reference_price"),
        ({"symbols": [{"symbol": "A", "reference_price": 1.5}]}, "symbols.A.reference_price"),
        ({"symbols": [{"reference_price": "1"}]}, "symbols.symbol"),
        ({"liquidity": {"depth": -1}}, "liquidity.depth: -1"),
        ({"liquidity": {"min_lots": 9, "max_lots": 3}}, "liquidity.min_lots: 9"),
        ({"liquidity": {"colour": 3}}, "liquidity.colour: unknown"),
    ],
)
def test_a_wrong_configuration_is_named(
    tmp_path: Path, wrong: dict[str, object], text: str
) -> None:
    with pytest.raises(ExchangeConfigError, match=text.split(" ", maxsplit=1)[0]) as error:
        config_from(json.loads(json.dumps(values_of(tmp_path))) | wrong)
    assert text in str(error.value)
