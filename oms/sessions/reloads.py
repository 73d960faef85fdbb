"""Sessions taken over from the configuration file at run time: what may be, and what is told."""

from collections.abc import Iterator

from oms.domain.events import CommandAnswered, Event
from oms.domain.reasons import Reason
from oms.domain.session_commands import ReloadSessions
from oms.domain.session_events import SessionsReloaded
from oms.domain.state import State
from oms.sessions.operators import at_risk

_NOTHING = "the sessions are as the file says"
_SHOWN = 5


def decide(state: State, command: ReloadSessions) -> Iterator[Event]:
    """The command as the core has completed it; see ReloadSessions."""
    fault = _fault(state, command)
    if fault:
        yield CommandAnswered(accepted=False, reason=Reason.UNSUPPORTED_VALUE, text=fault)
        return
    differs = command.added or command.changed or command.removed
    if differs and not command.dry_run:
        yield SessionsReloaded(
            user=command.origin.user,
            reason=command.reason,
            added=command.added,
            changed=command.changed,
            remade=command.remade,
            removed=command.removed,
        )
    yield CommandAnswered(accepted=True, reason=Reason.NONE, text=_told(state, command))


def _fault(state: State, command: ReloadSessions) -> str:
    if not command.reason.strip():
        return "reason: must not be empty; it stands in the audit trail"
    return command.fault or "; ".join(_bereaved(state, command))


def _bereaved(state: State, command: ReloadSessions) -> Iterator[str]:
    """Sessions that cannot go because of their open orders."""
    for name in command.removed:
        orders = at_risk(state, name)
        if not orders:
            continue
        shown = ", ".join(one.order_id for one in orders[:_SHOWN])
        more = f" and {len(orders) - _SHOWN} more" if len(orders) > _SHOWN else ""
        if any(one.is_child for one in orders):
            yield (
                f"{name}: cannot be removed with {len(orders)} open orders at it ({shown}{more}):"
                " nobody could cancel them or hear of their fills"
            )
        elif not command.force:
            yield (
                f"{name}: has {len(orders)} open orders ({shown}{more}): cancel them, or remove it"
                " by force; they go on then, and it is told when it comes back"
            )


def _told(state: State, command: ReloadSessions) -> str:
    """The answer: what is done or, in a dry run, would be."""
    changed = [one for one in command.changed if one not in command.remade]
    parts = [
        _part("added", list(command.added)),
        _part("changed", changed),
        _part("logged out and made anew", [_endangered(state, one) for one in command.remade]),
        _part("removed", [_endangered(state, one) for one in command.removed]),
    ]
    found = [part for part in parts if part] or [_NOTHING]
    if command.kept:
        found.append(_part("not before a restart", list(command.kept)))
    return "; ".join(found)


def _part(what: str, names: list[str]) -> str:
    return f"{what}: {', '.join(names)}" if names else ""


def _endangered(state: State, name: str) -> str:
    count = len(at_risk(state, name))
    return f"{name} ({count} open orders at risk)" if count else name
