"""What each party writes down for itself, in its own words: it has only what it sent and was told.

Nothing here knows the server's language; checkers compare these books with the server's.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from fix_sessions.light_session import Message
from oms.simulation.versions import FIX44, heard

ZERO = Decimal(0)
# OrdStatus (39) of orders that are over.
OVER = frozenset("248C3")


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request of a client: MsgType (35) D, F or G. finals: its final answers, each once.

    times: how often it was sent; accepted: the New among the answers.
    """

    cl_ord_id: str
    msg_type: str
    fields: list[tuple[int, str]]
    orig: str = ""
    at: int = 0
    times: int = 1
    reused: bool = False
    accepted: str = ""
    finals: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Seen:
    """An order as its client sees it; trades by ExecID (17), each with quantity and price.

    untold: what an order over REST had traded before this session asked something of it, from when
    on it is told of it; None before that. factors: what splits have made of a share of a trade, by
    its ExecID; splits: how many of the client's book it has been through. since: the TransactTime
    (60) of the first report.
    """

    order_id: str
    cl_ord_id: str
    side: str
    order_qty: Decimal = ZERO
    cum_qty: Decimal = ZERO
    leaves_qty: Decimal = ZERO
    status: str = ""
    first_id: str = ""
    untold: Decimal | None = ZERO
    trades: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    factors: dict[str, Fraction] = field(default_factory=dict)
    splits: int = 0
    since: str = ""

    @property
    def traded(self) -> Decimal:
        """What the trades come to, in the shares of today."""
        return in_shares_of_today(self.trades, self.factors)


def in_shares_of_today(
    trades: dict[str, tuple[Decimal, Decimal]], factors: dict[str, Fraction]
) -> Decimal:
    """The sum of these quantities, each times what splits have made of a share of it."""
    if not factors:
        traded = sum((quantity for quantity, _ in trades.values()), ZERO)
        whole = int(traded)
        if whole == traded:
            return Decimal(whole)
    total = sum(
        (Fraction(quantity) * factors.get(name, 1) for name, (quantity, _) in trades.items()),
        Fraction(0),
    )
    return Decimal(total.numerator) / total.denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """So many new shares for one old one, from that moment on, told as TransactTime (60) is."""

    symbol: str
    ratio: Fraction
    at: str


