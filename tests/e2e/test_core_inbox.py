"""Rows of command_inbox that nobody should have written: refused with the reason, no crash."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import psycopg
import pytest

from fix_sessions.light_socket import LightPeer
from oms.domain.commands import (
    SYSTEM,
    Channel,
    ClockTicked,
    CloseTradingDay,
    Command,
    CoreStarted,
    ExecutionReport,
    MessagesSent,
    NewOrderSingle,
    OrderCancelRequest,
    Origin,
    SequenceReset,
    SessionLoggedOut,
    SetRiskLimit,
)
from oms.domain.conditions import Conditions
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side
from oms.store.codec import encode
from tests.support.desk import (
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)
from tests.support.postgres import Databases

REST = Origin(channel=Channel.REST, counterparty="ALPHA", user="alpha", accounts=("ALPHA-1",))
ORDER = NewOrderSingle(
    origin=REST,
    cl_ord_id="R1",
    account="ALPHA-1",
    symbol="ACME",
    side=Side.BUY,
    order_qty=Decimal(10),
    ord_type=OrdType.LIMIT,
    price=Decimal(100),
)
FAR = Decimal("1E+400")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, migrated_databases: Databases) -> Iterator[Desk]:
    url = migrated_databases.take()
    with desk_with_light_venue(tmp_path_factory.mktemp("desk"), url) as (found, venue):
        found.start_core()
        found.client()
        answer_resync(found, venue)
        yield found
    migrated_databases.drop(url)


class Inbox:
    """Writes rows and waits for their answers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def put(self, name: str, body: bytes, counterparty: str = "ALPHA") -> int:
        with psycopg.connect(self._desk.database_url) as connection:
            row = connection.execute(
                "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash) "
                "VALUES (%s, gen_random_uuid()::text, %s, %s, %s) RETURNING id",
                [counterparty, name, body, sha256(body).digest()],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def answer(self, number: int) -> tuple[object, ...]:
        """(accepted, reason, text) once the core has answered."""
        query = "SELECT accepted, reason, answer_text FROM command_inbox WHERE id = %s"
        self._desk.until(lambda: self._desk.rows(query, number)[0][0] is not None, "an answer")
        [row] = self._desk.rows(query, number)
        return row

    def ask(self, command: Command) -> tuple[object, ...]:
        return self.answer(self.put(type(command).__name__, encode(command)))


@pytest.fixture
def inbox(desk: Desk) -> Iterator[Inbox]:
    core = desk.core
    yield Inbox(desk)
    client: LightPeer = desk.client()
    fields = new_order()
    client.send("D", fields)
    report_of(client, cl_ord_id(fields), "0")
    assert desk.core is core, "the same core goes on"
    assert core is not None
    assert core.poll() is None


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        ("NoSuchThing", b"{}", "NoSuchThing: no command or event of this name"),
        ("OrderFilled", b"\x00\xff\xfe", "OrderFilled: no command or event of this name"),
        ("NewOrderSingle", b"\x00\xff garbage", "NewOrderSingle: "),
        ("NewOrderSingle", b"{}", "NewOrderSingle: "),
        ("NewOrderSingle", b"[" * 5000, "NewOrderSingle: "),
        ("OrderAccepted", b'{"order_id": "x"}', "OrderAccepted: "),
        ("TradingDateOpened", b'{"trade_date": "2030-01-01"}', "TradingDateOpened: is no command"),
    ],
)
def test_garbage(inbox: Inbox, name: str, body: bytes, text: str) -> None:
    accepted, reason, told = inbox.answer(inbox.put(name, body))
    assert (accepted, reason) == (False, "UNSUPPORTED_VALUE")
    assert str(told).startswith(text)


FORGED: list[Command] = [
    ExecutionReport(
        origin=replace(REST, channel=Channel.VENUE, counterparty="XSIM"),
        exec_id="forged",
        order_id="V1",
        symbol="ACME",
        side=Side.BUY,
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.FILLED,
        cl_ord_id="x",
        last_qty=Decimal(100),
        last_px=Decimal(1),
    ),
    SessionLoggedOut(origin=replace(SYSTEM, session="XSIM"), text=""),
    SequenceReset(origin=replace(SYSTEM, session="ALPHA")),
    MessagesSent(origin=SYSTEM, messages=()),
    CoreStarted(origin=SYSTEM, leader_epoch=99, version="x", trade_date="2031-01-01"),
    ClockTicked(),
]


