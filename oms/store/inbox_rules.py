"""Which commands the inbox may carry: what REST, the operators' commands and the jobs send.

Whoever can write a row could otherwise speak for a venue, or stop every core that reads the row by
a value that no table takes. What is refused here is answered and never sequenced.
"""

from dataclasses import fields
from datetime import date
from decimal import Decimal

from oms.domain.commands import (
    Channel,
    CloseTradingDay,
    Command,
    EngageKillSwitch,
    NewOrderSingle,
    OpenTradingDate,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelRequest,
    OrderStatusRequest,
    Origin,
    ReleaseKillSwitch,
    ResolveOrder,
    SetRiskLimit,
)
from oms.domain.conditions import Conditions
from oms.domain.inquiries import ResolveDispute
from oms.domain.orphans import DecideOrphan
from oms.domain.session_commands import (
    ApproveReportsDiscard,
    ApproveSessionReset,
    ReloadSessions,
    RequestReportsDiscard,
    RequestSessionReset,
    StartSession,
    StopSession,
)
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction

ALLOWED = (
    NewOrderSingle,
    OrderCancelRequest,
    OrderCancelReplaceRequest,
    OrderMassCancelRequest,
    OrderStatusRequest,
    SetRiskLimit,
    EngageKillSwitch,
    ReleaseKillSwitch,
    ResolveOrder,
    OpenTradingDate,
    CloseTradingDay,
    StartSession,
    StopSession,
    RequestSessionReset,
    ApproveSessionReset,
    RequestReportsDiscard,
    ApproveReportsDiscard,
    ReloadSessions,
    ResolveDispute,
    DecideOrphan,
    PreviewCorporateAction,
    ApplyCorporateAction,
)
CHANNELS = (Channel.REST, Channel.OPERATOR, Channel.SYSTEM)
_DATES = ("trade_date", "effective_date")
MAX_TEXT = 1_000
LATEST_US = 253_402_300_799_999_999  # the last moment of the year 9999
LARGEST = Decimal(10) ** 15
MOST_DECIMALS = 10


def fault_of(command: Command) -> str:
    """Why the command is refused, naming field, value and rule; empty where it may pass."""
    if not isinstance(command, ALLOWED):
        return f"{type(command).__name__}: is no command that the inbox takes"
    origin = command.origin
    if origin.channel not in CHANNELS:
        allowed = ", ".join(CHANNELS)
        return f"origin.channel = {origin.channel}: must be one of {allowed}"
    if origin.session or origin.epoch or origin.msg_seq_num or origin.raw:
        return f"origin.session = {origin.session!r:.40}: only a FIX session's commands have one"
    conditions = getattr(command, "conditions", None)
    asked = _first_fault(conditions, "conditions.") if conditions is not None else ""
    return _first_fault(origin, "origin.") or _first_fault(command, "") or asked


def _first_fault(record: Command | Origin | Conditions, prefix: str) -> str:
    for field in fields(record):
        value = getattr(record, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            rule = _rule_broken(field.name, one)
            if rule:
                return f"{prefix}{field.name} = {str(one)!r:.40}: {rule}"
    return ""


def _rule_broken(name: str, value: object) -> str:
    if isinstance(value, Decimal):
        fits = value.is_finite() and abs(value) < LARGEST
        exponent = value.as_tuple().exponent
        if not fits or not isinstance(exponent, int) or exponent < -MOST_DECIMALS:
            return "must have at most 15 digits before the point and 10 behind it"
    elif isinstance(value, str) and (name in _DATES or (name == "expire_date" and value)):
        # Dates are compared as texts: of the ISO forms only this one will do.
        if not _is_date(value):
            return "must be a date as YYYY-MM-DD"
    elif isinstance(value, str):
        if len(value) > MAX_TEXT or any(ord(one) < ord(" ") for one in value):
            return f"must be at most {MAX_TEXT} characters, none of them a control character"
    elif type(value) is int and not 0 <= value <= LATEST_US:
        return f"must be between 0 and {LATEST_US}"
    return ""


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
