"""Positions: GET /v1/positions."""

from oms.api.auth import Caller
from oms.api.context import Reader
from oms.api.routers.common import InWindow, Narrow, listing, router
from oms.api.shown import Listing, Position
from oms.api.values import Flag
from oms.queries.positions import list_positions

api = router("positions")


@api.get("/positions", summary="Net positions by account and symbol")
def get_positions(
    *,
    caller: Caller,
    connection: Reader,
    window: InWindow,
    account: Narrow = None,
    symbol: Narrow = None,
    only_open: Flag = False,
) -> Listing[Position]:
    """Quantity, average price and realised profit. A key with a client sees its accounts."""
    accounts = caller.accounts if caller.client else None
    if account is not None:
        accounts = frozenset({account}) & (accounts if accounts is not None else {account})
    page = list_positions(
        connection,
        accounts=accounts,
        symbol=symbol,
        only_open=only_open,
        window=window,
    )
    return listing(Position, page)
