"""What names a trade besides its ExecID, and what becomes of reports that fit no order of ours."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from oms.domain.fact import fact
from oms.domain.origin import Origin


@fact
class TradeIds:
    """TrdMatchID (880) and SecondaryExecID (527) of a trade, SecondaryOrderID (198) of its order;
    empty where they were not told.
    """

    trd_match_id: str = ""
    secondary_exec_id: str = ""
    secondary_order_id: str = ""


def copy_id(source: str, exec_id: str) -> str:
    """An ExecID as we name it: of a drop copy (by its session's name) never that of its venue."""
    return f"{source}:{exec_id}" if source else exec_id


def on_the_wire(source: str, name: str) -> str:
    """An ExecID as its session told it, from what we name it."""
    return name[len(source) + 1 :] if source else name


class OrphanKind(StrEnum):
    """UNKNOWN: of no order or trade of ours. SAME_TRADE: of an order of ours, and it cannot be told
    whether it is a trade of its own or one that is booked under another ExecID. AMENDS: a bust or
    a correction, and it cannot be told whether its trade is one that is.
    """

    UNKNOWN = "UNKNOWN"
    SAME_TRADE = "SAME_TRADE"
    AMENDS = "AMENDS"


class OrphanVerdict(StrEnum):
    """ADOPT: it is a trade of ours, and booked. REFUSE: it is none, or is booked already."""

    ADOPT = "ADOPT"
    REFUSE = "REFUSE"


class Settlement(StrEnum):
    """How an orphan ended.

    ADOPTED, REFUSED: by a human's word or its venue's policy. BOOKED: what it belongs to came
    later. AMENDED: its venue took the trade back, or corrected it and so told it anew.
    """

    ADOPTED = "ADOPTED"
    REFUSED = "REFUSED"
    BOOKED = "BOOKED"
    AMENDED = "AMENDED"


@fact
class DecideOrphan:
    """A human's signed word about an orphan; orphan: its journal number.

    account: whose trade it is, where it is adopted as an external order; empty: the one that its
    venue's profile names. tell_venue: a refusal goes to the venue as a DontKnowTrade (Q).
    """

    origin: Origin
    orphan: int
    verdict: OrphanVerdict
    reason: str
    account: str = ""
    tell_venue: bool = False


@dataclass(slots=True, kw_only=True)
class Tale:
    """What a trade's sessions told of it. steps: quantity and price of the trade and of each
    correction; a bust is of nothing. told: by source, the ExecIDs of so many of these steps.
    """

    steps: list[tuple[Decimal, Decimal]]
    told: dict[str, list[str]]