@dataclass(slots=True, kw_only=True)
class ClientLedger:
    """A client's book. faults: what it was told that cannot be; lost: it may have missed something:
    it reset its session itself (did_reset), or operators let go of what waited for it (discarded:
    the ExecIDs); skipped_at: when it passed over numbers of its own, and with them over what had
    not arrived; listed: ClOrdIDs of orders that it sent in lists; splits: of which it has read.
    """

    asked: dict[str, Asked] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    orders: dict[str, Seen] = field(default_factory=dict)
    order_of: dict[str, str] = field(default_factory=dict)
    reports: dict[str, dict[int, str]] = field(default_factory=dict)
    rejects: set[str] = field(default_factory=set)
    refused: int = 0
    lost: bool = False
    did_reset: bool = False
    discarded: set[str] = field(default_factory=set)
    skipped_at: int = 0
    faults: list[str] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    version: str = FIX44

    def note(self, message: Message) -> None:
        """Write down what came from the server."""
        fields = heard(self.version, message.msg_type, dict(message.fields))
        match message.msg_type:
            case "8":
                self._report(fields)
            case "9":
                answer = f"9 {fields.get(11)} {fields.get(37)}"
                seen = self.orders.get(fields[37])
                # One told again may be older than what the order has come to since.
                stale = fields.get(97) == "Y" and answer in self.rejects
                self.rejects.add(answer)
                if seen is not None and not stale:
                    seen.status = fields[39]
                self._final(fields, answer)
            case "3" | "j":
                self.refused += 1
            case _:
                pass

    def _final(self, fields: dict[int, str], answer: str) -> None:
        asked = self.asked.get(fields.get(11, ""))
        if asked is None or (fields.get(97) == "Y" and answer in asked.finals):
            return
        if asked.msg_type == "D" and answer[0] == "8" and asked.finals[-1:] == [asked.accepted]:
            return  # taken on, and refused by every venue later
        asked.finals.append(answer)
        if answer[0] == "0":
            asked.accepted = answer

    def _report(self, fields: dict[int, str]) -> None:
        exec_id, kind = fields[17], fields[150]
        if exec_id != "0":
            known = self.reports.get(exec_id)
            if known is not None:
                self._repeated(exec_id, known, fields)
                return
            self.reports[exec_id] = fields
        self._answer(fields, kind, exec_id)
        # A status told again may be an old one.
        stale = kind == "I" and fields.get(97) == "Y"
        if not stale and (kind != "8" or fields.get(103) != "6"):
            self._order(fields, kind, exec_id)

    def _repeated(self, exec_id: str, known: dict[int, str], fields: dict[int, str]) -> None:
        if fields.get(97) != "Y" and fields.get(43) != "Y":
            self.faults.append(f"ExecID {exec_id} came twice and the second is not marked so")
        for tag in (37, 11, 150, 39, 14, 151, 32, 31):
            if known.get(tag) != fields.get(tag):
                self.faults.append(
                    f"ExecID {exec_id} said {tag}={known.get(tag)} and later {fields.get(tag)}"
                )

    def _answer(self, fields: dict[int, str], kind: str, exec_id: str) -> None:
        asked = self.asked.get(fields.get(11, ""))
        if asked is None:
            return
        if asked.msg_type == "D":
            if kind in "08" and fields.get(103) != "6":
                self._final(fields, f"{kind} {exec_id}")
        elif (kind == "4" and fields.get(41)) or kind == "5":
            self._final(fields, f"{kind} {exec_id}")

    def _order(self, fields: dict[int, str], kind: str, exec_id: str) -> None:
        order_id = fields[37]
        if 11 not in fields or order_id == "NONE" or (fields.get(39) == "8" and kind == "I"):
            return
        seen = self.orders.get(order_id)
        if seen is None:
            seen = self.orders[order_id] = Seen(
                order_id=order_id,
                cl_ord_id=fields[11],
                side=fields.get(54, ""),
                since=fields.get(60, ""),
            )
            # What came first may be about a request of somebody else, over REST.
            named = fields[11] if fields[11] in self.asked else fields.get(41, fields[11])
            seen.first_id = named
            if not self._is_own(order_id, named):
                seen.untold = None
        first = self.asked.get(seen.first_id)
        news = kind in "F54C379L" or (kind == "D" and fields[39] in "01")
        news = news and fields[39] != "A"
        if news and first is not None and first.msg_type == "D" and not first.finals:
            # An order that trades or ends at once may have no New; other news may come first.
            first.accepted = f"0 {exec_id}"
            first.finals.append(first.accepted)
        if kind == "D" and fields.get(378) == "0" and not seen.trades:
            self._split(seen, fields[55])
        amended_untold = False
        if kind == "F":
            seen.trades[exec_id] = (Decimal(fields[32]), Decimal(fields[31]))
        elif kind in "HG":
            before = seen.trades.pop(fields.get(19, ""), None)
            if before is None and not self.lost and not seen.untold:
                self.faults.append(f"{order_id}: {kind} of {fields.get(19)}, which is no trade")
            amended_untold = before is None
            factor = seen.factors.pop(fields.get(19, ""), Fraction(1))
            if kind == "G":
                seen.factors[exec_id] = factor
                seen.trades[exec_id] = (Decimal(fields[32]), Decimal(fields[31]))
        if kind not in "6EI":
            seen.cl_ord_id = fields[11]
        self.order_of[fields[11]] = order_id
        seen.order_qty = Decimal(fields[38])
        seen.cum_qty, seen.leaves_qty = Decimal(fields[14]), Decimal(fields[151])
        seen.status = fields[39]
        if kind != "I" and seen.untold is not None and self.splits:
            self._follow_splits(seen, fields[55])
        self._law(seen, kind, amended_untold=amended_untold)

    def _follow_splits(self, seen: Seen, symbol: str) -> None:
        """What is told may be in the shares of after a split before that is told of the order."""
        while seen.cum_qty - seen.traded != seen.untold and self._split(seen, symbol):
            pass

    def _split(self, seen: Seen, symbol: str) -> bool:
        """Go through the next split that the order has not been through; whether there is one."""
        while seen.splits < len(self.splits):
            split = self.splits[seen.splits]
            seen.splits += 1
            if split.symbol == symbol and seen.since < split.at:
                for name in seen.trades:
                    seen.factors[name] = seen.factors.get(name, Fraction(1)) * split.ratio
                return True
        return False

    def _is_own(self, order_id: str, named: str) -> bool:
        """Whether the chain begins with an order of this session, and not with one over REST that
        has the ClOrdID of a session's order of an earlier date.
        """
        asked = self.asked.get(named)
        while asked is not None and asked.msg_type != "D":
            named = asked.orig
            asked = self.asked.get(named)
        if asked is not None and (asked.reused or asked.times > 1):
            return True
        known = asked is not None or named in self.listed
        return known and self.order_of.get(named) in (None, order_id)

    def _law(self, seen: Seen, kind: str, *, amended_untold: bool) -> None:
        total = seen.cum_qty + seen.leaves_qty
        if seen.leaves_qty and total != seen.order_qty:
            self.faults.append(
                f"{seen.order_id}: CumQty {seen.cum_qty} + LeavesQty {seen.leaves_qty}"
                f" is not OrderQty {seen.order_qty} ({kind})"
            )
        if kind == "I" or self.lost:
            return
        untold = seen.cum_qty - seen.traded
        if seen.untold is None or (amended_untold and ZERO <= untold <= seen.untold):
            seen.untold = max(untold, ZERO)
        if untold != seen.untold:
            self.faults.append(
                f"{seen.order_id}: CumQty {seen.cum_qty}, and the trades told come to {seen.traded}"
                f" after {seen.untold} untold"
            )


@dataclass(slots=True, kw_only=True)
class Standing:
    """One order as its venue has it; trades by ExecID, each with quantity and price.

    ids: every ClOrdID of its chain. closed: OrdStatus (39), empty while it works. shown_at: when
    its status was told last. factors: what splits have made of a share of a trade, by ExecID.
    """

    venue: str
    cl_ord_id: str
    side: str
    symbol: str
    order_qty: Decimal
    price: str
    tif: str
    at: int
    ids: set[str] = field(default_factory=set)
    trades: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    closed: str = ""
    shown_at: int = 0
    factors: dict[str, Fraction] = field(default_factory=dict)

    @property
    def cum_qty(self) -> Decimal:
        """What it has traded, in the shares of today."""
        return in_shares_of_today(self.trades, self.factors)

    @property
    def leaves_qty(self) -> Decimal:
        """What it can still trade."""
        return ZERO if self.closed else max(self.order_qty - self.cum_qty, ZERO)

    @property
    def status(self) -> str:
        """OrdStatus (39)."""
        if self.cum_qty >= self.order_qty:
            return "2"
        return self.closed or ("1" if self.trades else "0")
