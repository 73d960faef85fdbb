"""A database with a day in it: the flow of tests.support.book, written by the real journal."""

import random
from dataclasses import dataclass, replace
from decimal import Decimal

from oms.domain.baskets import ListCancelRequest, ListOrder, NewOrderList
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    EngageKillSwitch,
    MessagesSent,
    OpenTradingDate,
    OrderMassCancelRequest,
    ReleaseKillSwitch,
    SentMessage,
    SessionLoggedOn,
    SessionLoggedOut,
    SetRiskLimit,
    StreamMark,
    UnreadableMessage,
)
from oms.domain.conditions import Conditions
from oms.domain.fix import ExecInst, ExecType, OrdStatus, OrdType, Side
from oms.domain.inquiries import DontKnowTrade, ResolveDispute
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.book import ACCOUNTS, CLIENT, SYMBOLS, VENUES, Book, flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The database's URL and the book that wrote it."""

    url: str
    book: Book


def write_day(url: str, *, orders: int, seed: int) -> Written:
    """Orders, trades, requests, refusals, limits, doubt, orphans; sealed at random moments."""
    rng = random.Random(seed)
    app_url = role_url(url, APP_ROLE)
    with acquire_leadership(app_url, shard="main", wait=True, timeout_s=10) as leadership:
        journal = PostgresJournal(leadership)
        book = Book(leader_epoch=leadership.epoch)
        book.start()
        _controls(book, journal)
        size = 1
        for _ in flow(book, orders, seed):
            if len(book.batch) >= size:
                journal.append(book.seal())
                size = rng.choice([1, 1, 5, 40])
        _troubles(book)
        journal.append(book.seal())
        _next_day(book, journal)
    return Written(url=url, book=book)


def _controls(book: Book, journal: PostgresJournal) -> None:
    for value in ("100000", "400"):
        book.take(
            SetRiskLimit(
                origin=SYSTEM,
                rule="MAX_ORDER_QTY",
                level="FIRM",
                subject="*",
                value=Decimal(value),
                reason="test",
            )
        )
    notional = {"rule": "MAX_ORDER_NOTIONAL", "level": "ACCOUNT", "subject": "ACC1"}
    book.take(SetRiskLimit(origin=SYSTEM, value=Decimal("1e9"), **notional))
    book.take(EngageKillSwitch(origin=SYSTEM, level="ACCOUNT", subject="ACC2", reason="drill"))
    book.take(EngageKillSwitch(origin=SYSTEM, level="ACCOUNT", subject="ACC9", reason="stays"))
    journal.append(book.seal())
    book.take(SetRiskLimit(origin=SYSTEM, value=None, **notional))
    book.take(ReleaseKillSwitch(origin=SYSTEM, level="ACCOUNT", subject="ACC2", reason="over"))


def _troubles(book: Book) -> None:
    """A stranger's report, nonsense on a session, a venue lost with orders open there."""
    stranger = next(order for order in book.state.orders.values() if order.is_child)
    report = book.report(stranger, VENUES[0], ExecType.TRADE, OrdStatus.FILLED)
    foreign = {name: getattr(report, name) for name in type(report).__dataclass_fields__}
    foreign |= {"cl_ord_id": "nobody's\x1e\x1d", "last_qty": Decimal(1), "side": None}
    book.take(type(report)(**foreign | {"last_px": Decimal(1)}))
    raw = "8=FIX.4.4\x0135=ZZ\x0158=\x00\x1d\x1e\x01"
    book.take(
        UnreadableMessage(
            origin=book.origin(CLIENT, raw),
            ref_msg_type="ZZ",
            business=True,
            reason_code="3",
            ref_tag=0,
            text="\x1d",
        )
    )
    stop = replace(
        book.order(1_000_001, random.Random(1)),
        symbol=SYMBOLS[0],
        ord_type=OrdType.STOP,
        order_qty=Decimal(10),
        price=None,
        conditions=Conditions(
            stop_px=Decimal(200),
            exec_inst=(ExecInst.NOT_HELD, ExecInst.CANCEL_ON_SYSTEM_FAILURE),
        ),
    )
    book.take(stop)
    book.take(SessionLoggedOut(origin=book.origin(CLIENT), text="lost, and the stop with it"))
    book.take(SessionLoggedOn(origin=book.origin(CLIENT)))
    _dispute(book)
    _basket(book)
    book.take(OrderMassCancelRequest(origin=book.origin(CLIENT), cl_ord_id="MASS-1"))
    book.take(SessionLoggedOut(origin=book.origin(VENUES[0]), text="gone"))
    journaled = book.inbound[VENUES[1]]
    for symbol in SYMBOLS:
        book.observe(VENUES[1], symbol)
    note = SentMessage(
        session=VENUES[1],
        epoch=0,
        msg_seq_num=1,
        event_seq=1,
        msg_type="H",
        order_id="",
        text="35=H",
    )
    mark = StreamMark(session=VENUES[1], epoch=0, msg_seq_num=journaled + 1)
    book.take(MessagesSent(origin=SYSTEM, messages=(note,), observed=(mark,)))


