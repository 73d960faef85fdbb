"""The exchange calendars' codes, so that a check of the configuration need not load pandas; and the
holidays of one, which need it.

A unit test compares the codes with the installed exchange_calendars.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final

CALENDARS: Final = frozenset(
    name
    for line in (
        "24/5 24/7 AIXK ARCX ASEX ASX BATS BMF BSE BVB BVMF CBOT CFE CME CMES COMEX FWB HKEX",
        "ICE ICEUS IEPA JKT JPX LSE LUXSE NASDAQ NYFE NYMEX NYSE OOTC OSE SIX SSE TASE TSX",
        "XAMS XASE XASX XBDA XBEL XBKK XBOG XBOM XBRA XBRU XBSE XBUD XBUE XCBF XCSE XCYS XDUB",
        "XDUS XEEE XETR XEUR XFRA XHAM XHEL XHKG XICE XIDX XIST XJSE XKAR XKLS XKRX XLIM XLIS",
        "XLIT XLJU XLON XLUX XMAD XMEX XMIL XMOS XNAS XNYS XNZE XOSL XPAR XPHS XPRA XRIS XSAU",
        "XSES XSGO XSHG XSTO XSTU XSWX XTAE XTAI XTAL XTKS XTSE XTSX XWAR XWBO XZAG",
        "us_futures",
    )
    for name in line.split()
)

# Sessions are looked at from so long ago on: enough to tell on which weekdays there are some.
_BEHIND: Final = timedelta(days=90)


@cache
def holidays_of(code: str) -> frozenset[date]:
    """Dates on which the exchange is closed though it usually opens on that weekday, from a month
    ago on until its calendar ends, about a year ahead. Asked once by each process.
    """
    import exchange_calendars  # noqa: PLC0415 -- brings pandas: half a second, and only for this

    first = datetime.now(UTC).date() - _BEHIND
    calendar = exchange_calendars.get_calendar(code, start=first)
    sessions = {one.date() for one in calendar.sessions}
    last = max(sessions)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    opens = Counter(one.weekday() for one in sessions)
    usual = {weekday for weekday, count in opens.items() if 14 * count > len(days)}
    return frozenset(one for one in days if one.weekday() in usual and one not in sessions)
