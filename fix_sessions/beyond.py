"""What an order may ask for by FIX and is not done here: refused by name, never passed over.

A field that says when, where, at what price, how much of it shown or in what unit an order is to
trade makes another order of it. What only informs is passed over.
"""

from fix_sessions.fields import Fields, Refusal, shown
from oms.domain.fix import SessionRejectReason

# The name, and the values that ask for nothing but what is done anyway.
_BEYOND: dict[int, tuple[str, tuple[str, ...]]] = {
    100: ("ExDestination", ()),
    168: ("EffectiveTime", ()),
    200: ("MaturityMonthYear", ()),
    201: ("PutOrCall", ()),
    202: ("StrikePrice", ()),
    210: ("MaxShow", ()),
    388: ("DiscretionInst", ()),
    389: ("DiscretionOffsetValue", ("0",)),
    423: ("PriceType", ("2",)),
    516: ("OrderPercent", ()),
    541: ("MaturityDate", ()),
    555: ("NoLegs", ("0",)),
    836: ("PegOffsetType", ("0",)),
    847: ("TargetStrategy", ()),
    854: ("QtyType", ("0",)),
    1100: ("TriggerType", ()),
    1138: ("DisplayQty", ()),
}
_TAGS = frozenset(_BEYOND)


def refuse_beyond(fields: Fields) -> None:
    """Raises Refusal for the first such field. FIX 5.0's DisplayQty has become MaxFloor by now."""
    if _TAGS.isdisjoint(fields.by_tag):
        return
    for tag, (name, neutral) in _BEYOND.items():
        value = fields.by_tag.get(tag)
        if value is None or value in neutral:
            continue
        allowed = f"{neutral[0]} or absent" if neutral else "absent"
        raise Refusal(
            reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
            tag=tag,
            text=f"{name} ({tag}) = {shown(value)}: must be {allowed}, as it is not done here",
        )
