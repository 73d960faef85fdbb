"""Counterparty profiles that scenarios are played under, where the standard leaves a choice."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """settings: the keys of [clients.profile] that it needs. why: what the standard leaves open."""

    name: str
    settings: Mapping[str, str | bool] = field(default_factory=dict)
    scenarios: tuple[str, ...] = ()
    why: str = ""


USUAL = Profile(name="usual")

PROFILES = (
    USUAL,
    Profile(
        name="awaiting",
        settings={"new_awaits_venue": True},
        scenarios=("B.1.d", "G.1.c", "XA.1.c", "XA.1.d"),
        why="a broker may tell New itself or wait for the venue's: it waits under "
        "new_awaits_venue = true, by default New is told at once",
    ),
    Profile(
        name="below",
        settings={"replace_below_cum_qty": "AT_CUM_QTY"},
        scenarios=("C.3.c",),
        why="a replace to less than has traded is granted or refused, as the two sides agree: "
        "granted under replace_below_cum_qty = AT_CUM_QTY, by default it is refused",
    ),
    Profile(
        name="chained",
        settings={"chained_replaces": "QUEUE"},
        scenarios=("D.2.a", "D.2.c"),
        why="a replace while another one is pending waits for its turn or is refused (D.2.d): it "
        "waits under chained_replaces = QUEUE, by default it is refused",
    ),
    Profile(
        name="bundled",
        settings={"new_for_immediate": False, "bundled_ioc": True},
        scenarios=("XI.1.a", "XI.1.b"),
        why="an order that may not rest gets New ahead of its outcome or not, and its last fill "
        "and the end of the rest are one report or two: no New and one report under "
        "new_for_immediate = false and bundled_ioc = true",
    ),
)


def profile_of(scenario: str) -> Profile:
    """The profile of the client under which the server plays that scenario as receiver."""
    return next((one for one in PROFILES if scenario in one.scenarios), USUAL)
