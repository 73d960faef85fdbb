"""Our own messages as texts that QuickFIX takes whole: the fast way through its binding."""

from collections.abc import Sequence

from fix_sessions.wire import SOH

# Set by the session itself for each message, so not given by the caller.
_SESSION_TAGS = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 122})
# Every control character: SOH would end a field early, NUL would cut the stored message short.
_UNSAFE = dict.fromkeys((*range(0x20), 0x7F), " ")


def text_of_pieces(msg_type: str, pieces: Sequence[str]) -> str:
    """MsgType and these body fields, each `tag=value`, as one text; groups in the order given.

    Control characters in a value become spaces, characters without UTF-8 question marks, and a
    field without a value is left out. None of the fields may be one that the session sets.
    """
    body = "\x01".join(pieces) + SOH
    if body.count(SOH) != len(pieces) or "=\x01" in body or not body.isascii() or "\0" in body:
        body = _cleaned(pieces)
    # With a dictionary, the trailer is what closes the last group.
    return f"35={msg_type}\x01{body}10=000\x01"


def pieces_of(fields: Sequence[tuple[int, str]]) -> list[str]:
    """Each field as `tag=value`. Raises ValueError for a tag that belongs to the session."""
    given = _SESSION_TAGS.intersection([tag for tag, _ in fields])
    if given:
        raise ValueError(f"tag {min(given)} belongs to the session and cannot be given")
    return [f"{tag}={value}" for tag, value in fields]


def _cleaned(pieces: Sequence[str]) -> str:
    clean = [piece.translate(_UNSAFE).encode("utf-8", "replace").decode() for piece in pieces]
    return "".join([f"{piece}\x01" for piece in clean if piece.partition("=")[2]])
