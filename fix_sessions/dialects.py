"""What FIX 4.2 and FIX 5.0 SP2 spell differently from FIX 4.4, in which decode and encode think.

`read` makes a message's fields those of FIX 4.4, `write` makes FIX 4.4's those of the version: by
MsgType (35), for either side of a session. A message without an entry is the same in both. FIX 4.4
itself has no dialect, so that nothing is looked up for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fix_sessions.fields import Pairs, Refusal, named, shown
from fix_sessions.list_entries import per_order
from oms.domain.fix import MsgType, SessionRejectReason
from oms.domain.values import ValueRefused, parse_decimal

Translation = Callable[[Pairs], Pairs]

FIX44, FIX42, FIXT11 = "FIX.4.4", "FIX.4.2", "FIXT.1.1"
BEGIN_STRINGS: Final = (FIX42, FIX44, FIXT11)
APPL_VER_ID: Final = "9"  # FIX 5.0 SP2, as DefaultApplVerID (1137) and ApplVerID (1128) say it


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One version. required: what a client's request must have here though FIX 4.4 lets it go.

    absent: messages that we exchange and that the version has not. appl_ver_id: what a message's
    ApplVerID (1128) must be, where the version has that.
    """

    read: Mapping[str, Translation]
    write: Mapping[str, Translation]
    required: Mapping[str, tuple[int, ...]]
    absent: frozenset[str] = frozenset()
    appl_ver_id: str = ""


def dialect_of(begin_string: str) -> Dialect | None:
    """How a session of that BeginString (8) speaks; None: FIX 4.4, as we think."""
    return _DIALECTS.get(begin_string)


# FIX 4.2: ExecTransType (20) says what later versions say by ExecType (150).

_TRANS_TYPES: Final = {"H": "1", "G": "2", "I": "3"}  # bust, correction, status
_EXEC_TYPES: Final = {trans: exec_type for exec_type, trans in _TRANS_TYPES.items()}
_FILLS: Final = frozenset("12")  # Partial fill, Fill: Trade (F) from FIX 4.3 on
# Triggered (L) is told as the order's status: it changes none of what a report can say here.
_TOLD_AS: Final = _TRANS_TYPES | {"L": "3"}
_SINCE_43: Final = frozenset("FGHIL")
_EXEC_INSTS: Final = frozenset("0123456789ABCDEFGILMNOPRSTUVW")
# Order types that became LIMIT or MARKET with TimeInForce At the Close.
_ON_CLOSE: Final = {"5": "1", "B": "2"}
_AT_THE_CLOSE: Final = "7"
# Enumerations that grew: what FIX 4.2 has, and what else is told as.
_ORD_REJ_REASONS: Final = (frozenset("012345678"), "0")
_RESTATEMENTS: Final = (frozenset("012345"), "4")
_CXL_REJ_REASONS: Final = (frozenset("0123"), "2")
_SESSION_REJECT_REASONS: Final = frozenset(map(str, range(12)))
# OrdStatusReqID, MassStatusReqID, TotNumReports, LastRptRequested
_SINCE_43_TAGS: Final = (790, 584, 911, 912)


def _value(fields: Pairs, tag: int) -> str:
    return next((value for found, value in fields if found == tag), "")


def _put(fields: Pairs, tag: int, value: str) -> Pairs:
    """The fields with that value in the place of the tag's, or at the end."""
    if any(found == tag for found, _ in fields):
        return [(found, value if found == tag else old) for found, old in fields]
    return [*fields, (tag, value)]


def _without(fields: Pairs, *tags: int) -> Pairs:
    return [field for field in fields if field[0] not in tags]


def _number(fields: Pairs, tag: int) -> Decimal | None:
    """None for what is no number: decode judges it."""
    try:
        return parse_decimal(_value(fields, tag))
    except ValueRefused:
        return None


def _wrong(tag: int, value: str, rule: str) -> Refusal:
    return Refusal(
        reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
        tag=tag,
        text=f"{named(tag)} = {shown(value)}: {rule}",
    )


