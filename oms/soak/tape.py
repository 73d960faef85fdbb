"""A client's tape: what it sent and heard, written down before anybody acts on it.

It is the client's store, from which it goes on after SIGKILL, and the raw evidence afterwards. One
JSON line each: `out`, a message as it was numbered; `in`, the messages that one read made, with
the number expected next; `closed`, why a connection ended; `fault`, bytes that were garbled.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fix_sessions.light_session import Fields, LightSession, LightSettings, Message, wall_clock_us
from fix_sessions.wire import fields_of, first
from oms.simulation.ledgers import Asked, ClientLedger

REQUESTS = frozenset("DFG")
_HEADER = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 97, 122})


class TapedSession(LightSession):
    """A session whose every number is on the tape before it is used."""

    def __init__(self, settings: LightSettings, tape: Path) -> None:
        super().__init__(settings)
        self._tape = tape.open("a", encoding="utf-8")

    def prepare(self, msg_type: str, fields: Fields, header: Fields = ()) -> bytes:
        """See LightSession."""
        data = super().prepare(msg_type, fields, header)
        self._note({"out": data.decode("latin-1"), "seq": self.next_out - 1})
        return data

    def receive(self, data: bytes, at_ns: int = 0) -> list[Message]:
        """See LightSession."""
        garbled = len(self.faults)
        before = self.next_in
        found = super().receive(data, at_ns)
        for fault in self.faults[garbled:]:
            self._note({"fault": fault.fault, "raw": fault.raw.decode("latin-1")})
        if found or self.next_in != before:
            raws = [one.raw.decode("latin-1") for one in found]
            self._note({"in": raws, "next_in": self.next_in})
        return found

    def disconnected(self, reason: str) -> None:
        """See LightSession."""
        online = self._online
        super().disconnected(reason)
        if online:
            self._note({"closed": self.close_reason})

    def _note(self, entry: dict[str, Any]) -> None:
        self._tape.write(json.dumps({"at": wall_clock_us(), **entry}) + "\n")
        self._tape.flush()


@dataclass(slots=True, kw_only=True)
class Played:
    """What a tape says: the client's book, its numbers, what it sent by number, what it heard.

    told: raw messages in order; ends: why connections ended; faults: what was garbled. last_id: the
    highest number that a ClOrdID of its own had.
    """

    ledger: ClientLedger = field(default_factory=ClientLedger)
    next_in: int = 1
    next_out: int = 1
    sent: dict[int, bytes] = field(default_factory=dict)
    told: list[bytes] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    last_id: int = 0


class Reel:
    """A tape that is read on from where it was read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._played = Played()

    def read_on(self) -> Played:
        """All that it says by now; a line that is being written is left for the next time."""
        if self._path.exists():
            with self._path.open("rb") as lines:
                lines.seek(self._read)
                for line in lines:
                    if line.endswith(b"\n"):
                        self._read += len(line)
                        _play_entry(self._played, json.loads(line))
        return self._played


def play(path: Path) -> Played:
    """Read a tape from its start; its last line may be torn."""
    return Reel(path).read_on()


def _play_entry(played: Played, entry: dict[str, Any]) -> None:
    if "out" in entry:
        _played_out(played, int(entry["at"]), int(entry["seq"]), entry["out"])
    elif "in" in entry:
        for raw in entry["in"]:
            _played_in(played, raw)
        played.next_in = int(entry["next_in"])
    elif "closed" in entry:
        played.ends.append(str(entry["closed"]))
    elif "fault" in entry:
        played.faults.append(str(entry["fault"]))


def _played_out(played: Played, at: int, seq: int, raw: str) -> None:
    played.next_out = seq + 1
    played.sent[seq] = raw.encode("latin-1")
    fields = fields_of(raw)
    msg_type = first(fields, 35) or ""
    cl_ord_id = first(fields, 11) or ""
    if cl_ord_id[1:].isdecimal():
        played.last_id = max(played.last_id, int(cl_ord_id[1:]))
    if msg_type not in REQUESTS:
        return
    known = played.ledger.asked.get(cl_ord_id)
    if known is not None:
        known.times += 1
        return
    played.ledger.asked[cl_ord_id] = Asked(
        cl_ord_id=cl_ord_id,
        msg_type=msg_type,
        fields=[one for one in fields if one[0] not in _HEADER],
        orig=first(fields, 41) or "",
        at=at,
    )


def _played_in(played: Played, raw: str) -> None:
    fields = fields_of(raw)
    data = raw.encode("latin-1")
    played.told.append(data)
    played.ledger.note(
        Message(
            msg_type=first(fields, 35) or "",
            seq=int(first(fields, 34) or 0),
            fields=fields,
            raw=data,
            at_ns=0,
        )
    )
