"""Reloads of a simulated configuration file: what it says, who changes it, what a core reads."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from fix_sessions.edge import Edge
from fix_sessions.registry import Counterparty
from oms.app.reload_steps import (
    REMADE,
    Found,
    Numbers,
    ReloadSteps,
    parties_of,
    used_meanwhile,
)
from oms.domain.commands import Origin
from oms.domain.instrument import Reference
from oms.domain.profile import ClientProfile
from oms.domain.schedule import Schedule
from oms.domain.session_commands import (
    ApproveReportsDiscard,
    ReloadSessions,
    RequestReportsDiscard,
)
from oms.domain.state import Session, State
from oms.runtime.sequencer import Sequencer
from oms.sessions.differences import SessionDifferences, differences, reference_after
from oms.simulation.agenda import Action, Agenda, chance
from oms.simulation.core import counterparties_of
from oms.simulation.engine import SimEngine
from oms.simulation.profiles import VenueKind, draw_client
from oms.simulation.reference import reference_of

if TYPE_CHECKING:
    from oms.simulation.plan import Plan
    from oms.simulation.world import World

_READS_US = 30_000
_REMOVED = "the session is not configured any more"


class ConfigFile:
    """What the file says of sessions. made: how often a session's credentials were changed."""

    def __init__(self, plan: "Plan | ConfigFile") -> None:
        self.clients: dict[str, ClientProfile] = dict(plan.clients)
        self.venues: dict[str, VenueKind] = dict(plan.venues)
        self.copies: dict[str, str] = dict(plan.copies)
        self.hours: dict[str, Schedule] = dict(plan.hours)
        self.made: Counter[str] = Counter(plan.made if isinstance(plan, ConfigFile) else ())

    def sessions(self) -> dict[str, object]:
        """What is said of each, by name."""
        every: dict[str, object] = {**self.clients, **self.venues, **self.copies}
        return {name: (one, self.made[name]) for name, one in every.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChanges(SessionDifferences):
    """file: as it was read."""

    file: ConfigFile


def _between(running: ConfigFile, wanted: ConfigFile) -> FileChanges:
    found = differences(
        running.sessions(), wanted.sessions(), lambda one: wanted.made[one] != running.made[one]
    )
    return FileChanges(
        file=wanted,
        added=found.added,
        changed=found.changed,
        remade=found.remade,
        removed=found.removed,
    )


class SimReload(ReloadSteps[FileChanges]):
    """Reads the file a moment later, and has the simulated engine make the sessions.

    running: the file as it was read last and taken over. note: told, by the command's number in the
    inbox, what its reading would make of the reference.
    """

    def __init__(
        self,
        file: ConfigFile,
        versions: Mapping[str, str],
        *,
        state: State,
        sequencer: Sequencer,
        edge: Edge,
        engine: SimEngine,
        agenda: Agenda,
        into_core: Callable[[Action], None],
        note: Callable[[int, Reference], None],
    ) -> None:
        super().__init__(state=state, sequencer=sequencer, edge=edge)
        self.running = ConfigFile(file)
        self._file = file
        self._versions = versions
        self._engine = engine
        self._agenda = agenda
        self._into_core = into_core
        self._note = note
        self._known = set(self.running.sessions())

    def _read(self) -> None:
        self._agenda.after(_READS_US, partial(self._into_core, self._find))

    def _find(self) -> None:
        changes = _between(self.running, ConfigFile(self._file))
        reference = reference_after(self._state.reference, reference_of(changes.file))
        assert self._reading is not None
        self._note(self._reading.origin.inbox_id, reference)
        self._has_read(Found(changes=changes, reference=reference))

    def _refused(self, fault: str) -> None:
        """Nobody is told but who asked."""

    def _adopt(self, changes: FileChanges) -> None:
        self.running = changes.file

    def _parties(self, names: Collection[str]) -> list[Counterparty]:
        return parties_of(counterparties_of(reference_of(self.running), self._versions), names)

    def _change(self, changes: FileChanges) -> None:
        closed = dict.fromkeys(changes.removed, _REMOVED) | dict.fromkeys(changes.remade, REMADE)
        unknown = changes.new - self._engine.sessions.keys()
        clients = self.running.clients
        made = {one: one in clients for one in sorted({*changes.remade, *unknown})}
        self._engine.change(closed, made, self._has_changed)

    def _number(self, name: str, session: Session, numbers: Numbers) -> None:
        if name in numbers and name not in self._known:
            ahead = used_meanwhile(self._state, session)
            self._edge.set_number(name, session.inbound, session.outbound, ahead)
        self._known.add(name)


def reload(world: "World", n: int, operator: Origin, second: Origin) -> None:
    """Somebody changes the file and has it taken over; what was removed comes back later. Meanwhile
    two operators may let go of what waits for it.
    """
    file, names = world.file, list(world.parties)
    name = names[n // 5 % len(names)]
    _change_file(world, file, name, n)
    dry_run, force = n % 11 == 0, n // 3 % 2 == 0
    _ask(world, operator, dry_run=dry_run, force=force)
    if name in world.clients and n // 7 % 3 == 0:
        world.agenda.after(
            500_000 + n % 1_500_000, partial(_discard, world, name, operator, second)
        )
    world.agenda.after(1_000_000 + n % 4_000_000, partial(_restore, world, name, operator))


def _discard(world: "World", name: str, operator: Origin, second: Origin) -> None:
    """Where something waits; the second approves it when the first has the request's number."""
    if world.shadow.state.session(name).undelivered:
        world.story.tell(f"an operator asks to let go of what waits for {name}")
        asked = world.ask(RequestReportsDiscard(origin=operator, session=name, reason="test"))
        world.agenda.after(300_000, partial(_approve, world, name, second, asked))


def _approve(world: "World", name: str, second: Origin, asked: int) -> None:
    request = world.shadow.state.session(name).discard_request
    if f"request {request}:" in world.disk.answered.get(asked, ""):
        for _ in range(2):
            world.ask(
                ApproveReportsDiscard(origin=second, session=name, request=request, reason="test")
            )


def _change_file(world: "World", file: ConfigFile, name: str, n: int) -> None:
    if name in file.clients and n % 5 < 2:
        world.story.tell(f"{name} is taken out of the configuration")
        del file.clients[name]
    elif name in file.copies and n % 5 < 2:
        world.story.tell(f"{name} is taken out of the configuration")
        del file.copies[name]
    elif name in file.clients and n % 5 < 4:
        world.story.tell(f"{name} gets another profile")
        old = file.clients[name]
        # What is said to it in the same words whenever it is said.
        file.clients[name] = replace(
            draw_client(chance(n, "profile")),
            wire=old.wire,
            cl_ord_id_scope=old.cl_ord_id_scope,
            pending_acks=old.pending_acks,
            new_for_immediate=old.new_for_immediate,
            bundled_ioc=old.bundled_ioc,
        )
    else:
        world.story.tell(f"{name} gets other credentials")
        file.made[name] += 1


def _ask(world: "World", operator: Origin, *, dry_run: bool, force: bool) -> None:
    world.story.tell("an operator has the configuration taken over")
    world.ask(ReloadSessions(origin=operator, reason="test", dry_run=dry_run, force=force))


def _restore(world: "World", name: str, operator: Origin) -> None:
    """It stands in the file again, and is asked for until it runs."""
    plan, file = world.plan, world.file
    if name in plan.clients:
        file.clients.setdefault(name, plan.clients[name])
    elif name in plan.copies:
        file.copies.setdefault(name, plan.copies[name])
    core = world.core
    running = core.reload.running.sessions() if core is not None and core.open else {}
    if running != file.sessions():
        _ask(world, operator, dry_run=False, force=False)
        world.agenda.after(1_500_000, partial(_restore, world, name, operator))
