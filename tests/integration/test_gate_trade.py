"""Sessions that come and go through the gate while they trade."""

import contextlib
import random
import socket
import ssl
import threading
from pathlib import Path

import pytest

from fix_sessions.gate_events import GateEventKind
from fix_sessions.wire import FrameReader, fields_of, first
from tests.integration.gate_rig import LOCALHOST, PATIENCE_S, logon_fields
from tests.integration.gate_site import (
    INBOUND,
    OUTBOUND,
    Site,
    at_the_gate,
    disconnections,
    framed,
)
from tests.support.tls import Authority, client_context, connect, server_files

ROUNDS = 8
# Where one connection ends and another begins in the same moment, QuickFIX may close the new one in
# place of the old one, before it has read of it. Any client connects again then, and so does ours.
TRIES = 3


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_sessions_that_come_and_go_while_they_trade_lose_nothing(
    tmp_path: Path, *, secure: bool
) -> None:
    """Orders right behind each Logon, two reports for each, back again at once; seeded."""
    authority = Authority(tmp_path / "tls")
    tls = at_the_gate(server_files(authority.issue(LOCALHOST)))
    site = Site(tmp_path, sessions=8, hands_over=True, tls=tls if secure else None)
    context = client_context(authority) if secure else None
    port = site.gate.tls_port if secure else site.port
    faults: list[str] = []
    orders: list[tuple[str, str]] = []
    site.handler.on_text = lambda session_id, text: orders.append((session_id, text))
    threads = [
        threading.Thread(target=trade, args=(port, name, faults, context), daemon=True)
        for name in site.comp_ids
    ]

    def serve() -> bool:
        waiting, orders[:] = orders[:], []
        for session_id, text in waiting:
            name = first(fields_of(text), 11) or ""
            for each in ("a", "b"):
                site.engine.send(session_id, "8", [(37, name + each)])
        site.hear_gate()
        return not any(thread.is_alive() for thread in threads)

    try:
        for thread in threads:
            thread.start()
        site.wait_until(serve, "everybody done")
    finally:
        site.close()
    assert faults == [], site.events
    assert [e for e in site.events if e.kind is GateEventKind.REFUSED] == []
    assert ("session_ended" in disconnections(site)) is not secure, "handed over, or not"


def trade(
    port: int, comp_id: str, faults: list[str], context: ssl.SSLContext | None = None
) -> None:
    """One client: connects, trades, leaves and is back; notes what is not as it must be."""
    chance = random.Random(comp_id)
    next_out, next_in = INBOUND, OUTBOUND
    try:
        for _ in range(ROUNDS):
            names = [f"{comp_id}-{next_out + number}" for number in range(chance.randrange(40))]
            numbers = range(next_out + 1, next_out + 1 + len(names))
            data = framed(logon_fields(comp_id, t34=str(next_out)))
            for number, name in zip(numbers, names, strict=True):
                head = [(35, "D"), (34, str(number)), (49, comp_id), (52, ""), (56, "PLUMB")]
                data += framed([*head, (11, name), (58, "x" * chance.randrange(1, 400))])
            next_out = numbers.stop
            answers: list[dict[int, str]] = []
            for _ in range(TRIES):
                with connected(port, context) as sock:
                    send_in_pieces(sock, data, chance)
                    answers = received(sock, 1 + 2 * len(names))
                if answers:
                    break
            assert [int(answer[34]) for answer in answers] == list(
                range(next_in, next_in + len(answers))
            )
            next_in += len(answers)
            found = [answer[37] for answer in answers[1:]]
            assert found == [name + each for name in names for each in "ab"]
    except Exception as error:  # noqa: BLE001 - a thread's fault is the test's
        faults.append(f"{comp_id}: {error!r}")


def send_in_pieces(sock: socket.socket, data: bytes, chance: random.Random) -> None:
    with contextlib.suppress(ConnectionError):  # what was answered is read all the same
        while data:
            size = chance.choice([len(data), 2_000, 300])
            sock.sendall(data[:size])
            data = data[size:]


def connected(port: int, context: ssl.SSLContext | None) -> socket.socket:
    if context is not None:
        return connect(port, context)
    return socket.create_connection((LOCALHOST, port), PATIENCE_S)


def received(sock: socket.socket, count: int) -> list[dict[int, str]]:
    """So many messages, or none where the connection was closed before the first."""
    reader, found = FrameReader(), list[dict[int, str]]()
    while len(found) < count:
        try:
            data = sock.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data and not found:
            return found
        assert data, f"closed after {len(found)} of {count} messages"
        found += [dict(fields_of(frame.text)) for frame in reader.feed(data)]
    return found