def _read_report(fields: Pairs) -> Pairs:
    trans = _value(fields, 20) or "0"
    exec_type = _value(fields, 150)
    if trans in _EXEC_TYPES:
        exec_type = _EXEC_TYPES[trans]
    elif trans != "0":
        raise _wrong(20, trans, "must be one of 0 (NEW), 1 (CANCEL), 2 (CORRECT), 3 (STATUS)")
    elif exec_type in _SINCE_43:
        raise _wrong(150, exec_type, "is not an ExecType of FIX 4.2")
    elif exec_type in _FILLS:
        exec_type = "F"
    made = _without(fields, 20)
    return _read_status(_put(made, 150, exec_type) if exec_type else made)


def _read_status(fields: Pairs) -> Pairs:
    """Replaced (5) is no state of an order from FIX 4.3 on: what it is besides counts."""
    if _value(fields, 39) != "5":
        return fields
    if not _number(fields, 14):
        return _put(fields, 39, "0")
    return _put(fields, 39, "1" if _number(fields, 151) else "2")


def _write_report(fields: Pairs) -> Pairs:
    exec_type, status = _value(fields, 150), _value(fields, 39)
    trans = _TOLD_AS.get(exec_type, "0")
    if exec_type == "F":
        exec_type = "2" if _is_complete(fields) else "1"
    elif exec_type in _TOLD_AS:
        exec_type = status
    elif exec_type == "5" and status == "0":
        status = "5"
    made = _put(_put(_without(fields, *_SINCE_43_TAGS), 150, exec_type), 39, status)
    told = _told(_closing_type([*made, (20, trans)]), 103, _ORD_REJ_REASONS)
    return _told(told, 378, _RESTATEMENTS)


def _is_complete(fields: Pairs) -> bool:
    cum_qty, order_qty = _number(fields, 14), _number(fields, 38)
    if cum_qty is None or not order_qty:
        return _value(fields, 39) == "2"
    return cum_qty >= order_qty


def _told(fields: Pairs, tag: int, known: tuple[frozenset[str], str]) -> Pairs:
    values, other = known
    value = _value(fields, tag)
    return _put(fields, tag, other) if value and value not in values else fields


def _write_cancel_reject(fields: Pairs) -> Pairs:
    return _told(fields, 102, _CXL_REJ_REASONS)


def _write_reject(fields: Pairs) -> Pairs:
    known = _value(fields, 373) in _SESSION_REJECT_REASONS
    return fields if known else _without(fields, 373)


def _closing_type(fields: Pairs) -> Pairs:
    """Market and limit on close as FIX 4.2 has them."""
    if _value(fields, 59) != _AT_THE_CLOSE:
        return fields
    for older, newer in _ON_CLOSE.items():
        if _value(fields, 40) == newer:
            return _put(_without(fields, 59), 40, older)
    return fields


def _write_order(fields: Pairs) -> Pairs:
    """Of ExecInst (18) what FIX 4.2 has; the rest is the server's own to carry out."""
    known = [one for one in _value(fields, 18).split() if one in _EXEC_INSTS]
    made = _put(fields, 18, " ".join(known)) if known else _without(fields, 18)
    return _closing_type(made)


def _read_order(fields: Pairs) -> Pairs:
    ord_type = _ON_CLOSE.get(_value(fields, 40))
    if ord_type is None:
        return fields
    return _put(_put(fields, 40, ord_type), 59, _AT_THE_CLOSE)


def _write_list_status(fields: Pairs) -> Pairs:
    """No LastFragment (893): NoRpts and RptSeq say the same."""
    return per_order(lambda one: _told(one, 103, _ORD_REJ_REASONS))(_without(fields, 893))


def _read_day_request(fields: Pairs) -> Pairs:
    """TradSesStatus has no value here for a request that is refused."""
    session = _value(fields, 336) or "1"
    if session != "1":
        raise _wrong(336, session, "must be 1")
    return fields


