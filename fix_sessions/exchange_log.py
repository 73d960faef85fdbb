"""A venue's command log: one JSON line for every input that was taken, appended before its answer
leaves, so that a replay makes the venue again after any crash.

Lines are given to the operating system one by one, which survives the death of the process. Four
kinds: `open` (once, what the venue is), `command`, `sent` (the numbers of answers that left) and
`reset` (a session's message numbers began again).
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ems.simulator.commands import Command, command_from_json, command_to_json


class LogError(RuntimeError):
    """The log cannot be used: held by another process, damaged, or of another venue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The first line: when the venue was first opened, and what it is."""

    at: int
    venue: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A command, with the message that it came by: session "" is an operator's or a timer's."""

    at: int
    session: str
    seq: int
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Answers that were handed to their session, as ranges of their numbers."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A session's message numbers began again at 1."""

    session: str


Record = Opened | Taken | Sent | Reset


class CommandLog:
    """The log file, held by one process at a time. Read it wholly before the first append."""

    def __init__(self, path: Path, *, torn_tail: Literal["drop", "refuse"] = "drop") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._torn_tail = torn_tail
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise LogError(f"{path}: another venue process is using it") from None
        self._count = 0

    def read(self) -> Iterator[Record]:
        """Every record. A last line that was not written to its end is cut off, or refused where
        the configuration says so; any other damage raises LogError with the line's number.
        """
        good_bytes = 0
        size = self._path.stat().st_size
        with self._path.open("rb") as lines:
            for line in lines:
                try:
                    record = self._record(line)
                except (ValueError, KeyError, TypeError) as error:
                    self._torn(good_bytes, size, len(line), error)
                    break
                self._count += 1
                good_bytes += len(line)
                yield record

    def append_opened(self, at: int, venue: dict[str, Any]) -> None:
        self._append({"at": at, "open": venue})

    def append_command(self, at: int, session: str, seq: int, command: Command) -> None:
        document = {"at": at, "session": session, "seq": seq, "command": command_to_json(command)}
        self._append(document)

    def append_sent(self, numbers: Iterable[int]) -> None:
        ranges: list[list[int]] = []
        for number in sorted(numbers):
            if ranges and ranges[-1][1] + 1 == number:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
        self._append({"sent": ranges})

    def append_reset(self, session: str) -> None:
        self._append({"reset": session})

    def close(self) -> None:
        os.close(self._fd)

    def _append(self, document: dict[str, Any]) -> None:
        self._count += 1
        line = json.dumps({"n": self._count, **document}, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._fd, line)
        if written != len(line):
            raise LogError(f"{self._path}: only {written} of {len(line)} bytes were written")

    def _record(self, line: bytes) -> Record:
        if not line.endswith(b"\n"):
            raise ValueError("the line has no end")
        document = json.loads(line)
        if document["n"] != self._count + 1:
            raise ValueError(f"n is {document['n']}, not {self._count + 1}")
        if "command" in document:
            return Taken(
                at=document["at"],
                session=document["session"],
                seq=document["seq"],
                command=command_from_json(document["command"]),
            )
        if "sent" in document:
            return Sent(ranges=tuple((first, last) for first, last in document["sent"]))
        if "reset" in document:
            return Reset(session=document["reset"])
        return Opened(at=document["at"], venue=document["open"])

    def _torn(self, good_bytes: int, size: int, line_bytes: int, error: Exception) -> None:
        where = f"{self._path}: line {self._count + 1}: {error}"
        if good_bytes + line_bytes < size:
            raise LogError(where)
        if self._torn_tail == "refuse":
            raise LogError(f"{where} (torn_tail = refuse)")
        os.ftruncate(self._fd, good_bytes)
