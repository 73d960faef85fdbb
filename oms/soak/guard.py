"""`python -m oms.soak.guard`: lets go what a soak has frozen, if the soak dies first.

Lines `hold PID` and `let PID` come on standard input; when that ends, whoever is held goes on. The
kernel has then told it to end already, as its starter is gone.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """See the module."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    held: set[int] = set()
    for line in sys.stdin:
        word, _, pid = line.strip().partition(" ")
        if word == "hold":
            held.add(int(pid))
        else:
            held.discard(int(pid))
    for one in held:
        with contextlib.suppress(OSError):
            os.kill(one, signal.SIGCONT)


if __name__ == "__main__":
    main()
