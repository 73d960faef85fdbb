"""Plays scenarios between the two scripted sides, and says of each how it went."""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from oms.conformance.compare import Differs
from oms.conformance.initiator import Initiator
from oms.conformance.matrix import Row, name_of, paths, scenarios
from oms.conformance.orders import lives_for_days, terms
from oms.conformance.profiles import Profile, profile_of
from oms.conformance.receiver import Receiver
from oms.conformance.scope import Entry, Kind, Role, entries, whole
from oms.conformance.sides import Sides, VersionSides
from oms.domain.conditions import Conditions
from oms.domain.fix import ExecInst


class Outcome(StrEnum):
    """How a scenario went on one side in one FIX version."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """detail: the first differing field, or the reason. paths: how many were played, the main one
    and one for each refusal. profile: why the client's is not the usual one.
    deviations: the reasons of those that the table allows.
    """

    version: str
    role: Role
    scenario: str
    outcome: Outcome
    detail: str = ""
    paths: int = 0
    profile: str = ""
    deviations: tuple[str, ...] = ()


class Player:
    """Plays with the sides of one FIX version. everything: the table of deviations is not heeded,
    to see what would happen.
    """

    def __init__(self, sides: VersionSides, *, everything: bool = False) -> None:
        self._sides = sides
        self._version = next(iter(sides.values())).dialect.version
        self._everything = everything
        self._run = secrets.token_hex(3)
        self._numbers = itertools.count(1)

    def play_all(self, names: Sequence[str] = ()) -> Iterator[Result]:
        """Each scenario, or those named, in the order of the standard, on both sides."""
        for scenario, rows in scenarios().items():
            if not names or scenario in names:
                for role in Role:
                    yield self.play(role, rows)

    def play(self, role: Role, rows: list[Row]) -> Result:
        """One scenario on one side: its main path and its refusals."""
        version, scenario = self._version, rows[0].scenario
        result = Result(version=version, role=role, scenario=scenario, outcome=Outcome.PASS)
        entry = None if self._everything else whole(role, scenario, version)
        if entry is not None:
            left_out = entry.kind is Kind.LEFT_OUT
            outcome = Outcome.LEFT_OUT if left_out else Outcome.NOT_APPLICABLE
            return replace(result, outcome=outcome, detail=entry.reason)
        profile = profile_of(scenario)
        sides = self._sides_for(profile, role)
        if sides is None:
            reason = "the client's profile is not the one that the scenario is about"
            return replace(result, outcome=Outcome.NOT_APPLICABLE, detail=reason)
        if sides.night is None and lives_for_days(rows):
            reason = "the trading date of a running server is not moved"
            return replace(result, outcome=Outcome.NOT_APPLICABLE, detail=reason)
        untold = _untold(rows, sides)
        if untold:
            return replace(result, outcome=Outcome.NOT_APPLICABLE, detail=untold)
        allowed = () if self._everything else entries(role, scenario, version)
        played = paths_played(rows, allowed)
        faults = (self._fault(sides, role, path, allowed) for path in played)
        fault = next(filter(None, faults), "")
        return replace(
            result,
            outcome=Outcome.FAIL if fault else Outcome.PASS,
            detail=fault,
            paths=len(played),
            profile=profile.why if role is Role.RECEIVER else "",
            deviations=tuple(one.reason for one in allowed),
        )

    def _sides_for(self, profile: Profile, role: Role) -> Sides | None:
        """Those of the client with that profile; as initiator any will do."""
        found = self._sides.get(profile.name)
        if found is None and role is Role.INITIATOR:
            return next(iter(self._sides.values()))
        return found

    def _fault(self, sides: Sides, role: Role, path: list[Row], allowed: Sequence[Entry]) -> str:
        """What went wrong on one path; empty where nothing did.

        Raises OSError where the server cannot be reached any more.
        """
        kind = Receiver if role is Role.RECEIVER else Initiator
        prefix = f"{self._run}{next(self._numbers)}"
        sides.begin()
        try:
            player = kind(sides, path, prefix=prefix, allowed=allowed)
            try:
                player.play()
            finally:
                player.clear()
        except Differs as difference:
            return f"{name_of(path)}: {difference}"
        except (LookupError, OSError) as error:
            return f"{name_of(path)}: {str(error).splitlines()[0]}"
        return ""


def _untold(rows: list[Row], sides: Sides) -> str:
    """The instruction that the server does not take the venue to follow; empty: there is none."""
    for one in terms(rows[0], rows, sides.market).get(18, "").split():
        asked = Conditions(exec_inst=(ExecInst(one),))
        if not asked.needs <= sides.market.abilities:
            return f"the venue is not configured to follow ExecInst {one}"
    return ""


def paths_played(rows: list[Row], allowed: Sequence[Entry]) -> list[list[Row]]:
    """The main path and the refusals that the table does not exclude."""
    refusals = {step for one in allowed for step in one.refusals}
    return [one for one in paths(rows) if one[-1].branch != "alt" or one[-1].step not in refusals]
