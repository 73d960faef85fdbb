"""What went over the wire, for the checkers that read it: once, as it comes."""

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import cast

from oms.domain.commands import MessagesSent
from oms.domain.effects import SendNewOrderSingle
from oms.domain.order_events import OrderResent, OrderRouted
from oms.outbound import effects_of
from oms.simulation.shadow import Group
from oms.simulation.watching import Broken, Watcher
from oms.simulation.world import World
from oms.soak.site import VENUES
from oms.soak.stand_in import Evidence

Named = list[tuple[str, Watcher]]
Key = tuple[str, int, int]


class Wire:
    """What came to clients, by their tapes; and what was sent to venues, by the journal's notes.

    Notes come in any order, and are read in that of their numbers. leaving: checkers that look at
    the facts behind what was sent.
    """

    def __init__(self, evidence: Evidence, leaving: Named, modules: Sequence[ModuleType]) -> None:
        self._evidence = evidence
        self._leaving = leaving
        self._heard: dict[str, int] = {}
        self._notes: dict[Key, tuple[int, str]] = {}
        self._unread: list[Key] = []
        self._last: dict[str, tuple[str | int, ...]] = {}
        self._orders: dict[int, SendNewOrderSingle] = {}
        self._modules = modules
        self.watchers = self._fresh()

    def _fresh(self) -> Named:
        world = cast("World", self._evidence)
        return [(name_of(one), one.Checker(world)) for one in self._modules]

    def note(self, groups: list[Group]) -> None:
        """What the journal says of messages to venues, just after it was folded."""
        state = self._evidence.shadow.state
        for group in groups:
            if isinstance(group.command, MessagesSent):
                for one in group.command.messages:
                    if one.session in VENUES:
                        key = (one.session, one.epoch, one.msg_seq_num)
                        told = (one.event_seq, one.text)
                        if self._notes.get(key) != told:
                            self._notes[key] = told
                            self._unread.append(key)
            for seq, event in group.events:
                if isinstance(event, OrderRouted | OrderResent):
                    for effect in effects_of(state, seq, event):
                        if isinstance(effect, SendNewOrderSingle):
                            self._orders[seq] = effect

    def read_on(self) -> None:
        """What is new. Raises Broken."""
        keys = sorted(set(self._unread))
        if any(key <= self._last.get(key[0], ("",)) for key in keys):
            # One was noted late: its place is before what was read.
            self.watchers, self._heard, keys = self._fresh(), {}, sorted(self._notes)
        self._unread = []
        for name, tape in self._evidence.tapes.items():
            for raw in tape.told[self._heard.get(name, 0) :]:
                self._ask(name, raw)
            self._heard[name] = len(tape.told)
        for key in keys:
            session = key[0]
            self._last[session] = key
            event_seq, text = self._notes[key]
            self._ask(session, text.encode("latin-1"))
            effect = self._orders.get(event_seq)
            if effect is not None:
                for name, watcher in self._leaving:
                    asked(name, partial(watcher.leaving, effect))

    def again(self) -> "Wire":
        """All of it once more, from the start. Raises Broken."""
        wire = Wire(self._evidence, self._leaving, self._modules)
        wire._notes, wire._orders = self._notes, self._orders
        wire._unread = list(self._notes)
        wire.read_on()
        return wire

    def _ask(self, session: str, raw: bytes) -> None:
        for name, watcher in self.watchers:
            asked(name, partial(watcher.on_wire, session, True, raw))


def asked(name: str, question: Callable[[], None]) -> None:
    """Ask one checker. Raises Broken where it says no."""
    try:
        question()
    except AssertionError as error:
        raise Broken(name, str(error)) from error


def name_of(module: ModuleType) -> str:
    """Of a checker."""
    return module.__name__.rpartition(".")[2]


def reads(module: ModuleType) -> bool:
    """Whether the checker reads what goes over the wire."""
    return module.Checker.on_wire is not Watcher.on_wire
