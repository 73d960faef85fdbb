"""What the core does with sessions: open, close, reset, repeat after a reset, and reload."""

from collections.abc import Callable, Sequence
from typing import assert_never

from fix_sessions.edge import Edge
from oms.domain.commands import SentMessage
from oms.domain.effects import ControlSession, Effect, SessionAction
from oms.ports import Outlet

# What is done though the session is not configured, or is none.
_OF_UNKNOWN = (SessionAction.RELOAD, SessionAction.DISCARD)

ReadSent = Callable[[str, int, int], Sequence[SentMessage]]


class SessionControl:
    """EffectOutlet of the sequencer: messages go on to `outlet`, the rest is done here.

    read_sent: what was sent on a session up to an epoch, from a stamp on. reload: has sessions be
    as was decided, set by whoever can.
    """

    reload: Callable[[], None]

    def __init__(self, outlet: Outlet, edge: Edge, read_sent: ReadSent) -> None:
        self._outlet = outlet
        self._edge = edge
        self._read_sent = read_sent

    def deliver(self, effect: Effect) -> None:
        """See oms.ports.EffectOutlet."""
        if not isinstance(effect, ControlSession):
            self._outlet.deliver(effect)
        elif effect.action in _OF_UNKNOWN or self._edge.knows(effect.session):
            self._carry_out(effect)

    def release(self) -> list[SentMessage]:
        """See oms.ports.EffectOutlet."""
        return self._outlet.release()

    @property
    def pending(self) -> bool:
        """See oms.ports.Outlet."""
        return self._outlet.pending

    @property
    def held_from(self) -> int | None:
        """See oms.ports.Outlet."""
        return self._outlet.held_from

    def _carry_out(self, effect: ControlSession) -> None:
        engine, session = self._edge.engine, effect.session
        match effect.action:
            case SessionAction.OPEN:
                engine.logon(session)
            case SessionAction.CLOSE:
                engine.logout(session, effect.text, answers=effect.answers)
            case SessionAction.RESET:
                # A core may find at its start that it was carried out, or ask for it by two events
                # at once: once more would swallow what is repeated.
                done = self._edge.was_reset_since(session, effect.epoch + 1)
                if not (done or self._edge.is_being_reset(session)):
                    self._edge.reset(session, effect.text)
            case SessionAction.REPEAT:
                lost = self._read_sent(session, effect.epoch, effect.since)
                self._edge.repeat(session, lost)
            case SessionAction.DISCARD:
                self._edge.discard(session, effect.through)
            case SessionAction.RELOAD:
                self.reload()
            case _:
                assert_never(effect.action)
