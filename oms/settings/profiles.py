"""[clients.profile] and [venues.profile]: what a counterparty does its own way."""

import re
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from oms.domain.profile import (
    BelowCumQty,
    ChainedReplace,
    ClientProfile,
    ClOrdIdScope,
    CustomTags,
    OrphanPolicy,
    Throttle,
    VenueProfile,
    WireProfile,
)
from oms.settings.values import OptionalAccount, Rate, Section, Whole

_P = TypeVar("_P", ClOrdIdScope, BelowCumQty, ChainedReplace, OrphanPolicy, Throttle)
_CUSTOM: Final = re.compile(r"([1-9][0-9]{0,8})=([ -~]+)")
# What identifies a message, or says what it is about, is nobody's to set: the session's own fields,
# ids, instrument, side, quantities, prices, states.
_OURS: Final = frozenset(
    {8, 9, 10, 34, 35, 43, 49, 52, 56, 97, 122, 1128}
    | {6, 11, 14, 17, 19, 20, 31, 32, 37, 38, 39, 40, 41, 44, 54, 55, 59, 60, 150, 151}
    | {45, 102, 103, 371, 372, 373, 379, 380, 434}
)
_MAX_DECIMALS: Final = 10


def _custom(text: str) -> str:
    match = _CUSTOM.fullmatch(text)
    if match is None:
        raise ValueError("must be tag=value in printable characters, like 528=A")
    if int(match[1]) in _OURS:
        raise ValueError(f"tag {match[1]} is set by the server")
    return text


def _named(kind: type[_P]) -> BeforeValidator:
    """A member by its name."""

    def found(value: Any) -> _P:
        if isinstance(value, kind):
            return value
        member = kind.__members__.get(value) if isinstance(value, str) else None
        if member is None:
            raise ValueError(f"must be one of {', '.join(kind.__members__)}")
        return member

    return BeforeValidator(found)


Custom = Annotated[str, AfterValidator(_custom)]
MsgTypeText = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,2}$")]
Decimals = Annotated[Whole, Field(ge=0, le=_MAX_DECIMALS)]


class _ProfileSettings(Section):
    """custom_tags: by MsgType, fields that such messages of ours carry besides, `tag=value`.

    price_decimals, quantity_decimals: how many decimals there are at least.
    """

    custom_tags: dict[MsgTypeText, tuple[Custom, ...]] = Field(default_factory=dict)
    price_decimals: Decimals = 0
    quantity_decimals: Decimals = 0

    def _wire(self) -> WireProfile:
        tags: CustomTags = {
            msg_type: tuple(
                (int(tag), value) for tag, _, value in (t.partition("=") for t in texts)
            )
            for msg_type, texts in self.custom_tags.items()
        }
        return WireProfile(
            custom_tags=tags,
            price_decimals=self.price_decimals,
            quantity_decimals=self.quantity_decimals,
        )


class ClientProfileSettings(_ProfileSettings):
    """See oms.domain.profile.ClientProfile.

    max_messages_per_second: beyond it its messages wait, see oms.runtime.pace, or are refused as
    throttle says; 0: neither.
    """

    cl_ord_id_scope: Annotated[ClOrdIdScope, _named(ClOrdIdScope)] = ClOrdIdScope.DAY
    pending_acks: bool = True
    new_for_immediate: bool = True
    bundled_ioc: bool = False
    new_awaits_venue: bool = False
    replace_below_cum_qty: Annotated[BelowCumQty, _named(BelowCumQty)] = BelowCumQty.REJECT
    chained_replaces: Annotated[ChainedReplace, _named(ChainedReplace)] = ChainedReplace.REJECT
    filled_is_final: bool = False
    cancel_on_disconnect: bool = False
    cancel_grace_ms: Annotated[Whole, Field(ge=0, le=86_400_000)] = 10_000
    max_messages_per_second: Rate = 0
    max_order_age_ms: Annotated[Whole, Field(ge=0, le=86_400_000)] = 0
    throttle: Annotated[Throttle, _named(Throttle)] = Throttle.QUEUE

    @property
    def paced_at(self) -> int:
        """Messages a second beyond which its messages wait; 0: they never do."""
        return self.max_messages_per_second if self.throttle is Throttle.QUEUE else 0

    def profile(self) -> ClientProfile:
        """The same for the core and the FIX edge."""
        return ClientProfile(
            wire=self._wire(),
            cl_ord_id_scope=self.cl_ord_id_scope,
            pending_acks=self.pending_acks,
            new_for_immediate=self.new_for_immediate,
            bundled_ioc=self.bundled_ioc,
            new_awaits_venue=self.new_awaits_venue,
            replace_below_cum_qty=self.replace_below_cum_qty,
            chained_replaces=self.chained_replaces,
            filled_is_final=self.filled_is_final,
            cancel_on_disconnect=self.cancel_on_disconnect,
            cancel_grace_ms=self.cancel_grace_ms,
            max_messages_per_second=self.max_messages_per_second,
            max_order_age_ms=self.max_order_age_ms,
            throttle=self.throttle,
        )


class VenueProfileSettings(_ProfileSettings):
    """See oms.domain.profile.VenueProfile. mass_status counts for nothing in FIX 4.2.

    reset_on_logon: our Logon resets the sequence numbers (141=Y), for venues that want it so.
    """

    mass_status: bool = True
    canceled_is_final: bool = True
    orphans: Annotated[OrphanPolicy, _named(OrphanPolicy)] = OrphanPolicy.HOLD
    orphan_account: OptionalAccount = ""
    reset_on_logon: bool = False
    throttle: Annotated[Throttle, _named(Throttle)] = Throttle.QUEUE

    def profile(self, begin_string: str) -> VenueProfile:
        """The same for the core and the FIX edge; FIX 4.2 has no OrderMassStatusRequest."""
        return VenueProfile(
            wire=self._wire(),
            mass_status=self.mass_status and begin_string != "FIX.4.2",
            canceled_is_final=self.canceled_is_final,
            orphans=self.orphans,
            orphan_account=self.orphan_account,
            throttle=self.throttle,
        )
