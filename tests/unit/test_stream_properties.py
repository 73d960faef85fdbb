"""A venue's legal stream, in any order and with any repetition, is one order, position and story.

What a venue tells of an order, its fills, busts, corrections, a replace and the end, is played once
as it was told, and once mixed up. Each report arrives at least once, and any of them again at any
moment; but a bust and a correction first come behind the trade that they name, and what a bust or
replace made room for behind that: it would be too much before, which has consequences. In the end
both are the same: the order, the position, and what the client was told of each fill.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import effects as fx
from oms.domain.commands import ExecutionReport
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.instrument import Reference
from oms.domain.order import Order
from tests.support.invariants import check_same, check_state
from tests.support.world import REFERENCE, World

ONE_VENUE = Reference(
    instruments=REFERENCE.instruments,
    venues={"XA": REFERENCE.venues["XA"]},
    clients=REFERENCE.clients,
)
TOLD_ONCE = frozenset(
    {
        ExecType.TRADE,
        ExecType.TRADE_CANCEL,
        ExecType.TRADE_CORRECT,
        ExecType.REPLACED,
        ExecType.CANCELED,
        ExecType.EXPIRED,
    }
)
STATUS = {ExecType.CANCELED: OrdStatus.CANCELED, ExecType.EXPIRED: OrdStatus.EXPIRED}


@dataclass
class Stream:
    """What the venue tells of its order, in order. needs: by report, those that must precede it."""

    world: World
    child: Order
    order_qty: Decimal = Decimal(100)
    name: str = ""
    closed: ExecType | None = None
    trades: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    told: list[ExecutionReport] = field(default_factory=list)
    needs: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.child.cl_ord_id

    @property
    def cum_qty(self) -> Decimal:
        return sum((quantity for quantity, _ in self.trades.values()), Decimal(0))

    @property
    def status(self) -> OrdStatus:
        if self.cum_qty >= self.order_qty:
            return OrdStatus.FILLED
        if self.closed is not None:
            return STATUS[self.closed]
        return OrdStatus.PARTIALLY_FILLED if self.trades else OrdStatus.NEW

    def say(self, exec_type: ExecType, **more: object) -> ExecutionReport:
        leaves = Decimal(0) if self.closed else max(self.order_qty - self.cum_qty, Decimal(0))
        figures = {"cum_qty": self.cum_qty, "leaves_qty": leaves, "order_qty": self.order_qty}
        named = self.world.report("XA", self.name, exec_type, self.status, **(figures | more))
        return replace(named, origin=replace(named.origin, msg_seq_num=0))

    def tell(self, exec_type: ExecType, **more: object) -> None:
        self.told.append(self.say(exec_type, **more))

    def behind(self, exec_type: ExecType) -> None:
        """What is told next comes behind all of that kind."""
        found = {n for n, one in enumerate(self.told) if one.exec_type is exec_type}
        self.needs.setdefault(len(self.told), set()).update(found)

    def fill(self, n: int) -> None:
        qty = min(Decimal(n), self.order_qty - self.cum_qty)
        if qty > 0 and self.closed is None:
            exec_id, price = f"T{len(self.trades)}-{len(self.told)}", Decimal(100) + n
            self.trades[exec_id] = (qty, price)
            self.behind(ExecType.TRADE_CANCEL)
            if self.cum_qty > 100:
                self.behind(ExecType.REPLACED)
            self.tell(ExecType.TRADE, exec_id=exec_id, last_qty=qty, last_px=price)

    def amend(self, n: int, *, bust: bool) -> None:
        """Of a trade that was not amended before."""
        named = {report.exec_ref_id for report in self.told}
        free = [one for one in self.trades if one not in named]
        if not free:
            return
        exec_id = free[n % len(free)]
        first = next(i for i, one in enumerate(self.told) if one.exec_id == exec_id)
        self.needs[len(self.told)] = {first}
        qty, price = self.trades[exec_id]
        if bust:
            del self.trades[exec_id]
            self.tell(ExecType.TRADE_CANCEL, exec_ref_id=exec_id, last_qty=qty, last_px=price)
        else:
            price += 1
            self.trades[exec_id] = (qty, price)
            self.tell(ExecType.TRADE_CORRECT, exec_ref_id=exec_id, last_qty=qty, last_px=price)

    def end(self, exec_type: ExecType) -> None:
        """Behind a replace: what ends while one is pending is carried out anew, as a new order."""
        if self.closed is None and self.cum_qty < self.order_qty:
            self.behind(ExecType.REPLACED)
            self.behind(ExecType.TRADE_CANCEL)
            self.closed = exec_type
            self.tell(exec_type)


def play(steps: list[tuple[str, int]], *, replaced: bool, order: list[int] | None) -> World:
    """The stream of these steps; in that order, where one is given."""
    world = World(ONE_VENUE)
    world.connect("XA")
    world.new("c1", "100")
    child = world.child("c1")
    stream = Stream(world=world, child=child)
    if replaced:
        world.ack(child)
        world.replace("c2", "c1", "150")
    else:
        stream.tell(ExecType.NEW)
    for kind, n in steps:
        match kind:
            case "fill":
                stream.fill(n)
            case "bust" | "correct":
                stream.amend(n, bust=kind == "bust")
            case "replaced" if replaced and stream.name == child.cl_ord_id and not stream.closed:
                stream.name, stream.order_qty = child.requests[0].cl_ord_id, Decimal(150)
                stream.tell(ExecType.REPLACED, orig_cl_ord_id=child.cl_ord_id)
            case "canceled":
                stream.end(ExecType.CANCELED)
            case "expired":
                stream.end(ExecType.EXPIRED)
            case _:
                pass
    effects = [*world.effects]
    for report in stream.told if order is None else mixed(stream, order):
        world.send(report)
        effects += world.effects
        check_state(world.state)
    for _ in range(3):  # what is unclear is asked, and the venue says how it stands
        if child.in_doubt:
            world.send(stream.say(ExecType.ORDER_STATUS))
            effects += world.effects
    world.effects = effects
    check_same(world.state, world.replayed())
    return world


def mixed(stream: Stream, order: list[int]) -> list[ExecutionReport]:
    """Each report at least once, those that name another behind it; and copies in between."""
    total = len(stream.told)
    if not total:
        return []
    arrived: list[int] = []
    left = list(dict.fromkeys([*(n % total for n in order), *range(total)]))
    while left:
        found = next(one for one in left if stream.needs.get(one, set()).isdisjoint(left))
        left.remove(found)
        arrived.append(found)
    for n in order:  # copies anywhere; of what names another too early as well
        copy, position = n % total, n // 7 % (total + 1)
        names_another = bool(stream.told[copy].exec_ref_id)
        if names_another or stream.needs.get(copy, set()) <= set(arrived[:position]):
            arrived.insert(position, copy)
    return [stream.told[one] for one in arrived]


def story(world: World) -> Counter[tuple[object, ...]]:
    """What the client was told that may be told once only: kinds, and of trades their figures."""
    return Counter(
        (one.exec_type, one.last_qty, one.last_px)
        for one in world.effects
        if isinstance(one, fx.SendExecutionReport) and one.exec_type in TOLD_ONCE
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fill", "fill", "fill", "bust", "correct", "replaced"]),
        st.integers(1, 70),
    ),
    max_size=8,
)


@settings(max_examples=400, deadline=None)
@given(
    steps=STEPS,
    end=st.sampled_from(["none", "canceled", "expired"]),
    replaced=st.booleans(),
    order=st.lists(st.integers(0, 999), max_size=14),
)
def test_any_order_and_repetition_of_a_legal_stream_is_one_story(
    steps: list[tuple[str, int]], end: str, replaced: bool, order: list[int]
) -> None:
    told = [*steps, ("replaced", 0), (end, 0)]
    straight = play(told, replaced=replaced, order=None)
    mixed_up = play(told, replaced=replaced, order=order)
    for found, wanted in (
        (mixed_up.child("c1"), straight.child("c1")),
        (mixed_up.order("c1"), straight.order("c1")),
    ):
        assert found.cum_qty == wanted.cum_qty
        assert found.traded_value == wanted.traded_value
        assert (found.order_qty, found.leaves_qty) == (wanted.order_qty, wanted.leaves_qty)
        assert found.ord_status is wanted.ord_status
        assert found.in_doubt is wanted.in_doubt
    for key, position in straight.state.positions.items():
        again = mixed_up.state.positions[key]
        assert (again.quantity, again.bought, again.sold) == (
            position.quantity,
            position.bought,
            position.sold,
        )
        assert (again.cost, again.realised) == (position.cost, position.realised)
    assert story(mixed_up) == story(straight)
