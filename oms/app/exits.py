"""How a process ends: exit codes, and the one line that says why."""

import sys
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same for every command (docs/operations.md lists them)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    PORT_IN_USE = 4
    DATABASE_DOWN = 5
    SCHEMA = 6
    NOT_LEADER = 7
    FAULT = 8
    NO_ANSWER = 9
    NO_STATEMENT = 10
    JOURNAL_LOST = 11


class Stop(Exception):
    """End this process with that code; the text is the one line that says why."""

    def __init__(self, code: Exit, text: str) -> None:
        super().__init__(text)
        self.code = code


def complain(text: str) -> None:
    """One line a fault to standard error."""
    for line in text.splitlines():
        sys.stderr.write(f"oms: {line}\n")