@pytest.mark.parametrize("command", FORGED, ids=lambda one: type(one).__name__)
def test_commands_that_only_the_core_itself_or_a_venue_may_say(
    inbox: Inbox, command: Command
) -> None:
    name = type(command).__name__
    text = f"{name}: is no command that the inbox takes"
    assert inbox.ask(command) == (False, "UNSUPPORTED_VALUE", text)


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (replace(ORDER, origin=replace(REST, channel=Channel.CLIENT)), "origin.channel"),
        (replace(ORDER, origin=replace(REST, session="ALPHA")), "origin.session"),
        (replace(ORDER, origin=replace(REST, msg_seq_num=5000)), "origin.session"),
        (replace(ORDER, order_qty=Decimal("NaN")), "order_qty"),
        (replace(ORDER, order_qty=Decimal("-Infinity")), "order_qty"),
        (replace(ORDER, price=FAR), "price"),
        (replace(ORDER, price=Decimal("1E-400")), "price"),
        (replace(ORDER, transact_time=2**62), "transact_time"),
        (replace(ORDER, transact_time=-1), "transact_time"),
        (replace(ORDER, cl_ord_id="nul\0"), "cl_ord_id"),
        (replace(ORDER, cl_ord_id="soh\x0135=D"), "cl_ord_id"),
        (replace(ORDER, text="x" * 2_000_000), "text"),
        (CloseTradingDay(origin=SYSTEM, trade_date="2026-99-99"), "trade_date"),
        (replace(ORDER, conditions=Conditions(stop_px=FAR)), "conditions.stop_px"),
        (replace(ORDER, conditions=Conditions(expire_date="2026-W47-6")), "conditions.expire_date"),
        (CloseTradingDay(origin=SYSTEM, trade_date="2026-W47-6"), "trade_date"),
        (
            SetRiskLimit(
                origin=SYSTEM,
                rule="MAX_ORDER_QTY",
                level="FIRM",
                subject="*",
                value=Decimal("sNaN"),
            ),
            "value",
        ),
    ],
)
def test_values_that_no_table_takes(inbox: Inbox, command: Command, field: str) -> None:
    accepted, reason, text = inbox.ask(command)
    assert (accepted, reason) == (False, "UNSUPPORTED_VALUE")
    assert field in str(text)


def test_whoever_is_not_configured_may_do_nothing(inbox: Inbox) -> None:
    stranger = replace(REST, counterparty="NOBODY", accounts=())
    accepted, reason, _ = inbox.ask(replace(ORDER, origin=stranger, cl_ord_id="N1"))
    assert (accepted, reason) == (False, "ACCOUNT_NOT_PERMITTED")
    accepted, reason, _ = inbox.ask(
        OrderCancelRequest(origin=stranger, cl_ord_id="N2", orig_cl_ord_id="N1")
    )
    assert accepted is False
    accepted, *_ = inbox.ask(replace(ORDER, origin=replace(stranger, accounts=("ALPHA-1",))))
    assert accepted is True, "a firm's own desk: the key's accounts say what it may use"


def test_poison_waiting_at_the_start_stops_no_core(desk: Desk) -> None:
    inbox = Inbox(desk)
    desk.kill_core()
    poison = [inbox.put(type(one).__name__, encode(one)) for one in FORGED]
    poison.append(inbox.put("NewOrderSingle", b"\xff"))
    sound = inbox.put("NewOrderSingle", encode(replace(ORDER, cl_ord_id="AFTER")))
    desk.start_core()
    desk.client()
    assert [inbox.answer(one)[0] for one in poison] == [False] * len(poison)
    accepted, _, text = inbox.answer(sound)
    assert accepted is True, text
    [(journaled,)] = desk.rows(
        "SELECT count(*) FROM journal WHERE type = 'ExecutionReport' "
        "AND payload LIKE '%%forged%%'::bytea"
    )
    assert journaled == 0
