"""QuickFIX's messages as text, and what their headers say, found without reading all of it."""

from typing import Any

from fix_sessions.binding import message_text
from fix_sessions.wire import SOH


def text_of(message: Any) -> str:
    """A QuickFIX message as text; the message itself is dead once its callback returns."""
    text = message_text(message)
    if not text.isascii():
        # The binding turns each byte that is not UTF-8 into a lone surrogate.
        text = "".join([chr(ord(c) - 0xDC00) if "\udc80" <= c <= "\udcff" else c for c in text])
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text


def msg_type_of(text: str) -> str:
    """MsgType (35), which QuickFIX puts third."""
    start = text.index("\x0135=") + 4
    return text[start : text.index(SOH, start)]


def msg_seq_num_of(text: str) -> int:
    """MsgSeqNum (34), which QuickFIX puts into the header."""
    start = text.index("\x0134=") + 4
    return int(text[start : text.index(SOH, start)])
