"""Stops, good-till orders and cash over FIX/TCP: real cores, a real venue, SIGKILL, a new date."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import LightPeer
from oms.audit.verify import verify
from oms.domain.commands import SYSTEM, Command, OpenTradingDate
from oms.store.codec import encode
from tests.integration.exchange_process import (
    VenueProcess,
    cancel_fields,
    order_fields,
    values_of,
    wait_report,
)
from tests.support.desk import Desk, new_order, report_of

NATIVE = (
    'ord_types = ["MARKET", "LIMIT", "STOP", "STOP_LIMIT"]\n'
    'times_in_force = ["DAY", "GTC", "GTD", "IOC", "FOK", "CLS"]\nabilities = ["MAX_FLOOR"]\n'
)


class TypesDesk(Desk):
    """A desk whose venue is configured to take what `extra` says."""

    extra = ""

    def _toml(self, venue_ports: dict[str, int]) -> str:
        line = "ack_timeout_ms = 1000\n"
        return super()._toml(venue_ports).replace(line, line + self.extra)


class NativeDesk(TypesDesk):
    """The venue takes stops and good-till orders."""

    extra = NATIVE


class Floor:
    """The desk, its venue, and a rival there."""

    def __init__(self, kind: type[Desk], directory: Path, url: str, stack: ExitStack) -> None:
        values = values_of(directory) | {"target_comp_ids": ["OMS", "RIVAL"]}
        self.venue = VenueProcess(values)
        stack.callback(self.venue.end)
        self.venue.start()
        self.desk = kind(directory, url, {"XSIM": self.venue.port})
        stack.callback(self.desk.close)
        settings = LightSettings(sender_comp_id="RIVAL", target_comp_id="XSIM", heartbeat_s=10)
        self.rival = self.desk.hub.client("127.0.0.1", self.venue.port, settings)
        self.rival.logon()
        self.start()

    def start(self) -> None:
        """A core, in step with its venue."""
        query = "SELECT count(*) FROM journal WHERE type = 'ResyncCompleted'"
        [(before,)] = self.desk.rows(query)
        self.desk.start_core()
        self.desk.until(lambda: self.desk.rows(query)[0][0] > before, "the venue in step")  # type: ignore[operator]

    def offer(self, name: str, price: str, qty: str = "100") -> None:
        """The rival offers."""
        self.rival.send("D", order_fields(name, "2", qty, price=price))
        wait_report(self.rival, name, "0")

    def send(self, client: LightPeer, **more: str) -> str:
        """An order of the client; its ClOrdID."""
        fields = new_order(**more)
        client.send("D", fields)
        return dict(fields)[11]

    def command(self, command: Command) -> None:
        """An operator's command, by the inbox."""
        body = encode(command)
        with psycopg.connect(self.desk.database_url) as connection:
            connection.execute(
                "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash) "
                "VALUES ('ALPHA', gen_random_uuid()::text, %s, %s, %s)",
                [type(command).__name__, body, sha256(body).digest()],
            )

    def verified(self) -> None:
        """The tables are what the journal says."""
        report = verify(self.desk.database_url)
        assert report.ok, (report.faults, report.differences)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def told(message: Message, *tags: int) -> list[str | None]:
    return [message.get(tag) for tag in tags]


def test_a_held_stop_outlives_sigkill_and_is_triggered_by_a_quote(
    tmp_path: Path, database_url: str, stack: ExitStack
) -> None:
    floor = Floor(TypesDesk, tmp_path, database_url, stack)
    desk = floor.desk
    floor.offer("S1", "100")
    client = desk.client()
    name = floor.send(client, t40="3", t44="", t99="101")
    assert told(report_of(client, name, "0"), 39, 40, 99) == ["0", "3", "101"]
    held = "SELECT count(*) FROM journal WHERE type = 'OrderHeld'"
    desk.until(lambda: desk.rows(held) == [(1,)], "the stop to be held")
    desk.kill_core()
    floor.start()
    client = desk.client()
    since = len(client.messages)
    floor.offer("S2", "101.5")
    floor.rival.send("F", cancel_fields("C1", "S1", "2"))
    triggered = report_of(client, name, "L", since)
    assert told(triggered, 39, 40, 58) == ["0", "3", "StopPx 101 reached: ASK"]
    assert told(report_of(client, name, "F", since), 39, 31, 32) == ["2", "101.5", "100"]
    [(order_id, payload)] = desk.rows(
        "SELECT order_id, convert_from(payload, 'UTF8') FROM journal WHERE type = 'OrderTriggered'"
    )
    assert '"ask":"101.5"' in str(payload)
    desk.kill_core()
    floor.start()
    [row] = desk.rows(
        "SELECT stop_px, triggered_at IS NOT NULL FROM order_conditions WHERE order_id = %s",
        order_id,
    )
    assert row == (101, True)
    floor.verified()


