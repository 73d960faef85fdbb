"""The instruments, venues and clients of a simulated desk."""

from decimal import Decimal

from oms.domain.instrument import Client, Instrument, Reference, Venue
from oms.simulation.plan import Plan


def reference_of(plan: Plan) -> Reference:  # noqa: ARG001 - profiles will be drawn
    """Instruments, venues and clients."""
    instruments = {
        symbol: Instrument(
            symbol=symbol,
            currency="USD",
            tick=Decimal("0.01"),
            lot=Decimal(1),
            venues=venues,
            reference_px=Decimal(100),
        )
        for symbol, venues in (("AAPL", ("XA", "XB")), ("MSFT", ("XB",)))
    }
    return Reference(
        instruments=instruments,
        venues={
            "XA": Venue(name="XA", session="XA", fee_bps=Decimal("0.3")),
            "XB": Venue(name="XB", session="XB", fee_bps=Decimal("0.1")),
        },
        clients={
            "ALPHA": Client(name="ALPHA", session="ALPHA", accounts=frozenset({"A1", "A2"})),
            "BETA": Client(name="BETA", session="BETA", accounts=frozenset({"B1"})),
        },
    )
