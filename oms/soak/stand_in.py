"""What the simulator's checkers call their world, made of what there is of a soak."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fix_sessions.registry import Counterparty
from oms.domain.instrument import Reference
from oms.domain.order import Order
from oms.domain.state import State
from oms.simulation.ledgers import ClientLedger, Standing
from oms.simulation.rest import Handed
from oms.simulation.shadow import Shadow
from oms.soak.record import Gathered, Row
from oms.soak.screen import Told
from oms.soak.site import VENUES
from oms.soak.tape import Played
from oms.store.batch import Entry

_OVER = frozenset("248C3")


@dataclass(slots=True, kw_only=True)
class Strangers:
    """Trades at a venue of orders that are none of ours, as the checkers look at them."""

    told: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    busted: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Book:
    """A client's book, or a venue's, as the checkers look at it."""

    ledger: ClientLedger = field(default_factory=ClientLedger)
    bundling: bool = False
    orders: list[Standing] = field(default_factory=list)
    strangers: Strangers = field(default_factory=Strangers)


@dataclass(slots=True, kw_only=True)
class _User:
    client: str
    handed: list[Handed]


@dataclass(slots=True, kw_only=True)
class _Tables:
    rows: dict[str, dict[tuple[str], Row]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Disk:
    entries: list[Entry] = field(default_factory=list)
    tables: _Tables = field(default_factory=_Tables)
    answers: dict[int, tuple[object, ...]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Core:
    """What the journal's recovery makes."""

    state: State


class Evidence:
    """What the checkers of the simulator call their world."""

    def __init__(self, reference: Reference, parties: Sequence[Counterparty]) -> None:
        self.reference = reference
        self.shadow = Shadow(reference, parties)
        # A client comes and goes; nothing is folded by who is configured.
        self.shadow.read = defaultdict(lambda: reference)
        self.disk = _Disk()
        self.resets: dict[str, int] = {}
        self.tapes: Mapping[str, Played] = {}
        self.clients: dict[str, Book] = {}
        self.venues: dict[str, Book] = {name: Book() for name in VENUES}
        self.rest: dict[str, _User] = {}
        self.told: Mapping[int, Told] = {}
        self.lost: Sequence[str] = ()
        self.core: _Core | None = None
        self._by_child: dict[str, Standing] = {}

    def show(self, gathered: Gathered) -> None:
        """All but the venues' books, which need the fold of the journal."""
        self.tapes = gathered.tapes
        self.clients = {name: Book(ledger=tape.ledger) for name, tape in self.tapes.items()}
        self.rest = {
            name: _User(client=name, handed=those) for name, those in gathered.handed.items()
        }
        self.told, self.lost = gathered.told, gathered.lost
        self.disk.entries = gathered.entries
        self.disk.tables.rows["orders"] = {(name,): row for name, row in gathered.shown.items()}
        self.disk.answers = {
            # By place, as the core writes it.
            number: (None, None, row["accepted"], None, row["order_id"])
            for number, row in gathered.answers.items()
        }
        self.core = _Core(state=gathered.recovered) if gathered.recovered else None

    def standing(self, child: Order) -> Standing | None:
        """The order as its venue has it."""
        return self._by_child.get(child.order_id)

    def take_venues(self, gathered: Gathered) -> None:
        """Their books. Raises AssertionError where an order of ours is there twice."""
        self._by_child.clear()
        for name in VENUES:
            self._take_venue(name, gathered)

    def _take_venue(self, name: str, gathered: Gathered) -> None:
        book = self.venues[name] = Book()
        by_id: dict[str, Standing] = {}
        ours = set()
        for one in gathered.orders[name]:
            standing = by_id[one["order_id"]] = _standing(name, one)
            book.orders.append(standing)
            child = self.shadow.state.child_of(name, one["cl_ord_id"])
            if child is None or child.external:
                continue
            ours.add(one["order_id"])
            other = self._by_child.setdefault(child.order_id, standing)
            assert other is standing, f"{name} has {child.order_id} twice"
        for one in gathered.trades[name]:
            trade = (Decimal(one["last_qty"]), Decimal(one["last_px"]))
            busted = one["status"] == "BUSTED"
            if one["order_id"] not in ours:
                book.strangers.told[one["exec_id"]] = trade
                if busted:
                    book.strangers.busted.add(one["exec_id"])
            if not busted:
                by_id[one["order_id"]].trades[one["exec_id"]] = trade


def _standing(venue: str, one: dict[str, str]) -> Standing:
    return Standing(
        venue=venue,
        cl_ord_id=one["cl_ord_id"],
        side=one["side"],
        symbol=one["symbol"],
        order_qty=Decimal(one["order_qty"]),
        price=one["price"],
        tif=one["time_in_force"],
        at=0,
        closed=one["ord_status"] if one["ord_status"] in _OVER else "",
    )
