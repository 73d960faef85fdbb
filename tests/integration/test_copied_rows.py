"""What two sessions tell of the same trades, as the tables have it, wherever batches are sealed."""

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest

from oms.audit.verify import verify
from oms.domain.commands import SYSTEM, ExecutionReport, NewOrderSingle
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side
from oms.domain.inquiries import DontKnowTrade
from oms.domain.instrument import DropCopy
from oms.domain.order import Order
from oms.domain.orphans import DecideOrphan, OrphanVerdict
from oms.domain.state import State
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.book import ACCOUNTS, CLIENT, VENUES, Book, reference

VENUE, COPY = VENUES[0], "XONE-DC"
TRADES = 6
BOUGHT = "SELECT quantity FROM positions WHERE account = 'ACC1'"


class CopiedDay:
    """A client order at a venue that both sessions tell of, each in its own order and time."""

    def __init__(self, book: Book, rng: random.Random) -> None:
        self.book = book
        self.rng = rng
        book.take(
            NewOrderSingle(
                origin=book.origin(CLIENT),
                cl_ord_id="C-1",
                account=ACCOUNTS[0],
                symbol="AAPL",
                side=Side.BUY,
                order_qty=Decimal(1_000),
                ord_type=OrdType.LIMIT,
                price=Decimal(100),
            )
        )
        self.child = next(one for one in book.state.orders.values() if one.is_child)

    def steps(self, source: str) -> list[ExecutionReport]:
        """Six trades of 10; the second is corrected and taken back, the third is corrected."""
        made = [self._report(source, f"{n}", ExecType.TRADE) for n in range(TRADES)]
        for name, ref, kind in (
            ("6", "1", ExecType.TRADE_CORRECT),
            ("7", "2", ExecType.TRADE_CORRECT),
            ("8", "6", ExecType.TRADE_CANCEL),
        ):
            made.append(self._report(source, name, kind, ref))
        return made

    def _report(self, source: str, name: str, kind: ExecType, ref: str = "") -> ExecutionReport:
        bust = kind is ExecType.TRADE_CANCEL
        px = Decimal(100) if kind is ExecType.TRADE else Decimal(99)
        return replace(
            self._blank(self.child, source),
            exec_id=f"{source}-{name}",
            exec_type=kind,
            exec_ref_id=f"{source}-{ref}" if ref else "",
            last_qty=None if bust else Decimal(10),
            last_px=None if bust else px,
            transact_time=self.book.at + int(name) * 10_000_000,
            leaves_qty=Decimal(900),
            cum_qty=Decimal(0),
        )

    def _blank(self, child: Order, source: str) -> ExecutionReport:
        return self.book.report(child, source, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED)

    def tell(self, left: dict[str, list[ExecutionReport]]) -> Iterator[None]:
        """In any order between the two; sometimes the client disputes what it was told."""
        while any(left.values()):
            source = self.rng.choice([one for one, reports in left.items() if reports])
            report = left[source].pop(0)
            self.book.take(replace(report, origin=self.book.origin(source)))
            yield
            if self.rng.random() < 0.3:
                execution = self.rng.choice(list(self.child.executions.values()))
                self.book.take(
                    DontKnowTrade(
                        origin=self.book.origin(CLIENT),
                        order_id=self.child.parent_id,
                        exec_id=execution.report_id,
                        dk_reason="C",
                    )
                )
                yield

    def strangers(self) -> Iterator[None]:
        """Two trades of nobody, told by both, of which one is adopted."""
        for name in ("S1", "S2"):
            for source in self.rng.sample([VENUE, COPY], 2):
                report = replace(
                    self._report(source, "0", ExecType.TRADE),
                    origin=self.book.origin(source),
                    exec_id=f"{source}-{name}",
                    cl_ord_id=f"NOBODYS-{name}",
                    order_id=f"V-{name}",
                )
                self.book.take(report)
                yield
        first, second = self.book.state.orphans
        for number, verdict in ((first, OrphanVerdict.ADOPT), (second, OrphanVerdict.REFUSE)):
            self.book.take(
                DecideOrphan(
                    origin=replace(SYSTEM, user="eve"),
                    orphan=number,
                    verdict=verdict,
                    reason="asked",
                    account=ACCOUNTS[1],
                )
            )
            yield


@pytest.mark.parametrize("seed", range(6))
def test_the_tables_are_what_the_journal_says(database_url: str, seed: int) -> None:
    rng = random.Random(seed)
    copies = {COPY: DropCopy(session=COPY, venue=VENUE)}
    with acquire_leadership(
        role_url(database_url, APP_ROLE), shard="main", wait=True, timeout_s=10
    ) as leadership:
        journal = PostgresJournal(leadership)
        state = State(reference=replace(reference(), drop_copies=copies))
        book = Book(leader_epoch=leadership.epoch, state=state)
        book.start()
        day = CopiedDay(book, rng)
        both = {source: day.steps(source) for source in (VENUE, COPY)}
        for acts in (day.tell(both), day.strangers()):
            for _ in acts:
                if rng.random() < rng.choice([0.1, 0.9]):
                    journal.append(book.seal())
        if len(book.batch):
            journal.append(book.seal())
    report = verify(database_url)
    assert report.ok, (report.faults, report.differences)
    with psycopg.connect(database_url) as connection:
        assert connection.execute(BOUGHT).fetchall() == [(50,)]
        query = "SELECT exec_id, last_px, busted, told_by FROM executions WHERE account = 'ACC1'"
        found = {one[0]: one[1:] for one in connection.execute(query)}
        assert found == {
            f"{VENUE}-{n}": (99 if n in (1, 2) else 100, n == 1, "") for n in range(TRADES)
        }
        query = "SELECT exec_id FROM disputes WHERE exec_id LIKE '%DC:%'"
        assert connection.execute(query).fetchall() == []
        query = "SELECT settlement, settled_by, is_open FROM orphans ORDER BY seq"
        assert connection.execute(query).fetchall() == [
            ("ADOPTED", "eve", False),
            ("REFUSED", "eve", False),
        ]