_42: Final = Dialect(
    read={
        "g": _read_day_request,
        MsgType.EXECUTION_REPORT.value: lambda fields: _read_order(_read_report(fields)),
        MsgType.ORDER_CANCEL_REJECT.value: _read_status,
        MsgType.NEW_ORDER_SINGLE.value: _read_order,
        MsgType.ORDER_CANCEL_REPLACE_REQUEST.value: _read_order,
        "E": per_order(_read_order),
    },
    write={
        MsgType.EXECUTION_REPORT.value: _write_report,
        MsgType.ORDER_CANCEL_REJECT.value: _write_cancel_reject,
        MsgType.REJECT.value: _write_reject,
        MsgType.NEW_ORDER_SINGLE.value: _write_order,
        MsgType.ORDER_CANCEL_REPLACE_REQUEST.value: _write_order,
        "N": _write_list_status,
    },
    required={
        MsgType.NEW_ORDER_SINGLE.value: (21, 60),
        MsgType.ORDER_CANCEL_REPLACE_REQUEST.value: (21, 54, 55, 60),
        MsgType.ORDER_CANCEL_REQUEST.value: (54, 55, 60),
        MsgType.ORDER_STATUS_REQUEST.value: (54, 55),
    },
    absent=frozenset(
        {MsgType.ORDER_MASS_STATUS_REQUEST.value, "q", "r", "x", "y", "AD", "AE", "AQ"}
    ),
)


# FIX 5.0 SP2: who an order is for may stand among the parties; what is shown, and what a pegged
# order follows, have tags of their own.

_NO_PARTIES, _PARTY_ID, _PARTY_ROLE = 453, 448, 452
_CUSTOMER_ACCOUNT: Final = "24"
_MAX_FLOOR, _DISPLAY_QTY = 111, 1138
_EXEC_INST, _PEG_PRICE_TYPE = 18, 1094
_PEGS: Final = {"2": "M", "5": "R"}  # midpoint, primary: instructions up to FIX 4.4


def _read_request(fields: Pairs) -> Pairs:
    made = [(_MAX_FLOOR if tag == _DISPLAY_QTY else tag, value) for tag, value in fields]
    peg = _PEGS.get(_value(made, _PEG_PRICE_TYPE))
    if peg is not None:
        insts = [one for one in _value(made, _EXEC_INST).split() if one != peg]
        made = _put(_without(made, _PEG_PRICE_TYPE), _EXEC_INST, " ".join([*insts, peg]))
    if not _value(made, _NO_PARTIES) or _value(made, 1):
        return made
    party = ""
    for tag, value in made:
        if tag == _PARTY_ID:
            party = value
        elif tag == _PARTY_ROLE and value == _CUSTOMER_ACCOUNT:
            return [*made, (1, party)]
    return made


def _write_request(fields: Pairs) -> Pairs:
    made = [(_DISPLAY_QTY if tag == _MAX_FLOOR else tag, value) for tag, value in fields]
    insts = _value(made, _EXEC_INST).split()
    for peg_price_type, peg in _PEGS.items():
        if peg in insts:
            insts.remove(peg)
            made = [*_without(made, _EXEC_INST), (_PEG_PRICE_TYPE, peg_price_type)]
            return [*made, (_EXEC_INST, " ".join(insts))] if insts else made
    return made


def _write_mass_cancel_report(fields: Pairs) -> Pairs:
    """MassActionReportID (1369) is our name for the request, as OrderID is."""
    return [*fields, (1369, _value(fields, 37))]


_REQUESTS: Final = (
    MsgType.NEW_ORDER_SINGLE.value,
    MsgType.ORDER_CANCEL_REPLACE_REQUEST.value,
)
_50SP2: Final = Dialect(
    read={**dict.fromkeys((*_REQUESTS, "q", "AF"), _read_request), "E": per_order(_read_request)},
    write={**dict.fromkeys(_REQUESTS, _write_request), "r": _write_mass_cancel_report},
    required={MsgType.NEW_ORDER_SINGLE.value: (60,)},
    appl_ver_id=APPL_VER_ID,
)

_DIALECTS: Final = {FIX42: _42, FIXT11: _50SP2}
