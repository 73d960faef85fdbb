"""THE TABLE: everything of the matrices that is not played as printed, each entry with its reason.

NOT_APPLICABLE: the rows show a way of acting that the standard leaves open and that this server
never takes, on that side. LEFT_OUT: the server does not have what the rows need. DEVIATION: the
scenario is played, but for the steps or refusals that are named, or with another answer there. An
expectation is never made weaker to pass: what differs stands here or is a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache


class Role(StrEnum):
    """Which end of the rows the server is."""

    RECEIVER = "receiver"
    INITIATOR = "initiator"


class Kind(StrEnum):
    """See the module."""

    NOT_APPLICABLE = "not applicable"
    LEFT_OUT = "left out"
    DEVIATION = "deviation"


Instead = Mapping[str, Mapping[int, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Of a DEVIATION: steps are passed over; refusals are steps whose refusal (alt) is not played;
    instead says by step which value a field must have in place of the printed one; None: none.
    then says by step what one more report must have that follows the printed one.

    versions: the FIX versions that it is about; empty: all.
    """

    role: Role
    scenarios: tuple[str, ...]
    kind: Kind
    reason: str
    steps: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    instead: Instead = field(default_factory=dict)
    then: Instead = field(default_factory=dict)
    versions: tuple[str, ...] = ()


# Holds for every scenario on the receiver's side.
GENERAL = (
    "Pending New, Pending Cancel and Pending Replace may be told where none is printed: the "
    "standard makes these reports optional. Whatever else is told and not printed fails. "
    "LastQty (32) may be absent where 0 is printed: the standard requires it of trades only."
)

_MOUTH = "no orders are taken by word of mouth, so there is none without a ClOrdID of its client"
_ONE_REQUEST = "one replace is pending at a time: the next is refused (D.2.d) or waits (D.2.a)"
_INDICATOR = "WorkingIndicator is not told: Triggered says the same"
_NOT_IN_42 = "not in FIX 4.2: ExecInst J, K and Z, the reasons for them, and Triggered came later"
_SINCE_44 = ("FIX 4.4", "FIX 5.0SP2")


def _entry(
    role: Role,
    kind: Kind,
    scenarios: str,
    reason: str,
    *,
    steps: str = "",
    refusals: str = "",
    instead: Instead | None = None,
    then: Instead | None = None,
    versions: tuple[str, ...] = (),
) -> Entry:
    """An entry, with names parted by blanks."""
    return Entry(
        role=role,
        kind=kind,
        scenarios=tuple(scenarios.split()),
        reason=reason,
        steps=tuple(steps.split()),
        refusals=tuple(refusals.split()),
        instead=instead or {},
        then=then or {},
        versions=versions,
    )


_RECEIVER = (
    _entry(
        Role.RECEIVER,
        Kind.NOT_APPLICABLE,
        "E.1.e E.1.f K.1.a K.1.b",
        _NOT_IN_42,
        versions=("FIX 4.2",),
    ),
    _entry(Role.RECEIVER, Kind.NOT_APPLICABLE, "D.2.b", _ONE_REQUEST),
    _entry(Role.RECEIVER, Kind.NOT_APPLICABLE, "E.1.a F.1.c", _MOUTH),
    _entry(
        Role.RECEIVER,
        Kind.DEVIATION,
        "B.1.d",
        "New on an order whose cancel is pending has OrdStatus Pending Cancel, by precedence; the "
        "copy that the rows were taken from prints New",
        instead={"4": {39: "6"}},
    ),
    _entry(
        Role.RECEIVER,
        Kind.DEVIATION,
        "E.1.f",
        _INDICATOR,
        instead={"2": {636: None}, "3": {636: None}},
        versions=_SINCE_44,
    ),
    _entry(
        Role.RECEIVER,
        Kind.DEVIATION,
        "XI.1.a",
        "the New that is printed for who does not bundle is not told under this profile",
        steps="2",
    ),
    _entry(
        Role.RECEIVER,
        Kind.DEVIATION,
        "XI.1.b",
        "an order that has ended has LeavesQty 0; the standard prints what did not trade",
        instead={"6": {151: "0"}},
    ),
    _entry(
        Role.RECEIVER,
        Kind.DEVIATION,
        "C.1.c",
        "a filled order is at no venue, so no venue refuses the replace that opens it again",
        refusals="6",
    ),
)

_INITIATOR = (
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "E.1.e E.1.f K.1.a K.1.b",
        _NOT_IN_42,
        versions=("FIX 4.2",),
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "B.1.f",
        "the server cancels nothing that it has not sent",
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "C.1.c",
        "a filled child order is not replaced: what a replace adds is routed anew",
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "D.2.a D.2.b D.2.c D.2.d",
        "the server never sends a replace while another one is pending",
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "F.1.a F.1.b",
        "the server never uses a ClOrdID twice; it repeats an order (PossResend) only after a "
        "reconnect, when the venue does not know it",
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "G.1.a",
        "the server asks for the status of no order that it has not sent",
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "G.1.b G.1.c",
        "after a lost session the server asks for all orders by one OrderMassStatusRequest",
        versions=_SINCE_44,
    ),
    _entry(
        Role.INITIATOR,
        Kind.DEVIATION,
        "G.1.c",
        "the server asks for the status of orders in doubt, of a filled one never, and does not "
        "replace one",
        steps="11 12 13 14 15 16 17 18 19",
        versions=("FIX 4.2",),
    ),
    _entry(
        Role.INITIATOR,
        Kind.NOT_APPLICABLE,
        "L.1.b",
        "the server turns cash into a quantity itself: venues get OrderQty",
    ),
    _entry(
        Role.INITIATOR,
        Kind.DEVIATION,
        "B.1.c",
        "a complete fill settles the cancel: the client is told too late, ahead of the venue",
        instead={"6": {39: "2"}},
    ),
    _entry(
        Role.INITIATOR,
        Kind.DEVIATION,
        "C.2.a",
        "a complete fill settles a replace that adds nothing, ahead of the venue",
        instead={"4": {39: "2"}},
    ),
    _entry(
        Role.INITIATOR,
        Kind.DEVIATION,
        "J.1.a",
        "a filled child order is not replaced: what a replace adds is routed anew",
        steps="9 10 11 12",
    ),
)

TABLE: tuple[Entry, ...] = _RECEIVER + _INITIATOR


@cache
def whole(role: Role, scenario: str, version: str) -> Entry | None:
    """The entry by which none of the scenario is played on that side."""
    found = entries(role, scenario, version)
    return next((one for one in found if one.kind is not Kind.DEVIATION), None)


def entries(role: Role, scenario: str, version: str) -> tuple[Entry, ...]:
    """What the table says of a scenario on that side."""
    return tuple(
        one
        for one in TABLE
        if one.role is role
        and scenario in one.scenarios
        and (not one.versions or version in one.versions)
    )
