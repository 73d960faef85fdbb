"""What the runs reached and what they never did: so that we see what the workload does not try."""

from collections import Counter
from typing import get_args

from oms.domain.commands import Command
from oms.domain.events import Event
from oms.domain.fix import OrdStatus

# Statuses of FIX that no order of ours can have; Replaced is one on the wire of FIX 4.2 alone.
_NEVER = frozenset({"ACCEPTED_FOR_BIDDING", "REPLACED"})


def coverage_lines(
    transitions: Counter[str], events: Counter[str], commands: Counter[str]
) -> list[str]:
    """A few lines: statuses, transitions between them, events and commands."""
    reached = {name for key in transitions for name in key.split(" ")[1:]}
    statuses = [one.name for one in OrdStatus if one.name not in _NEVER]
    lines = [_line("order states", [*statuses, "UNKNOWN"], reached)]
    kinds = Counter(key.split(" ")[0] for key in transitions)
    lines.append(
        f"transitions: {kinds['order']} kinds of client orders, {kinds['child']} of child orders"
    )
    lines.append(_line("events", [one.__name__ for one in get_args(Event)], set(events)))
    lines.append(_line("commands", [one.__name__ for one in get_args(Command)], set(commands)))
    return lines


def _line(what: str, possible: list[str], reached: set[str]) -> str:
    missing = sorted(set(possible) - reached)
    found = len(set(possible)) - len(missing)
    text = f"{what}: {found} of {len(set(possible))} reached"
    return f"{text}; never: {', '.join(missing)}" if missing else text
