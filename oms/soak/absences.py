"""A client is taken out of the server's configuration while it has orders open, and put back.

The file is written, and the core asked to take it over, by a thread: the database that the wish is
handed over by may be away, frozen or full. A core that starts meanwhile reads the file anyway.
Its orders are cancelled meanwhile: what it would have been told waits for it, and the checkers want
it told.
"""

import contextlib
import queue
import threading
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from oms.domain.commands import Command, OrderMassCancelRequest
from oms.domain.origin import Channel, Origin
from oms.domain.session_commands import ReloadSessions
from oms.jobs.core_commands import answer_of, send
from oms.jobs.once import jobs_engine

# It has accounts that no other fault or act names.
WHO = "GAMMA"
_TRY_EVERY_S = 0.2
# Then a core that is gone is not waited for.
_ANSWER_LIMIT_S = 10.0
_BETWEEN = "\n\n"
_OPERATOR = Origin(channel=Channel.OPERATOR, counterparty="operator:soak", user="soak")


class Absences:
    """See the module. url: the database, for commands to the core."""

    def __init__(self, config: Path, url: str) -> None:
        self._config = config
        self._whole = config.read_text(encoding="utf-8")
        self._engine = jobs_engine(url)
        self._wishes: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._count = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="absences", daemon=True)

    def start(self) -> None:
        """Begin, with everybody there."""
        self._thread.start()

    def stop(self) -> None:
        """End it, if it does not hang."""
        self._stopped.set()
        self._wishes.put(None)
        self._thread.join(2.0)

    def begin(self) -> None:
        """Without the client, and its key to the API."""
        self._write(without(self._whole, WHO))
        self._wishes.put(ReloadSessions(origin=_OPERATOR, reason="soak", force=True))
        self._count += 1
        client = replace(_OPERATOR, counterparty=WHO)
        self._wishes.put(OrderMassCancelRequest(origin=client, cl_ord_id=f"away{self._count}"))

    def end(self) -> None:
        """The configuration is as it was."""
        self._write(self._whole)
        self._wishes.put(ReloadSessions(origin=_OPERATOR, reason="soak"))

    def _write(self, text: str) -> None:
        """Whole, whoever reads it at what moment."""
        new = self._config.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o600)
        new.replace(self._config)

    def _run(self) -> None:
        handed = 0
        while (command := self._wishes.get()) is not None:
            handed += 1
            number = 0
            while not number and not self._stopped.wait(_TRY_EVERY_S):
                with contextlib.suppress(SQLAlchemyError):
                    number = send(self._engine, command, key=f"absence{handed}")
            deadline = time.monotonic() + _ANSWER_LIMIT_S
            while time.monotonic() < deadline and not self._stopped.wait(_TRY_EVERY_S):
                with contextlib.suppress(SQLAlchemyError):
                    if answer_of(self._engine, number) is not None:
                        break


def without(config: str, client: str) -> str:
    """The configuration less the tables of that client and of its keys."""
    names = (f'name = "{client}"', f'client = "{client}"')
    tables = config.split(_BETWEEN)
    left = [one for one in tables if not any(name in one.splitlines() for name in names)]
    assert len(left) == len(tables) - len(names), f"{client}: its table and its key's"
    return _BETWEEN.join(left)
