"""Nonsense of all kinds from a counterparty: the engine goes on, and an honest one can log on."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.engine import Engine
from fix_sessions.light_session import wall_clock_us
from fix_sessions.wire import checksum, utc_timestamp_ms
from tests.support.fix_engine import EngineHub, accepting

CONNECTIONS = 150
TAGS = [7, 16, 34, 36, 43, 45, 49, 52, 56, 58, 89, 90, 91, 93, 95, 96, 97, 98, 108, 112, 115]
TAGS += [122, 123, 128, 141, 212, 213, 268, 269, 347, 369, 372, 384, 385, 553, 627, 628, 789, 1137]
VALUES = ["", "0", "1", "-1", "Y", "N", "x", "9" * 20, "1e9", "\xe9", "20260101-00:00:00", "\0"]
BODIES: dict[str, list[tuple[int, str]]] = {
    "0": [],
    "1": [(112, "T")],
    "2": [(7, "1"), (16, "0")],
    "3": [(45, "1")],
    "4": [(123, "N"), (36, "7")],
    "5": [],
    "8": [(37, "O1")],
    "A": [(98, "0"), (108, "30")],
    "D": [(11, "A1")],
    "W": [(268, "2"), (269, "0"), (270, "1"), (269, "1")],
}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store") as found:
        yield found


def nonsense(chance: random.Random, msg_type: str, number: int) -> bytes:
    """One message, mostly well framed, with up to four of its fields spoilt."""
    header = [(34, str(number)), (49, "ALPHA"), (56, "PLUMB")]
    fields = [(35, msg_type), *header, (52, utc_timestamp_ms(wall_clock_us())), *BODIES[msg_type]]
    for _ in range(chance.choice([0, 0, 1, 1, 2, 4])):
        at = chance.randrange(len(fields))
        match chance.randrange(4):
            case 0 if len(fields) > 1:
                fields.pop(at)
            case 1:
                fields.insert(at, (chance.choice(TAGS), chance.choice(VALUES)))
            case 2:
                fields[at] = (fields[at][0], chance.choice(VALUES))
            case _:
                chance.shuffle(fields)
    body = "".join(f"{tag}={value}\x01" for tag, value in fields).encode("latin-1")
    data = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
    data += b"10=%03d\x01" % ((checksum(data) + chance.choice([0] * 20 + [1])) % 256)
    if chance.random() < 0.05:
        at = chance.randrange(30, len(data) - 8)  # not the length: its wait is bounded elsewhere
        data = data[:at] + bytes([chance.randrange(2, 256)]) + data[at + 1 :]
    return data


def one_connection(chance: random.Random, engine: Engine) -> None:
    with socket.create_connection(("127.0.0.1", engine.acceptor_port), timeout=5) as found:
        found.setblocking(False)
        number = engine.expected_inbound("ALPHA")
        for msg_type in "A" + "".join(chance.choices(sorted(BODIES), k=chance.randrange(8))):
            try:
                found.send(nonsense(chance, msg_type, number))
            except OSError:
                break
            number += 1
            for _ in range(3):
                engine.poll(0)
    for _ in range(4):
        engine.poll(0.001)


@pytest.mark.parametrize("seed", [3, 5])
def test_the_engine_goes_on_whatever_a_counterparty_sends(hub: EngineHub, seed: int) -> None:
    chance = random.Random(seed)
    engine = hub.run(accepting(), accepting("BETA"))
    other = hub.client_of(engine, "BETA")
    other.logon()
    for _ in range(CONNECTIONS):
        one_connection(chance, engine)
    hub.recorder.received.clear()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    client = hub.client_of(engine)
    client.session.next_out = engine.expected_inbound("ALPHA")
    client.session.next_in = engine.next_outbound("ALPHA")
    client.logon()
    client.send("D", [(11, "LAST")])
    if not engine.is_logged_on("BETA"):  # readable in the same moment as the bytes that failed
        other.reconnect()
    other.send("D", [(11, "OTHER")])
    hub.until(lambda: {"LAST", "OTHER"} <= set(hub.recorder.values(11)))
