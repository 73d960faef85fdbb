"""A gap in a session's stream, in plain words."""

from oms.domain.session_commands import ResendAsked
from oms.domain.session_events import GapFound


def gap_found(command: ResendAsked) -> GapFound:
    """What the ResendRequest says."""
    first, last = command.begin_seq_no, command.end_seq_no
    if not last and command.highest >= first:
        last = command.highest
    numbers = f"message {first}" if first == last else f"messages {first} to {last}"
    if not last:
        numbers = f"all messages from {first} on"
    name = command.origin.session
    who = f"we lacked {numbers} of {name}" if command.by_us else f"{name} lacked {numbers} of ours"
    text = f"{who}, and asked for them again"
    return GapFound(session=name, by_us=command.by_us, text=text)