def test_orders_that_the_venue_takes_over_a_change_of_the_date(
    tmp_path: Path, database_url: str, stack: ExitStack
) -> None:
    floor = Floor(NativeDesk, tmp_path, database_url, stack)
    desk = floor.desk
    client = desk.client()
    opened = "SELECT max(convert_from(payload, 'UTF8')::json ->> 'trade_date') FROM journal"
    [(today,)] = desk.rows(f"{opened} WHERE type = 'TradingDateOpened'")
    tomorrow = date.fromisoformat(str(today)) + timedelta(days=1)
    gtc = floor.send(client, t59="1")
    gtd = floor.send(client, t59="6", t432=f"{tomorrow:%Y%m%d}", t44="99", t111="10")
    stop = floor.send(client, t40="4", t99="101", t44="102", t59="1")
    day = floor.send(client, t44="98")
    for name in (gtc, gtd, stop, day):
        report_of(client, name, "0")
    floor.rival.send("D", order_fields("R1", "2", "40", price="100"))
    assert told(report_of(client, gtc, "F"), 14, 424, 425, 426) == ["40", "100", "40", "100"]
    control = floor.venue.control()
    desk.until(lambda: len(control.orders()) >= 5, "all at the venue")
    control.expire_day()
    assert report_of(client, day, "C").get(39) == "C"
    assert desk.rows("SELECT count(*) FROM discrepancies") == [(0,)]

    floor.command(OpenTradingDate(origin=SYSTEM, trade_date=tomorrow.isoformat()))
    restated = report_of(client, gtc, "D")
    assert told(restated, 378, 14, 151, 424, 425) == ["1", "40", "60", "60", "0"]
    report_of(client, stop, "D")
    assert told(report_of(client, gtd, "D"), 378, 59, 111) == ["1", "6", "10"]
    desk.kill_core()
    floor.start()
    client = desk.client()
    floor.rival.send("D", order_fields("R2", "2", "60", price="100"))
    client.wait_for(lambda m: m.get(11) == gtc and m.get(150) == "F" and m.get(39) == "2", 30.0)
    floor.offer("R3", "101.5")
    report_of(client, stop, "L")
    assert told(report_of(client, stop, "F"), 39, 31) == ["2", "101.5"]
    floor.verified()


def test_cash_and_what_no_venue_takes(tmp_path: Path, database_url: str, stack: ExitStack) -> None:
    floor = Floor(TypesDesk, tmp_path, database_url, stack)
    client = floor.desk.client()
    name = floor.send(client, t38="", t152="5050", t44="50")
    assert told(report_of(client, name, "0"), 38, 152) == ["101", "5050"]
    both = floor.send(client, t152="5050")
    refused = client.wait_for(lambda m: m.msg_type == "3", 30.0)
    assert told(refused, 371, 373) == ["152", "5"]
    assert both
    for more, text in (
        ({"t59": "1"}, "TimeInForce (59) = 1 (GTC): not taken by any venue of ACME (XSIM)"),
        ({"t111": "10"}, "MaxFloor (111): not taken by any venue of ACME (XSIM)"),
        ({"t18": "G"}, "ExecInst (18) = G (ALL_OR_NONE): not taken by any venue of ACME (XSIM)"),
        ({"t40": "P", "t18": "R"}, "OrdType (40) = P (PEGGED), ExecInst (18) = R (PRIMARY_PEG)"),
    ):
        name = floor.send(client, **more)
        rejected = report_of(client, name, "8")
        assert rejected.get(103) == "11"
        assert (rejected.get(58) or "").startswith(text)
