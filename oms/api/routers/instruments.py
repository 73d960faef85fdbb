"""Instruments: GET /v1/instruments and /v1/instruments/{symbol}."""

from typing import Annotated

from fastapi import Path

from oms.api.context import Ctx
from oms.api.problems import not_found, responses
from oms.api.routers.common import Narrow, router
from oms.api.shown import Instrument, Listing
from oms.api.values import PRINTABLE
from oms.settings import InstrumentSettings, Settings

api = router("instruments")


@api.get("/instruments", summary="Every instrument that orders may name")
def get_instruments(
    context: Ctx, venue: Narrow = None, currency: Narrow = None
) -> Listing[Instrument]:
    """Reference data, by symbol."""
    shown = [_shown(context.settings, one) for one in context.settings.instruments]
    items = [
        one
        for one in sorted(shown, key=lambda one: one.symbol)
        if (venue is None or venue in one.venues) and (currency is None or currency == one.currency)
    ]
    return Listing(items=items)


@api.get("/instruments/{symbol:path}", summary="One instrument", responses=responses(404))
def get_instrument(
    context: Ctx, symbol: Annotated[str, Path(max_length=64, pattern=PRINTABLE)]
) -> Instrument:
    """Reference data of one symbol, which may hold a slash."""
    for one in context.settings.instruments:
        if one.symbol == symbol:
            return _shown(context.settings, one)
    raise not_found("instrument", symbol)


def _shown(settings: Settings, one: InstrumentSettings) -> Instrument:
    venues = one.venues or tuple(venue.name for venue in settings.venues)
    return Instrument(
        symbol=one.symbol,
        currency=one.currency,
        tick=one.tick,
        lot=one.lot,
        security_type=one.security_type,
        venues=list(venues),
        reference_px=one.reference_px,
        tradable=one.tradable,
    )
