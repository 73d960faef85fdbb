"""The simulated world: parties, network, database and the core between them, on one agenda.

First comes the plan, with all its faults. Then the faults stop, and within bounded time everything
must come to an end: see `liveness`. What must hold throughout, `checkers` say.
"""

import contextlib
from collections.abc import Callable
from functools import partial

from oms.domain.commands import ClockTicked, Command
from oms.domain.effects import FixMessage
from oms.domain.order import Order
from oms.domain.session_events import ReportsDiscarded
from oms.domain.splits import CorporateActionApplied
from oms.simulation import desk
from oms.simulation.acts import ACTS
from oms.simulation.agenda import START_US, Action, Agenda, chance
from oms.simulation.client import SimClient
from oms.simulation.core import CoreCrash, SimCore, counterparties_of, small_state
from oms.simulation.corporate import carry_out
from oms.simulation.disk import Disk, Fate
from oms.simulation.ledgers import Standing
from oms.simulation.network import Connection, End
from oms.simulation.parties import Party, new_client, new_copy, new_venue
from oms.simulation.plan import Plan
from oms.simulation.reference import ACCOUNTS, reference_of
from oms.simulation.reloads import ConfigFile, SimReload
from oms.simulation.rest import RestUser
from oms.simulation.shadow import Shadow
from oms.simulation.story import Story
from oms.simulation.watching import Broken, Counts, Watcher, hooks_of
from oms.store.batch import Entry
from oms.store.leader import LeadershipLost

RESTART_US = 300_000
LOGON_TIMEOUT_US = 10_000_000
TURN_US = 20
TICK_US = 250_000
FIRST_DATE = "2026-09-21"


