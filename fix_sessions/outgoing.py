"""Our own messages as QuickFIX takes them, made from one text: the fast way through the binding."""

from collections.abc import Sequence
from typing import Any

from fix_sessions.binding import quickfix
from fix_sessions.wire import SOH

# Set by the session itself for each message, so not given by the caller.
_SESSION_TAGS = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 122})
# Every control character: SOH would end a field early, NUL would cut the stored message short.
_UNSAFE = dict.fromkeys((*range(0x20), 0x7F), " ")


def message_of(msg_type: str, fields: Sequence[tuple[int, str]], dictionary: Any) -> Any:
    """A QuickFIX message with these body fields, groups in the order given.

    Control characters in a value become spaces, characters without UTF-8 question marks, and a
    field without a value is left out. Raises ValueError for a tag that belongs to the session.
    """
    body = "".join([f"{tag}={value}\x01" for tag, value in fields])
    if body.count(SOH) != len(fields) or "=\x01" in body or not body.isascii() or "\0" in body:
        body = _cleaned(fields)
    given = _SESSION_TAGS.intersection([tag for tag, _ in fields])
    if given:
        raise ValueError(f"tag {min(given)} belongs to the session and cannot be given")
    # The dictionary keeps groups whole, and the trailer is what makes it close the last one.
    return quickfix.Message(f"35={msg_type}\x01{body}10=000\x01", dictionary, False)


def _cleaned(fields: Sequence[tuple[int, str]]) -> str:
    pieces = []
    for tag, value in fields:
        clean = value.translate(_UNSAFE).encode("utf-8", "replace").decode("utf-8")
        if clean:
            pieces.append(f"{tag}={clean}\x01")
    return "".join(pieces)
