"""Rows about trades: executions as they are booked, changed and renamed, disputes and orphans."""

from oms.domain.answers import DisputeFact
from oms.domain.events import OrphanReported, TradeBusted, TradeCorrected, TradeExecuted
from oms.domain.order import Order
from oms.domain.orphan_events import OrphanSettled, TradeMatched
from oms.domain.orphans import Settlement
from oms.domain.state import State
from oms.store.rows import Row, dispute_row, execution_row

Key = tuple[str, str, str]


class TradeRows:
    """What a stretch of the journal makes of the tables executions, disputes and orphans.

    A trade that a drop copy told first is renamed when the order session tells it. One statement
    changes a row once: what is noted here of a row that is written already stands under the name
    that it has in the table.
    """

    __slots__ = ("_changes", "_disputes", "_new", "_orphans", "_written_as")

    def __init__(self) -> None:
        self._new: dict[Key, Row] = {}
        self._changes: dict[Key, Row] = {}
        self._written_as: dict[Key, Key] = {}
        self._disputes: dict[int, Row] = {}
        self._orphans: dict[int, Row] = {}

    def booked(self, seq: int, at: int, event: TradeExecuted, order: Order, date: str) -> None:
        """A trade."""
        row = execution_row(event, order, seq, at, date)
        self._new[event.venue, event.exec_id, event.order_id] = row

    def changed(self, at: int, event: TradeBusted | TradeCorrected) -> None:
        """A bust or a correction."""
        key = (event.venue, event.exec_id, event.order_id)
        row = self._new.get(key)
        if row is not None:
            self._new[key] = _changed_execution(row, event, at)
            return
        key = self._written_as.get(key, key)
        self._changes[key] = _change_row(key, self._changes.get(key), event, at)

    def disputed(self, seq: int, at: int, event: DisputeFact) -> None:
        """A dispute, or its end."""
        row = dispute_row(seq, at, event)
        self._disputes[row[0]] = row

    def told(
        self, seq: int, at: int, event: OrphanReported | OrphanSettled | TradeMatched, state: State
    ) -> None:
        """A report that fits no order, its end, or a trade that was told again."""
        if not isinstance(event, TradeMatched):
            row = orphan_row(seq, at, event, state)
            self._orphans[row[0]] = row
        elif not event.source and not event.orphan:
            exec_id = event.exec_id if event.amends else event.told_as
            trade = state.orders[event.order_id].executions[event.order_id, exec_id]
            self._matched(event, trade.latest_exec_id)
            dispute = state.disputes.get((event.venue, exec_id))
            if dispute is not None:
                self.disputed(dispute.seq, dispute.at, dispute.event)

    def _matched(self, event: TradeMatched, latest_exec_id: str) -> None:
        """The order session told what a drop copy had told before: its names count."""
        key = (event.venue, event.exec_id, event.order_id)
        exec_id = event.exec_id if event.amends else event.told_as
        row = self._new.pop(key, None)
        if row is not None:
            row = (row[0], exec_id, *row[2:18], latest_exec_id, *row[19:21], "")
            self._new[event.venue, exec_id, event.order_id] = row
            return
        written = self._written_as.pop(key, key)
        last_qty, last_px, busted, _, at, _ = (
            self._changes.get(written) or (*written, None, None, False, None, None, None)
        )[3:]
        self._changes[written] = (
            *(*written, last_qty, last_px, busted, latest_exec_id, at),
            exec_id,
        )
        self._written_as[event.venue, exec_id, event.order_id] = written

    def rows(self) -> dict[str, list[Row]]:
        """By operation."""
        return {
            "executions": list(self._new.values()),
            "trade_changes": list(self._changes.values()),
            "disputes": list(self._disputes.values()),
            "orphans": list(self._orphans.values()),
        }


def _change_row(key: Key, earlier: Row | None, event: TradeBusted | TradeCorrected, at: int) -> Row:
    """What a bust or correction changes in executions, upon an earlier change not yet written.

    Its columns are those of `operations.TRADE_CHANGES`; what is None stays as it was.
    """
    last_qty, last_px, busted = earlier[3:6] if earlier else (None, None, False)
    exec_id = earlier[8] if earlier else None
    if isinstance(event, TradeBusted):
        return (*key, last_qty, last_px, True, event.bust_exec_id, at, exec_id)
    told = (event.last_qty, event.last_px, busted, event.correction_exec_id, at, exec_id)
    return (*key, *told)


def _changed_execution(row: Row, event: TradeBusted | TradeCorrected, at: int) -> Row:
    """A row of executions that is not written yet, after a bust or correction."""
    last_qty, last_px, original_qty, original_px = row[7:11]
    busted, latest = True, ""
    if isinstance(event, TradeCorrected):
        if original_qty is None:
            original_qty, original_px = last_qty, last_px
        last_qty, last_px = event.last_qty, event.last_px
        busted, latest = row[17], event.correction_exec_id
    else:
        latest = event.bust_exec_id
    figures = (last_qty, last_px, original_qty, original_px)
    return (*row[:7], *figures, *row[11:17], busted, latest, at, *row[20:])


def orphan_row(seq: int, at: int, event: OrphanReported | OrphanSettled, state: State) -> Row:
    """Of table orphans: a new one, or one that is settled at `at`."""
    over = event if isinstance(event, OrphanSettled) else None
    about = event.report if isinstance(event, OrphanSettled) else event
    trade_date = over.trade_date if over else state.trade_date
    return (
        over.orphan if over else seq,
        over.reported_at if over else at,
        about.venue,
        about.session,
        about.cl_ord_id,
        about.venue_order_id,
        about.exec_id,
        about.exec_type,
        about.ord_status,
        about.symbol,
        about.side or "",
        about.last_qty,
        about.last_px,
        about.text,
        trade_date or None,
        about.declined or (over is not None and over.declined),
        about.kind,
        (over.order_id if over else "") or about.order_id,
        over is None and seq in state.orphans,
        _settlement(over),
        at if over else None,
        over.user if over else "",
        over.text if over else "",
    )


def _settlement(over: OrphanSettled | None) -> Settlement | str:
    return over.settlement if over else ""
