"""An order's conditions on the wire, both ways; see oms.domain.conditions."""

import re
from datetime import date
from decimal import Decimal

from fix_sessions.fields import Fields, Refusal, named, shown
from fix_sessions.wire import utc_timestamp_ms
from oms.domain.conditions import Conditions, DayFigures
from oms.domain.fix import ExecInst, SessionRejectReason
from oms.domain.values import ZERO, decimal_text

_STOP_PX, _EXPIRE_TIME, _EXPIRE_DATE, _MIN_QTY, _MAX_FLOOR = 99, 126, 432, 110, 111
_EXEC_INST, _ORDER_QTY, _CASH_ORDER_QTY, _PEG_OFFSET = 18, 38, 152, 211
_TAGS = frozenset(
    {
        _STOP_PX,
        _EXPIRE_TIME,
        _EXPIRE_DATE,
        _MIN_QTY,
        _MAX_FLOOR,
        _EXEC_INST,
        _CASH_ORDER_QTY,
        _PEG_OFFSET,
    }
)
_EXEC_INSTS = {one.value: one for one in ExecInst}
_LOCAL_MKT_DATE = re.compile("[0-9]{8}").fullmatch


def read_conditions(fields: Fields) -> Conditions | None:
    """What the message asks for of them; None: nothing. Raises Refusal."""
    if _TAGS.isdisjoint(fields.by_tag):
        return None
    return Conditions(
        stop_px=fields.optional_decimal(_STOP_PX),
        expire_time=fields.timestamp(_EXPIRE_TIME),
        expire_date=_date(fields),
        min_qty=fields.optional_decimal(_MIN_QTY),
        max_floor=fields.optional_decimal(_MAX_FLOOR),
        exec_inst=_exec_insts(fields),
        cash_order_qty=fields.optional_decimal(_CASH_ORDER_QTY),
        peg_offset=fields.optional_decimal(_PEG_OFFSET),
    )


def order_qty(fields: Fields) -> Decimal:
    """OrderQty (38); zero where CashOrderQty (152) stands in its place. Raises Refusal."""
    if _CASH_ORDER_QTY not in fields.by_tag:
        if _ORDER_QTY in fields.by_tag:
            return fields.decimal(_ORDER_QTY)
        raise Refusal(
            reason_code=SessionRejectReason.REQUIRED_TAG_MISSING,
            tag=_ORDER_QTY,
            text="neither CashOrderQty (152) nor OrderQty (38): required tag missing",
        )
    if _ORDER_QTY in fields.by_tag:
        raise _wrong(fields, _CASH_ORDER_QTY, "must not stand together with OrderQty (38)")
    return ZERO


def _wrong(fields: Fields, tag: int, rule: str) -> Refusal:
    return Refusal(
        reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
        tag=tag,
        text=f"{named(tag)} = {shown(fields.by_tag[tag])}: {rule}",
    )


def _date(fields: Fields) -> str:
    value = fields.by_tag.get(_EXPIRE_DATE)
    if value is None:
        return ""
    try:
        if _LOCAL_MKT_DATE(value):
            return date.fromisoformat(f"{value[:4]}-{value[4:6]}-{value[6:]}").isoformat()
    except ValueError:
        pass
    raise Refusal(
        reason_code=SessionRejectReason.INCORRECT_DATA_FORMAT,
        tag=_EXPIRE_DATE,
        text=f"{named(_EXPIRE_DATE)} = {shown(value)}: must be a date as YYYYMMDD",
    )


def _exec_insts(fields: Fields) -> tuple[ExecInst, ...]:
    """Each instruction once, as they were given."""
    if _EXEC_INST not in fields.by_tag:
        return ()
    found: dict[ExecInst, None] = {}
    for one in fields.text(_EXEC_INST).split(" "):
        known = _EXEC_INSTS.get(one)
        if known is None:
            allowed = ", ".join(f"{one.value} ({one.name})" for one in ExecInst)
            raise _wrong(fields, _EXEC_INST, f"each must be one of {allowed}")
        found[known] = None
    return tuple(found)


def conditions_body(conditions: Conditions) -> list[str]:
    """The fields of what is asked for."""
    numbers = (
        (_STOP_PX, conditions.stop_px),
        (_MIN_QTY, conditions.min_qty),
        (_MAX_FLOOR, conditions.max_floor),
        (_CASH_ORDER_QTY, conditions.cash_order_qty),
        (_PEG_OFFSET, conditions.peg_offset),
    )
    body = [f"{tag}={decimal_text(value)}" for tag, value in numbers if value is not None]
    if conditions.exec_inst:
        body.append(f"{_EXEC_INST}={' '.join(conditions.exec_inst)}")
    if conditions.expire_time:
        body.append(f"{_EXPIRE_TIME}={utc_timestamp_ms(conditions.expire_time)}")
    if conditions.expire_date:
        body.append(f"{_EXPIRE_DATE}={conditions.expire_date.replace('-', '')}")
    return body


def day_body(day: DayFigures) -> list[str]:
    """DayOrderQty (424), DayCumQty (425), DayAvgPx (426)."""
    return [
        f"424={decimal_text(day.order_qty)}",
        f"425={decimal_text(day.cum_qty)}",
        f"426={decimal_text(day.avg_px)}",
    ]
