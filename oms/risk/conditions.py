"""What an order's type, time in force and conditions ask for together: each fault by its rule."""

from collections.abc import Iterator
from decimal import Decimal

from oms.domain.conditions import PLAIN_TIMES, PLAIN_TYPES, Conditions
from oms.domain.fix import ExecInst, OrdType, TimeInForce
from oms.domain.instrument import Instrument
from oms.domain.reasons import Reason
from oms.domain.terms import OrderTerms
from oms.domain.values import decimal_text, is_multiple, utc
from oms.domain.verdict import Verdict

_PEGS = frozenset({ExecInst.PRIMARY_PEG, ExecInst.MIDPOINT_PEG})
_AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})
_NONE = Conditions()


def is_plain(terms: OrderTerms) -> bool:
    """Whether there is nothing to look at here."""
    return (
        terms.conditions is None
        and terms.ord_type in PLAIN_TYPES
        and terms.time_in_force in PLAIN_TIMES
    )


def fault_of(
    terms: OrderTerms, instrument: Instrument, at: int, trade_date: str, *, again: bool
) -> Verdict | None:
    """The first fault of an order of that kind; again: it was accepted before and is replaced."""
    asked = terms.conditions or _NONE
    for reason, text in (
        *_stop_faults(terms, asked, instrument),
        *_time_faults(terms, asked, at, trade_date, again=again),
        *_peg_faults(terms, asked),
        *_halt_faults(asked),
        *_quantity_faults(terms, asked, instrument, again=again),
    ):
        return Verdict(reason=reason, text=text)
    return None


Fault = tuple[Reason, str]


def _stop_faults(terms: OrderTerms, asked: Conditions, instrument: Instrument) -> Iterator[Fault]:
    stop_px, stops = asked.stop_px, terms.ord_type.is_stop
    if not stops:
        if stop_px is not None:
            named = f"StopPx (99) = {decimal_text(stop_px)}"
            yield Reason.PRICE_NOT_ALLOWED, f"{named}: only on a stop or stop limit order"
        return
    if stop_px is None:
        yield Reason.PRICE_MISSING, "StopPx (99): required on a stop or stop limit order"
        return
    named = f"StopPx (99) = {decimal_text(stop_px)}"
    if stop_px <= 0:
        yield Reason.PRICE_NOT_POSITIVE, f"{named}: must be greater than zero"
    elif not is_multiple(stop_px, instrument.tick):
        tick = decimal_text(instrument.tick)
        yield Reason.OFF_TICK, f"{named}: must be a multiple of tick {tick}"
    if terms.time_in_force in _AUCTIONS:
        named = f"TimeInForce (59) = {terms.time_in_force} ({terms.time_in_force.name})"
        yield Reason.CONDITION_INVALID, f"{named}: not on a stop or stop limit order"


def _time_faults(
    terms: OrderTerms, asked: Conditions, at: int, trade_date: str, *, again: bool
) -> Iterator[Fault]:
    odd = Reason.CONDITION_INVALID
    until = terms.time_in_force is TimeInForce.GTD
    given = [
        name
        for name, value in (
            ("ExpireTime (126)", asked.expire_time),
            ("ExpireDate (432)", asked.expire_date),
        )
        if value
    ]
    if not until:
        for name in given:
            yield odd, f"{name}: only with TimeInForce (59) = 6 (GTD)"
        return
    if len(given) != 1:
        rule = "exactly one of ExpireTime (126) and ExpireDate (432) is required with it"
        yield odd, f"TimeInForce (59) = 6 (GTD): {rule}"
        return
    if again:
        return
    if asked.expire_time and asked.expire_time <= at:
        moment = f"{utc(asked.expire_time):%Y%m%d-%H:%M:%S}"
        yield odd, f"ExpireTime (126) = {moment}: must be in the future"
    if asked.expire_date and asked.expire_date < trade_date:
        named = f"ExpireDate (432) = {asked.expire_date}"
        yield odd, f"{named}: must not be before the trading date {trade_date}"


def _peg_faults(terms: OrderTerms, asked: Conditions) -> Iterator[Fault]:
    odd, pegged = Reason.CONDITION_INVALID, terms.ord_type is OrdType.PEGGED
    pegs = [one for one in asked.exec_inst if one in _PEGS]
    if pegged and len(pegs) != 1:
        rule = "exactly one of ExecInst (18) R (PRIMARY_PEG) and M (MIDPOINT_PEG) is required"
        yield odd, f"OrdType (40) = P (PEGGED): {rule}"
    if not pegged:
        for one in pegs:
            yield odd, f"ExecInst (18) = {one} ({one.name}): only with OrdType (40) = P (PEGGED)"
        if asked.peg_offset is not None:
            named = f"PegOffsetValue (211) = {decimal_text(asked.peg_offset)}"
            yield odd, f"{named}: only with OrdType (40) = P (PEGGED)"


def _halt_faults(asked: Conditions) -> Iterator[Fault]:
    cancel, reinstate = ExecInst.CANCEL_ON_TRADING_HALT, ExecInst.REINSTATE_ON_TRADING_HALT
    if cancel in asked.exec_inst and reinstate in asked.exec_inst:
        rule = f"not together with {reinstate} ({reinstate.name})"
        yield Reason.CONDITION_INVALID, f"ExecInst (18) = {cancel} ({cancel.name}): {rule}"


def _quantity_faults(
    terms: OrderTerms, asked: Conditions, instrument: Instrument, *, again: bool
) -> Iterator[Fault]:
    for name, value in (("MinQty (110)", asked.min_qty), ("MaxFloor (111)", asked.max_floor)):
        if value is not None:
            yield from _part_faults(name, value, terms.order_qty, instrument.lot, again=again)
    whole = ExecInst.ALL_OR_NONE in asked.exec_inst
    for name, value in (("MinQty (110)", asked.min_qty), ("MaxFloor (111)", asked.max_floor)):
        if whole and value is not None:
            rule = "not together with ExecInst (18) = G (ALL_OR_NONE)"
            yield Reason.CONDITION_INVALID, f"{name} = {decimal_text(value)}: {rule}"


def _part_faults(
    name: str, value: Decimal, order_qty: Decimal, lot: Decimal, *, again: bool
) -> Iterator[Fault]:
    named = f"{name} = {decimal_text(value)}"
    if value <= 0:
        yield Reason.QUANTITY_NOT_POSITIVE, f"{named}: must be greater than zero"
    elif not is_multiple(value, lot):
        yield Reason.OFF_LOT, f"{named}: must be a multiple of lot {decimal_text(lot)}"
    elif value > order_qty and not again:
        rule = f"must not be above OrderQty (38) = {decimal_text(order_qty)}"
        yield Reason.CONDITION_INVALID, f"{named}: {rule}"


def cash_fault(asked: Conditions, lot: Decimal) -> Verdict:
    """Why the cash of an order came to no quantity."""
    cash = asked.cash_order_qty
    assert cash is not None
    named = f"CashOrderQty (152) = {decimal_text(cash)}"
    if cash <= 0:
        text = f"{named}: must be greater than zero"
        return Verdict(reason=Reason.QUANTITY_NOT_POSITIVE, text=text)
    if asked.cash_px is None:
        text = f"{named}: there is no limit price and no reference price to divide it by"
        return Verdict(reason=Reason.NO_REFERENCE_PRICE, text=text)
    at = f"{decimal_text(asked.cash_px)}, the {asked.cash_px_source}"
    text = f"{named}: must be enough for a lot of {decimal_text(lot)} at {at}"
    return Verdict(reason=Reason.QUANTITY_NOT_POSITIVE, text=text)