class World:
    """See the module. `run` plays it; a checker that fails raises Broken."""

    def __init__(
        self,
        plan: Plan,
        watchers: tuple[Callable[["World"], Watcher], ...] = (),
        *,
        story: bool = False,
    ) -> None:
        self.plan = plan
        self.agenda = Agenda()
        self.story = Story(self.agenda, kept=story)
        self.disk = Disk()
        self.file = ConfigFile(plan)
        self.reference = reference_of(plan)
        self.trade_date = FIRST_DATE
        self.counts = Counts()
        self.clients = {
            one.session: new_client(self, one) for one in self.reference.clients.values()
        }
        self.venues = {one.session: new_venue(self, one) for one in self.reference.venues.values()}
        self.copies = {name: new_copy(self, name, one) for name, one in plan.copies.items()}
        self.parties: dict[str, Party] = {**self.clients, **self.venues, **self.copies}
        self.rest = {
            name: RestUser(self, name, tuple(sorted(ACCOUNTS[name]))) for name in self.clients
        }
        self.core: SimCore | None = None
        self.connections: dict[str, Connection] = {}
        self._dying: dict[str, Connection] = {}
        self.crash_after: int | None = None
        self.safe = True
        self._fates = chance(plan.seed, "commits")
        self._network = {name: chance(plan.seed, "network", name) for name in self.parties}
        self._line = chance(plan.seed, "line")
        self._turn_planned = False
        parties = counterparties_of(self.reference, plan.versions)
        self.shadow = Shadow(
            self.reference, parties, watched=bool(watchers), state=small_state(self.reference)
        )
        self.resets: dict[str, int] = {}
        self._hooks = hooks_of([make(self) for make in watchers])
        self.disk.on_commit.append(self._committed)

    # The run

    def run(self) -> None:
        """Play the plan. Raises Broken."""
        self._start_core("m1")
        self._every(TICK_US, self._tick)
        every_us = desk.desk_of(self)
        if every_us:
            self._every(every_us, partial(desk.look, self))
        for act in self.plan.acts:
            self.agenda.at(START_US + act.at_us, partial(self._act, act.kind, act.n))
        last = self.plan.acts[-1].at_us if self.plan.acts else 0
        self.agenda.run_until(START_US + last + 2_000_000)

    def _act(self, kind: str, n: int) -> None:
        self.counts.acts += 1
        ACTS[kind].do(self, n)

    def _every(self, period_us: int, action: Callable[[], None]) -> None:
        def again() -> None:
            action()
            self.agenda.after(period_us, again)

        self.agenda.after(period_us, again)

    def _tick(self) -> None:
        for name, party in self.parties.items():
            party.session.tick()
            self.flush(name, 0)
            self._give_up(name)
            self._connect(name)
        if self.core is not None:
            for name, session in self.core.engine.sessions.items():
                session.tick()
                self.flush(name, 1)
            self.wake()

    # The core

    def _start_core(self, machine: str) -> None:
        self.story.tell(f"a core starts on machine {machine}")
        journal = self.disk.take_lead(self.agenda, self._fate)
        reference = self.shadow.state.reference = reference_of(self.file)
        self.core = core = SimCore(
            reference=reference,
            versions=self.plan.versions,
            disk=self.disk,
            journal=journal,
            agenda=self.agenda,
            machine=machine,
            trade_date=self.trade_date,
            limits=(),
            randomness=self._line,
            slow_us=self.plan.line_us,
            boundary=self._boundary,
            into_core=lambda action: self._into(core, action),
            flush=lambda name: self._flush_core(core, name),
            watch=self._leaving,
        )
        core.reload = SimReload(
            self.file,
            self.plan.versions,
            state=core.state,
            sequencer=core.sequencer,
            edge=core.edge,
            engine=core.engine,
            agenda=self.agenda,
            into_core=lambda action: self._into(core, action),
            note=self.shadow.read.__setitem__,
        )
        core.control.reload = core.reload.carry_out
        journal.on_answer = self.wake
        core.engine.on_reset = self._begin_again
        self._look("recovered", core)
        self._guarded(core.start)
        self.wake()

    def _fate(self) -> tuple[Fate, int]:
        fate, takes_us = self.plan.commits.draw(self._fates)
        self.counts.faults += fate is not Fate.DONE
        return fate, takes_us

    def _into(self, core: SimCore, action: Action) -> None:
        """What its FIX process tells the core."""
        if self.core is core:
            self._guarded(partial(self._receive, action))
            self.wake()

    def _receive(self, action: Action) -> None:
        self._boundary()
        action()

    def wake(self) -> None:
        """The core has something to do; it does it in a moment, with what comes until then."""
        if not self._turn_planned:
            self._turn_planned = True
            self.agenda.after(TURN_US, self._turn)

    def _turn(self) -> None:
        self._turn_planned = False
        core = self.core
        if core is not None:
            self._guarded(core.turn)
            if self.core is core:
                self._look("turned", core)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Let the core work; it may die of it, but only of what it may die of."""
        try:
            work()
        except CoreCrash:
            self._end_core("the core dies between two events")
        except LeadershipLost as lost:
            self._end_core(f"the core stops: {lost}")
        except Broken:
            raise
        except Exception as error:
            text = f"the core failed by itself: {type(error).__name__}: {error}"
            raise Broken("core_fails_not", text) from error

    def _boundary(self) -> None:
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                self.crash_after = None
                raise CoreCrash

    def crash(self, why: str) -> None:
        """SIGKILL."""
        if self.core is not None:
            self._end_core(why)

    def crash_within(self, n: int) -> None:
        """SIGKILL, so many events later."""
        self.crash_after = n

    def take_over(self, n: int) -> None:
        """Another machine's core takes the lock; the old one wakes up some time later."""
        core = self.core
        if core is not None:
            self.agenda.after(100_000 + n % 3_000_000, partial(self._thaw, core))
            self._end_core("the core is frozen, and a standby takes the lock", again=False)
            machine = "m2" if core.machine == "m1" else "m1"
            self.agenda.after(50_000 + n % 400_000, lambda: self._start_core(machine))

    def _thaw(self, core: SimCore) -> None:
        """A core that was frozen and leads no more tries to go on. It can do no harm."""
        core.sequencer.submit(ClockTicked())
        with contextlib.suppress(LeadershipLost, CoreCrash):
            core.sequencer.pump()

    def _end_core(self, why: str, *, again: bool = True) -> None:
        core = self.core
        assert core is not None
        self.story.tell(why)
        self.counts.crashes += 1
        self.crash_after = None
        core.engine.end(self._line.randrange(len(core.engine.there) + 1))
        core.store()
        core.journal.end(why)
        self.core = None
        self._dying, self.connections = self.connections, {}
        for connection in self._dying.values():
            connection.die("the core is gone")
        if again:
            machine = core.machine
            self.agenda.after(RESTART_US, lambda: self._start_core(machine))

    def _begin_again(self, name: str) -> None:
        self.story.tell(f"{name} and we begin with new numbers")
        self.resets[name] = self.resets.get(name, 0) + 1
        self.parties[name].begin_again()

    # The network

    def _connect(self, name: str) -> None:
        core, party = self.core, self.parties[name]
        if core is None or not core.open or name in self.connections:
            return
        if isinstance(party, SimClient) and not party.wants_session:
            return
        ours = core.engine.sessions.get(name)
        if ours is None or not ours.enabled:
            return
        theirs = party.session
        connection = Connection(
            self.agenda,
            self._network[name],
            self.plan.weather[name],
            (
                End(session=theirs, receive=party.receive, closed=theirs.disconnected),
                End(
                    session=ours,
                    receive=lambda raw: self._arrives(core, name, raw),
                    closed=lambda reason: self._closed(core, name, reason),
                ),
            ),
            lambda end, raw: self._wire(name, from_core=end == 1, raw=raw),
        )
        if name in self._dying:
            self._dying.pop(name).close("replaced by another connection")
        self.connections[name] = connection
        theirs.connected()
        ours.connected()
        if theirs.settings.reset_on_logon:
            self.resets[name] = self.resets.get(name, 0) + 1
        connection.pump(0)
        connection.pump(1)

    def _give_up(self, name: str) -> None:
        """A Logon that is not answered in time ends its connection."""
        connection = self.connections.get(name)
        if connection is None or connection.since_us + LOGON_TIMEOUT_US > self.agenda.now_us:
            return
        ours = self.core.engine.sessions.get(name) if self.core else None
        if ours is None or not (ours.logged_on and self.parties[name].session.logged_on):
            connection.close("no answer to the Logon")

    def _arrives(self, core: SimCore, name: str, raw: bytes) -> None:
        if self.core is core:
            core.engine.receive(name, raw)

    def _closed(self, core: SimCore, name: str, reason: str) -> None:
        if self.core is core:
            self.connections.pop(name, None)
            core.engine.sessions[name].disconnected(reason)

    def flush(self, name: str, end: int) -> None:
        """Put on the wire what that end of the party's connection has written."""
        connection = self.connections.get(name)
        if connection is not None:
            connection.pump(end)

    def _flush_core(self, core: SimCore, name: str) -> None:
        if self.core is core:
            self.flush(name, 1)

    def cut(self, name: str) -> None:
        """The connection breaks."""
        connection = self.connections.get(name)
        if connection is not None:
            self.counts.faults += 1
            self.story.tell(f"the connection of {name} breaks")
            connection.close("the connection broke")

    def partition(self, name: str, n: int) -> None:
        """Nothing comes through for a while."""
        connection = self.connections.get(name)
        if connection is not None:
            self.counts.faults += 1
            lasts_us = 500_000 + n % 40_000_000
            self.story.tell(f"nothing comes through to {name} for {lasts_us / 1_000_000:.1f} s")
            connection.blocked_until_us = self.agenda.now_us + lasts_us

    def forget(self) -> None:
        """Let go of everything, so that memory is free at once."""
        self.agenda.forget()
        self.connections.clear()

    # Operators

    def ask(self, command: Command) -> int:
        """Put it into the inbox; its number there."""
        number = self.disk.ask(command)
        self.wake()
        return number

    # Checkers

    def _look(self, hook: str, *what: object) -> None:
        """Have all checkers look that have that hook of Watcher."""
        for look in self._hooks[hook]:
            try:
                look(*what)
            except Broken:
                raise
            except AssertionError as error:
                checker = getattr(look, "__self__", None)
                name = type(checker).__module__.rsplit(".", 1)[-1]
                raise Broken(name, str(error)) from error

    def standing(self, child: Order) -> Standing | None:
        """The order as its venue has it."""
        venue, name = self.venues[child.counterparty], child.first_terms.cl_ord_id
        return venue.by_id.get(name) or venue.strangers.by_id.get(name)

    def _committed(self, entries: list[Entry]) -> None:
        self._look("committed", entries)
        groups = self.shadow.take(entries)
        for _, event in (one for group in groups for one in group.events):
            if isinstance(event, CorporateActionApplied):
                carry_out(self, event)
            elif isinstance(event, ReportsDiscarded):
                self._let_go(event)
        self._look("folded", groups)

    def _let_go(self, event: ReportsDiscarded) -> None:
        """Its desk has it from the operators: of an execution the ExecID is its event's number."""
        ledger = self.clients[event.session].ledger
        ledger.lost = True
        ledger.discarded |= {f"E{one}" for one in range(event.first_event, event.last_event + 1)}

    def _leaving(self, effect: FixMessage) -> None:
        self._look("leaving", effect)

    def _wire(self, name: str, *, from_core: bool, raw: bytes) -> None:
        self._look("on_wire", name, from_core, raw)

    def check_quiet(self) -> None:
        """Ask every checker, now that nothing moves."""
        self._look("at_quiet")
