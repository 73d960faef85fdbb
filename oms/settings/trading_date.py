"""The trading date of a moment, from the configured time zone and cut-off."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from oms.settings.model import TradingDaySettings


def trade_date_of(settings: TradingDaySettings, moment: datetime) -> date:
    """The local date; from the cut-off on, the next day's."""
    local = moment.astimezone(ZoneInfo(settings.time_zone))
    after = local.time() >= settings.cut_off
    return local.date() + timedelta(days=1) if after else local.date()
