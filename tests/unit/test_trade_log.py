"""A position's trades: as they were booked, each amendable, however many there are."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.fix import Side
from oms.domain.order import Execution
from oms.domain.trade_log import Trade, TradeLog

PRICES = st.decimals("0.0001", "99999", places=4)


def execution(last_qty: Decimal, last_px: Decimal, *, busted: bool) -> Execution:
    return Execution(
        venue="XA",
        exec_id="E1",
        child_id="C1",
        last_qty=last_qty,
        last_px=last_px,
        at=1,
        busted=busted,
    )


def test_other_trades_are_not_the_same() -> None:
    some, others = TradeLog(), TradeLog()
    assert some == others
    some.add(Side.BUY, Decimal(1), Decimal(100))
    assert some != others


@given(
    PRICES,
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 199), PRICES, st.booleans()), max_size=20),
)
def test_it_does_as_a_list_would(
    last_px: Decimal, count: int, amended: list[tuple[int, Decimal, bool]]
) -> None:
    log = TradeLog()
    wanted: list[Trade | None] = []
    for n in range(count):
        trade = (Side.BUY if n % 3 else Side.SELL, Decimal(n) + Decimal("0.10"), last_px)
        assert log.add(*trade) == n
        wanted.append(trade)
    for place, price, busted in amended:
        if place < count:
            told = execution(Decimal("1.0"), price, busted=busted)
            log.amend(place, Side.BUY, told)
            wanted[place] = None if busted else (Side.BUY, Decimal("1.0"), price)
    assert len(log) == count
    assert repr(list(log)) == repr(wanted), "to the last digit as written"
