"""Counterparty profiles: what differs between those we speak FIX with; configuration, not branches.

The core reads `ClientProfile` and `VenueProfile` by way of the reference data; how messages are
written (`WireProfile`) only the FIX edge reads. The defaults are FIX 4.4's own recommendations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ClOrdIdScope(StrEnum):
    """How long a ClOrdID (11) names its order.

    DAY: for the trading date, and as long as the order works. WORKING: as long as it works; then a
    plain message may use it for another order, while one marked PossResend still means the first.
    """

    DAY = "DAY"
    WORKING = "WORKING"


class BelowCumQty(StrEnum):
    """What a replace to less than has traded comes to.

    REJECT: a refusal. AT_CUM_QTY: the order ends, filled, with what has traded (matrix C.3.c).
    """

    REJECT = "REJECT"
    AT_CUM_QTY = "AT_CUM_QTY"


class ChainedReplace(StrEnum):
    """What a replace comes to while another one of its order is pending.

    REJECT: a refusal, as already pending (matrix D.2.d). QUEUE: it waits until the other one is
    answered, and is taken up then (matrices D.2.a, D.2.c).
    """

    REJECT = "REJECT"
    QUEUE = "QUEUE"


class Throttle(StrEnum):
    """What a message beyond a session's rate comes to.

    QUEUE: it waits, and is taken or sent in order. REJECT: new orders are refused, and a client's
    replaces; what withdraws an order never is.
    """

    QUEUE = "QUEUE"
    REJECT = "REJECT"


CustomTags = Mapping[str, tuple[tuple[int, str], ...]]
"""By MsgType (35): fields that every such message of ours carries besides, or in place of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireProfile:
    """How messages to a counterparty are written.

    price_decimals, quantity_decimals: how many decimals a price or a quantity has at least; 0: as
    many as it needs. Nothing is ever rounded.
    """

    custom_tags: CustomTags = field(default_factory=dict)
    price_decimals: int = 0
    quantity_decimals: int = 0


USUAL_WIRE = WireProfile()


class OrphanPolicy(StrEnum):
    """What a venue's trade of no order that we know comes to.

    HOLD: it waits for an operator's decision. ADOPT: it is booked as an external order's. DK: the
    venue is told by a DontKnowTrade (Q), and reconciliation.
    """

    HOLD = "HOLD"
    ADOPT = "ADOPT"
    DK = "DK"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """What a client expects of us.

    pending_acks: whether Pending Cancel and Pending Replace are reported. new_for_immediate:
    whether an order that may not rest (IOC, FOK) is acknowledged by New ahead of its outcome.
    bundled_ioc: whether the last fill of an IOC order and the end of its rest are one report, where
    they come together (matrix XI.1.b).
    new_awaits_venue: whether New waits for a venue's New, with Pending New until then; an order
    that trades or ends at once has no New. chained_replaces: what a replace comes to while another
    one is pending.
    filled_is_final: whether a filled order refuses the replace that would open it again.
    cancel_on_disconnect: whether the loss of the session cancels what came by it and is open, after
    cancel_grace_ms (see oms.sessions.lost_clients). max_messages_per_second: its rate, 0 for none.
    max_order_age_ms: how old a new order or a replace may be when it is decided, 0 for any age.
    """

    wire: WireProfile = USUAL_WIRE
    cl_ord_id_scope: ClOrdIdScope = ClOrdIdScope.DAY
    pending_acks: bool = True
    new_for_immediate: bool = True
    bundled_ioc: bool = False
    new_awaits_venue: bool = False
    replace_below_cum_qty: BelowCumQty = BelowCumQty.REJECT
    chained_replaces: ChainedReplace = ChainedReplace.REJECT
    filled_is_final: bool = False
    cancel_on_disconnect: bool = False
    cancel_grace_ms: int = 0
    max_messages_per_second: int = 0
    max_order_age_ms: int = 0
    throttle: Throttle = Throttle.QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueProfile:
    """What a venue does its own way.

    mass_status: whether it answers OrderMassStatusRequest (AF), which FIX 4.2 has not: else orders
    are asked for one by one. canceled_is_final: whether its Canceled holds whatever it reports
    afterwards; else a report that shows the order at work opens it again. orphan_account: whose the
    trades of external orders are. throttle: what a new order comes to for which it has no room in
    this second; what is under way to it always waits.
    """

    wire: WireProfile = USUAL_WIRE
    mass_status: bool = True
    canceled_is_final: bool = True
    orphans: OrphanPolicy = OrphanPolicy.HOLD
    orphan_account: str = ""
    throttle: Throttle = Throttle.QUEUE


USUAL_CLIENT = ClientProfile()
USUAL_VENUE = VenueProfile()
