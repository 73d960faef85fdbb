"""Whatever happens in whatever order, a session ends open exactly when nothing keeps it closed."""

from dataclasses import dataclass, field, replace
from datetime import UTC, time

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    CoreStarted,
    MessagesSent,
    Origin,
    SequenceReset,
    SessionLoggedOn,
    SessionLoggedOut,
)
from oms.domain.effects import ControlSession, SessionAction
from oms.domain.instrument import Reference
from oms.domain.schedule import Schedule, is_open
from oms.domain.session_commands import (
    ApproveSessionReset,
    LogoutCause,
    RequestSessionReset,
    StartSession,
    StopSession,
)
from oms.outbound_sessions import actions_at_start
from tests.support.world import DATE, REFERENCE, World

SESSION = "ALPHA"
SCHEDULE = Schedule(
    time_zone=UTC,
    start=time(8),
    end=time(17),
    days=frozenset({0, 1, 2, 3, 4}),
    reset=time(12),
    reset_days=frozenset(range(7)),
)
HOUR_US = 3_600_000_000
STEPS = ("carry_out", "log_on", "lose", "stop", "start", "request", "approve", "crash")
SETTLE = 50


@dataclass
class Model:
    """An engine with one session, which carries out effects when the test says so."""

    world: World = field(default_factory=lambda: World(_reference()))
    enabled: bool = True
    logged_on: bool = False
    waiting: list[ControlSession] = field(default_factory=list)

    def send(self, command: Command, after_us: int = 1_000) -> None:
        self.world.send(command, after_us)
        self.waiting += [one for one in self.world.effects if isinstance(one, ControlSession)]

    def origin(self) -> Origin:
        epoch = self.world.state.session(SESSION).epoch
        return replace(self.world.origin(SESSION), msg_seq_num=0, epoch=epoch)

    def carry_out(self) -> None:
        """The oldest effect."""
        if not self.waiting:
            return
        match self.waiting.pop(0).action:
            case SessionAction.OPEN:
                self.enabled = True
            case SessionAction.CLOSE:
                self._close()
            case SessionAction.RESET:
                if not self._close():
                    self.send(SequenceReset(origin=self.origin()))
            case SessionAction.REPEAT:
                self.send(MessagesSent(origin=SYSTEM, messages=(), repeated=SESSION))

    def _close(self) -> bool:
        """Whether it was logged on."""
        self.enabled = False
        if not self.logged_on:
            return False
        self.end(LogoutCause.OURS)
        return True

    def end(self, cause: LogoutCause) -> None:
        self.logged_on = False
        self.send(SessionLoggedOut(origin=self.origin(), text="test", cause=cause))

    def log_on(self) -> None:
        if self.enabled and not self.logged_on:
            self.logged_on = True
            self.send(SessionLoggedOn(origin=self.origin()))

    def lose(self) -> None:
        if self.logged_on:
            self.end(LogoutCause.LOST)

    def stop(self) -> None:
        self.send(StopSession(origin=_operator("anne"), session=SESSION, reason="test"))

    def start(self) -> None:
        self.send(StartSession(origin=_operator("bert"), session=SESSION, reason="test"))

    def request(self) -> None:
        self.send(RequestSessionReset(origin=_operator("anne"), session=SESSION, reason="test"))

    def approve(self) -> None:
        request = self.world.state.session(SESSION).reset_request
        self.send(
            ApproveSessionReset(
                origin=_operator("bert"), session=SESSION, request=request, reason="test"
            )
        )

    def crash(self) -> None:
        """What was not carried out is forgotten; another core starts from the journal."""
        self.world.state = self.world.replayed()
        self.enabled, self.logged_on, self.waiting = True, False, []
        self.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=DATE))
        # As the core does it: before what follows from its start has left.
        self.waiting = [*actions_at_start(self.world.state), *self.waiting]

    def tick(self, after_us: int) -> None:
        self.world.tick(after_us)
        self.waiting += [one for one in self.world.effects if isinstance(one, ControlSession)]

    def settle(self) -> None:
        """Time stands nearly still until there is nothing left to do."""
        for _ in range(SETTLE):
            self.tick(1_000)
            if not self.waiting:
                return
            self.carry_out()
        raise AssertionError(f"never at rest: {self.waiting}")


def _reference() -> Reference:
    return replace(REFERENCE, schedules={SESSION: SCHEDULE})


def _operator(user: str) -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"cli:{user}", user=user)


steps = st.lists(st.sampled_from(STEPS) | st.integers(1, 30), max_size=40)


@settings(deadline=None, max_examples=200)
@given(steps)
def test_it_is_open_when_nothing_keeps_it_closed(taken: list[str | int]) -> None:
    model = Model()
    for step in taken:
        if isinstance(step, int):
            model.tick(step * HOUR_US)
        else:
            getattr(model, step)()
    model.settle()
    session = model.world.state.session(SESSION)
    wanted = is_open(SCHEDULE, model.world.at) and not session.stopped
    assert model.enabled is wanted
    assert session.barred is not wanted
    assert not session.reset_due
    assert not session.repeat_since
    assert model.logged_on is session.logged_on
    assert wanted or not model.logged_on
    assert model.world.replayed() == model.world.state
