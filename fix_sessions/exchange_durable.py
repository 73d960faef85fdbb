"""A venue that outlives its process: every command is logged before it is carried out."""

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

from ems.simulator.commands import Command
from ems.simulator.model import Delivery, Outcome
from ems.simulator.venue import Venue
from fix_sessions.exchange_config import ExchangeConfig
from fix_sessions.exchange_log import CommandLog, LogError, Opened, Reset, Sent, Taken

_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_US_PER_SECOND = 1_000_000


class DurableVenue:
    """The venue as the log in `config.data_dir` makes it; `at` is the time of a first opening.

    Raises LogError where the log is held by another process, damaged, or of another venue.
    """

    def __init__(self, config: ExchangeConfig, at: int) -> None:
        path = config.data_dir / "commands.jsonl"
        self._log = CommandLog(path, torn_tail=config.torn_tail)
        self._watermarks: dict[str, int] = {}
        self.commands = 0
        try:
            self._recover(config, path, at)
        except LogError:
            self._log.close()
            raise

    def _recover(self, config: ExchangeConfig, path: Path, at: int) -> None:
        identity = _identity_of(config)
        records = self._log.read()
        opened = next(records, None)
        if opened is None:
            prefix = f"{config.name}-{_base36(at // _US_PER_SECOND)}"
            self._log.append_opened(at, {**identity, "id_prefix": prefix})
        elif isinstance(opened, Opened):
            prefix = str(opened.venue.get("id_prefix"))
            for key, value in identity.items():
                if opened.venue.get(key) != value:
                    raise LogError(
                        f"{path}: it was made with {key} {opened.venue.get(key)}, not {value}; "
                        "give this venue another data_dir"
                    )
        else:
            raise LogError(f"{path}: line 1 does not say which venue this is")
        rng = random.Random(config.seed)
        self.venue = Venue(config.venue_settings, id_prefix=prefix, rng=rng)
        pending: dict[int, Delivery] = {}
        for record in records:
            match record:
                case Taken():
                    self._note(record.session, record.seq)
                    outcome = self.venue.apply(record.command, record.at)
                    pending.update((item.number, item) for item in outcome.deliveries)
                case Sent(ranges=ranges):
                    for first, last in ranges:
                        for number in range(first, last + 1):
                            pending.pop(number, None)
                case Reset(session=session):
                    self._watermarks[session] = 0
                case Opened():
                    raise LogError(f"{path}: opened twice")
        # What may not have left before the process ended.
        self.unsent = [item for item in pending.values() if item.copies]

    def seen(self, session: str, seq: int) -> bool:
        """Whether a session's message with this MsgSeqNum, or a later one, was taken."""
        return seq <= self._watermarks.get(session, 0)

    def take(self, command: Command, at: int, *, session: str = "", seq: int = 0) -> Outcome:
        """Log a command, then carry it out."""
        self._log.append_command(at, session, seq, command)
        self._note(session, seq)
        return self.venue.apply(command, at)

    def reset(self, session: str) -> None:
        """The session's message numbers begin again."""
        self._log.append_reset(session)
        self._watermarks[session] = 0

    def sent(self, numbers: list[int]) -> None:
        """These answers were handed to their sessions, which keep them from now on."""
        self._log.append_sent(numbers)

    def close(self) -> None:
        self._log.close()

    def _note(self, session: str, seq: int) -> None:
        self.commands += 1
        if session:
            self._watermarks[session] = seq


def _identity_of(config: ExchangeConfig) -> dict[str, Any]:
    """What decides the outcome of a replay, as JSON values."""
    parts = {
        "name": config.name,
        "seed": config.seed,
        "symbols": [dataclasses.asdict(item) for item in config.symbols],
        "liquidity": dataclasses.asdict(config.liquidity),
    }
    identity: dict[str, Any] = json.loads(json.dumps(parts, default=str))
    return identity


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"
