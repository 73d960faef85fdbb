"""What counterparties ask for again and again costs everybody time: how much of it one may ask for.

An engine that asks anew for each message behind a gap, or for everything in a loop, is ended; it
asks once when it logs on again. What is asked for the first time is never refused, nor is one
request after a pause, however long the answer is.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

# In messages: what a request costs by itself, how much may be owed, how much is forgotten a second.
_REQUEST: Final = 50
_LIMIT: Final = 20_000
_FORGOTTEN: Final = 2_000


@dataclass(slots=True)
class _Account:
    owed: float = 0.0
    at_s: float = 0.0
    asked_to: int = 0


class ResendCosts:
    """By session."""

    def __init__(self) -> None:
        self._accounts: defaultdict[str, _Account] = defaultdict(_Account)

    def may_ask(self, session_id: str, begin: int, last: int, now_s: float) -> bool:
        """Whether to answer a request for these numbers; if so it counts. now_s: monotonic."""
        account = self._accounts[session_id]
        account.owed = max(0.0, account.owed - (now_s - account.at_s) * _FORGOTTEN)
        account.at_s = now_s
        if account.owed > _LIMIT:
            return False
        again = min(last, account.asked_to) - begin + 1
        account.owed += _REQUEST + max(0, again)
        account.asked_to = max(account.asked_to, last)
        return True
