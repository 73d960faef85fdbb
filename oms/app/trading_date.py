"""The trading date of a moment, from the configured time zone and cut-off."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from oms.domain.values import utc
from oms.settings.model import TradingDaySettings


def trade_date_at(settings: TradingDaySettings, at: int) -> date:
    """The local date at that stamp; from the cut-off on, the next day's."""
    local = utc(at).astimezone(ZoneInfo(settings.time_zone))
    after = local.time() >= settings.cut_off
    return local.date() + timedelta(days=1) if after else local.date()
