"""QuickFIX's messages from and as text, and what their headers say, without reading all of it."""

from typing import Any

from fix_sessions.binding import message_text, new_message
from fix_sessions.wire import SOH


def message_of(text: str, dictionary: Any | None) -> Any:
    """A QuickFIX message of a text that `outgoing.text_of_pieces` made.

    The dictionary, as the bare binding takes it, is what keeps groups whole: without one there may
    be none.
    """
    return new_message(text, False) if dictionary is None else new_message(text, dictionary, False)


def text_of(message: Any) -> str:
    """A QuickFIX message as text; the message itself is dead once its callback returns."""
    text = message_text(message)
    if not text.isascii():
        # The binding turns each byte that is not UTF-8 into a lone surrogate.
        text = "".join([chr(ord(c) - 0xDC00) if "\udc80" <= c <= "\udcff" else c for c in text])
    if "\0" in text:
        # No database takes it as text. As another control character it is refused in a name as they
        # are: as a printable one it made another name of it, which the sender would not know.
        text = text.replace("\0", "\x1a")
    return text


def msg_type_of(text: str) -> str:
    """MsgType (35), which QuickFIX puts third."""
    start = text.index("\x0135=") + 4
    return text[start : text.index(SOH, start)]


def msg_seq_num_of(text: str) -> int:
    """MsgSeqNum (34), which QuickFIX puts into the header."""
    start = text.index("\x0134=") + 4
    return int(text[start : text.index(SOH, start)])
