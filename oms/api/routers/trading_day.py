"""The trading day: POST /v1/trading-day/open and /v1/trading-day/close."""

from oms.api import commands
from oms.api.auth import Operator
from oms.api.problems import responses
from oms.api.requests import TradingDate
from oms.api.routers.common import Core, router
from oms.api.shown import CommandState
from oms.api.submit import ACCEPTED

api = router("trading day")


@api.post("/trading-day/open", summary="Begin a trading date", responses=ACCEPTED | responses(409))
async def post_open(caller: Operator, core: Core, body: TradingDate) -> CommandState:
    """Orders belong to this date from now on; ClOrdIDs of closed orders are free again."""
    command = commands.open_date(caller, body.trade_date.isoformat())
    return await core.send(command)


@api.post("/trading-day/close", summary="End a trading date", responses=ACCEPTED | responses(409))
async def post_close(caller: Operator, core: Core, body: TradingDate) -> CommandState:
    """Open Day orders are withdrawn from the venues and expire."""
    command = commands.close_day(caller, body.trade_date.isoformat())
    return await core.send(command)
