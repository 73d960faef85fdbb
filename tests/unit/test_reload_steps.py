"""What a reload does with a client's session that comes back."""

from collections.abc import Collection

from fix_sessions.registry import Counterparty
from oms.app.reload_steps import Numbers, ReloadSteps
from oms.domain.effects import ControlSession, Effect
from oms.domain.state import Session, State
from oms.sessions.differences import SessionDifferences
from tests.support.world import REFERENCE


class Desk:
    """Sequencer, edge and engine in one: what it was asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.engine = self

    def take_in(self, *_: object) -> None:
        self.asked.append("take in")

    def reset(self, *_: object) -> None:
        self.asked.append("reset")

    def catch_up(self, *_: object) -> None:
        self.asked.append("catch up")

    def logon(self, *_: object) -> None:
        self.asked.append("log on")

    def deliver_again(self, effects: list[Effect]) -> None:
        self.asked += [one.action for one in effects if isinstance(one, ControlSession)]


class Steps(ReloadSteps[SessionDifferences]):
    """With nothing to read and to make."""

    def _read(self) -> None: ...

    def _refused(self, fault: str) -> None: ...

    def _adopt(self, changes: SessionDifferences) -> None: ...

    def _change(self, changes: SessionDifferences) -> None: ...

    def _parties(self, names: Collection[str]) -> list[Counterparty]:
        return [Counterparty(session_id=one, name=one, role="client") for one in names]

    def _number(self, name: str, session: Session, numbers: Numbers) -> None:
        del name, session, numbers
        self._sequencer.asked.append("number")  # type: ignore[attr-defined]


def opened(*, added: bool = True, **session: int) -> list[str]:
    """What is done with ALPHA, which is in the file again or made anew."""
    state, desk = State(reference=REFERENCE), Desk()
    known = state.session_kept("ALPHA")
    for name, value in session.items():
        setattr(known, name, value)
    steps = Steps(state=state, sequencer=desk, edge=desk)  # type: ignore[arg-type]
    names = ("ALPHA",)
    changes = SessionDifferences(
        added=names if added else (), changed=(), remade=() if added else names, removed=()
    )
    steps._open(changes, {})
    return desk.asked


def test_what_was_kept_follows_the_numbers_and_comes_before_the_logon() -> None:
    assert opened() == ["take in", "number", "catch up", "log on"]


def test_what_was_kept_waits_for_a_reset_that_is_due() -> None:
    assert opened(reset_due=1) == ["take in", "number", "reset", "catch up"]


def test_a_reset_whose_repetition_a_crash_cut_off_is_made_good_when_it_comes_back() -> None:
    """A core that started without the session skipped it, and it would be kept out for ever."""
    assert opened(repeat_since=5) == ["take in", "number", "REPEAT", "CLOSE", "catch up"]
    assert opened(repeat_since=5, added=False) == ["take in", "number", "catch up"]
