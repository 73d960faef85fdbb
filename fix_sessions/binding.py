"""The one import of QuickFIX, with what importing it breaks put right.

Importing it sets SIGINT to the operating system's default behind Python's back, so that Ctrl-C
would kill the process without an orderly stop: the handler that was there is put back.
"""

import signal
import threading

_sigint = signal.getsignal(signal.SIGINT)

import quickfix  # noqa: E402 - the handler must be read before

if _sigint is not None and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, _sigint)

__all__ = ["quickfix"]
