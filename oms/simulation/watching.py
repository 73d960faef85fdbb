"""What a checker may look at while a run is played, and how it says that something is broken."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oms.domain.effects import FixMessage
from oms.store.batch import Entry

if TYPE_CHECKING:
    from oms.simulation.core import SimCore
    from oms.simulation.shadow import Group
    from oms.simulation.world import World


@dataclass(slots=True, kw_only=True)
class Counts:
    """What was done, for the report."""

    acts: int = 0
    faults: int = 0
    crashes: int = 0


class Broken(AssertionError):
    """What must never be, and is. checker: the invariant's file."""

    def __init__(self, checker: str, text: str) -> None:
        super().__init__(f"{checker}: {text}")
        self.checker = checker
        self.text = text


class Watcher:
    """What a checker may look at as it happens; each hook may raise AssertionError."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def leaving(self, effect: FixMessage) -> None:
        """A message is about to leave the core."""

    def on_wire(self, party: str, from_core: bool, raw: bytes) -> None:
        """A frame goes onto the network."""

    def committed(self, entries: list[Entry]) -> None:
        """These entries became durable."""

    def folded(self, groups: "list[Group]") -> None:
        """The same, folded into the world's shadow."""

    def turned(self, core: "SimCore") -> None:
        """The core has done what there was to do."""

    def recovered(self, core: "SimCore") -> None:
        """A core has folded the journal and is about to begin."""

    def at_quiet(self) -> None:
        """Everything has come to an end."""


_HOOKS = ("leaving", "on_wire", "committed", "folded", "turned", "recovered", "at_quiet")


def hooks_of(watchers: Iterable[Watcher]) -> dict[str, list[Callable[..., None]]]:
    """By the name of the hook, those that do something there."""
    watchers = list(watchers)
    return {
        name: [
            getattr(one, name)
            for one in watchers
            if getattr(type(one), name) is not getattr(Watcher, name)
        ]
        for name in _HOOKS
    }
