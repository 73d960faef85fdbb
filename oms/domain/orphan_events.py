"""Events about reports that fit no order of ours, and about trades that were told twice."""

from dataclasses import dataclass, field

from oms.domain.fact import fact
from oms.domain.order_events import OrphanReported
from oms.domain.orphans import Settlement, TradeIds
from oms.domain.terms import OrderTerms


@fact
class ExternalOrderAdopted:
    """An order at a venue that no client of ours sent is in our book: as a client order without a
    ClOrdID, and as its child with the venue's own names. It is as large as what it traded, nothing
    of it is ours to work, and it is closed. order_id: the client order.
    """

    order_id: str
    child_id: str
    terms: OrderTerms
    child_terms: OrderTerms
    venue_order_id: str
    trade_date: str


@fact
class OrphanSettled:
    """An orphan is one no more. orphan, reported_at, trade_date: of its report; order_id: the child
    order that it is booked to. user: empty where no human decided. declined: its venue is told.
    """

    orphan: int
    reported_at: int
    trade_date: str
    report: OrphanReported
    settlement: Settlement
    order_id: str
    user: str
    text: str
    declined: bool = False


@fact
class TradeMatched:
    """A trade that is booked was told again, under another ExecID: nothing is booked.

    venue, exec_id: the trade. source: who told it now: a drop copy's session, empty for the order
    session. told_as: its ExecID there (see copy_id). rule: what made it the same. amends: it is the
    same bust or correction. orphan: it is told of that orphan, which is booked to no order.
    """

    order_id: str
    parent_id: str
    venue: str
    exec_id: str
    source: str
    told_as: str
    rule: str
    amends: bool = False
    orphan: int = 0
    ids: TradeIds | None = None


@dataclass(slots=True, kw_only=True)
class Orphan:
    """An open one, as the state keeps it. told: by whom (source), and as which ExecID."""

    seq: int
    at: int
    trade_date: str
    event: OrphanReported
    told: dict[str, str] = field(default_factory=dict)


# Of the busts and corrections that wait for their trade: most never see it.
EARLY_KEPT = 1_000


class Orphans(dict[int, Orphan]):
    """The open ones by their numbers; and by the names that a report of theirs could come with.

    early: busts and corrections that came before their trade, by the name that they have for it;
    the latest thousand, open or not. Changed by its methods only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.early: dict[tuple[str, str], list[Orphan]] = {}
        self._early_by_name: dict[tuple[str, str], dict[int, Orphan]] = {}
        self._by_trade: dict[tuple[str, str], int] = {}
        self._by_name: dict[tuple[str, str], dict[int, None]] = {}

    def add(self, orphan: Orphan) -> None:
        """A new one."""
        self[orphan.seq] = orphan
        for told_as in orphan.told.values():
            self._by_trade[orphan.event.venue, told_as] = orphan.seq
        for name in _names(orphan.event):
            self._by_name.setdefault(name, {})[orphan.seq] = None

    def add_early(self, orphan: Orphan) -> None:
        """A bust or a correction whose trade is not known."""
        if len(self.early) >= EARLY_KEPT:
            for one in self.early.pop(next(iter(self.early))):
                self._forget_early(one.seq, one.event)
        keys = _trade_names(orphan.event)
        for one in list(self.early.get(keys[0], ())):
            if one.event.exec_id == orphan.event.exec_id:
                # Reported anew, as a question, it takes the place of its first report.
                self.end_early(one.seq, one.event)
        for key in keys:
            self.early.setdefault(key, []).append(orphan)
        for name in _names(orphan.event):
            self._early_by_name.setdefault(name, {})[orphan.seq] = orphan

    def end_early(self, seq: int, event: OrphanReported) -> None:
        """Its trade was told, or nobody waits for it any more."""
        for key in _trade_names(event):
            left = [one for one in self.early.pop(key, ()) if one.seq != seq]
            if left:
                self.early[key] = left
        self._forget_early(seq, event)

    def _forget_early(self, seq: int, event: OrphanReported) -> None:
        for name in _names(event):
            found = self._early_by_name.get(name, {})
            found.pop(seq, None)
            if not found:
                self._early_by_name.pop(name, None)

    def early_named(self, venue: str, *names: str) -> list[Orphan]:
        """Busts and corrections that came before their trade, of the order that these are names of
        (see named); the first first.
        """
        if not self._early_by_name:
            return []
        found: dict[int, Orphan] = {}
        for one in names:
            if one:
                found |= self._early_by_name.get((venue, one), {})
        return [found[seq] for seq in sorted(found)]

    def tell(self, seq: int, source: str, told_as: str) -> None:
        """It was told by another source too."""
        self[seq].told[source] = told_as
        self._by_trade[self[seq].event.venue, told_as] = seq

    def end(self, seq: int) -> None:
        """It is open no more."""
        orphan = self.pop(seq, None)
        if orphan is None:
            return
        for told_as in orphan.told.values():
            self._by_trade.pop((orphan.event.venue, told_as), None)
        for name in _names(orphan.event):
            found = self._by_name[name]
            del found[seq]
            if not found:
                del self._by_name[name]

    def of_trade(self, venue: str, told_as: str) -> Orphan | None:
        """The one that was told as this."""
        seq = self._by_trade.get((venue, told_as))
        return None if seq is None else self[seq]

    def named(self, venue: str, *names: str) -> list[Orphan]:
        """Those whose reports bore one of these as ClOrdID, OrderID or as our order that they may
        be of; the first first.
        """
        found = {seq for one in names if one for seq in self._by_name.get((venue, one), ())}
        return [self[seq] for seq in sorted(found)]


def _names(event: OrphanReported) -> set[tuple[str, str]]:
    names = {event.cl_ord_id, event.venue_order_id, event.order_id} - {""}
    return {(event.venue, one) for one in names}


def _trade_names(event: OrphanReported) -> list[tuple[str, str]]:
    """What it names its trade: a drop copy may do so as the order session does."""
    names = [event.exec_ref_id]
    if event.source:
        names.append(event.exec_ref_id[len(event.source) + 1 :])
    return [(event.venue, one) for one in names]


OrphanFact = ExternalOrderAdopted | OrphanSettled | TradeMatched
