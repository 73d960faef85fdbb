"""The one import of QuickFIX, with what importing it breaks put right.

Importing it sets SIGINT to the operating system's default behind Python's back, so that Ctrl-C
would kill the process without an orderly stop: the handler that was there is put back.
"""

import signal
import threading
from collections.abc import Callable
from typing import Any

_sigint = signal.getsignal(signal.SIGINT)

import _quickfix  # noqa: E402 - the handler must be read before
import quickfix  # noqa: E402

if _sigint is not None and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, _sigint)

# The same functions without the Python shells around their arguments and results, which cost as
# much as the functions themselves. A message made so belongs to whoever holds it, like any other.
new_message: Callable[..., Any] = _quickfix.new_Message
message_text: Callable[..., str] = _quickfix.Message_toString
send_message: Callable[..., bool] = _quickfix.Session_send

__all__ = ["message_text", "new_message", "quickfix", "send_message"]