def _basket(book: Book) -> None:
    """Lists of orders: one at work, of which an order is refused, and one that never begins."""
    orders = tuple(
        ListOrder(
            list_seq_no=number,
            cl_ord_id=f"LIST-{number}",
            account=ACCOUNTS[0],
            symbol=symbol,
            side=Side.BUY,
            order_qty=Decimal(10),
            ord_type=OrdType.LIMIT,
            price=Decimal(100),
        )
        for number, symbol in enumerate((SYMBOLS[0], "NONE"), start=1)
    )
    for name, kind in (("L-1", ""), ("L-2", "2")):
        book.take(
            NewOrderList(
                origin=book.origin(CLIENT),
                list_id=name,
                bid_type="3",
                tot_no_orders=2,
                orders=orders,
                exec_inst_type=kind,
            )
        )
        book.take(ListCancelRequest(origin=book.origin(CLIENT), list_id=name))


def _dispute(book: Book) -> None:
    """A client does not know one of its trades, and is told which it is."""
    traded = (one for one in book.state.orders.values() if one.executions and not one.is_child)
    order = next(one for one in traded if one.counterparty == CLIENT)
    [execution, *_] = order.executions.values()
    book.take(
        DontKnowTrade(
            origin=book.origin(CLIENT),
            order_id=order.order_id,
            exec_id=execution.report_id,
            dk_reason="Z",
        )
    )
    [dispute] = book.state.disputes.values()
    book.take(ResolveDispute(origin=SYSTEM, dispute=dispute.seq, reason="found"))


def _next_day(book: Book, journal: PostgresJournal) -> None:
    """Two turns of the trading date: the state forgets, the tables do not."""
    book.take(CloseTradingDay(origin=SYSTEM, trade_date="2026-11-20"))
    for symbol in SYMBOLS:
        _split(book, symbol, "2026-11-23")
    for date in ("2026-11-23", "2026-11-24"):
        book.take(OpenTradingDate(origin=SYSTEM, trade_date=date))
    journal.append(book.seal())


def _split(book: Book, symbol: str, date: str) -> None:
    """Asked for by one, applied by another; what is open of the symbol may stop it."""
    asked, agreed = (replace(SYSTEM, user=name) for name in ("anne", "bert"))
    book.take(
        PreviewCorporateAction(
            origin=asked,
            action_id=f"SPLIT-{symbol}",
            symbol=symbol,
            new_shares=3,
            old_shares=2,
            effective_date=date,
            reason="test",
            cash_in_lieu_px=Decimal(100),
        )
    )
    preview = book.state.corporate_actions[f"SPLIT-{symbol}"].preview
    book.take(
        ApplyCorporateAction(
            origin=agreed, action_id=f"SPLIT-{symbol}", preview=preview, reason="test"
        )
    )
