"""What strangers and slow clients do must not be felt by the sessions beside them."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from fix_sessions.gate_events import GateEventKind, RefusalReason
from fix_sessions.wire import frame
from tests.integration.gate_rig import (
    PASSWORD,
    TICKET,
    Rig,
    assert_echoes,
    client_of,
    limits_with,
    logon,
    read_exactly,
    read_frame,
    read_to_end,
    running_gate,
    wait_until,
)

MEGABYTE = 1 << 20


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running_gate() as found:
        yield found


def test_a_dripped_logon_holds_up_nobody_and_arrives_whole(rig: Rig) -> None:
    with rig.log_on("C2") as neighbour, rig.connect() as dripper:
        data = logon("C1")
        for number in range(len(data)):
            dripper.sendall(data[number : number + 1])
            assert_echoes(neighbour, number)
            if number < len(data) - 1:
                assert len(rig.engine.connections) == 1, "the engine has seen half a Logon"
        assert b"\x0135=A\x01" in read_frame(dripper)
        assert_echoes(dripper, 2)


@pytest.mark.parametrize("sent", [0, 1, 40], ids=["nothing", "one byte", "half"])
def test_a_logon_that_does_not_come_in_time_is_closed(sent: int) -> None:
    with (
        running_gate(limits=limits_with(logon_timeout_ms=200)) as rig,
        rig.connect() as sock,
    ):
        sock.sendall(logon()[:sent])
        assert read_to_end(sock) == b""
        event = rig.wait_for_refusal(RefusalReason.LOGON_TIMEOUT)
        assert event.detail == f"after {sent} bytes"


def test_a_flood_of_strangers_leaves_room_for_nobody_but_harms_nobody() -> None:
    limits = limits_with(pending_total=12, pending_per_address=8, failures_before_backoff=1_000)
    everywhere = client_of("C1", "127.0.0.0/8")
    with (
        running_gate(everywhere, client_of("C2"), limits=limits) as rig,
        rig.log_on("C2") as neighbour,
        contextlib.ExitStack() as stack,
    ):
        flood = []
        for number in range(60):
            flood.append(stack.enter_context(rig.connect("127.0.0.1")))
            assert_echoes(neighbour, number)
        rig.wait_for_refusal(RefusalReason.TOO_MANY_PENDING_FROM_ADDRESS)
        flood += [stack.enter_context(rig.connect("127.0.0.9")) for _ in range(8)]
        assert rig.wait_for_refusal(RefusalReason.TOO_MANY_PENDING).address == "127.0.0.9"
        assert len(rig.engine.connections) == 1, "the engine has seen the flood"
        for sock in flood:
            sock.close()
        wait_until(lambda: can_log_on(rig), "room again after the flood")
        assert_echoes(neighbour, 99)


def can_log_on(rig: Rig) -> bool:
    with rig.connect() as sock:
        try:
            sock.sendall(logon())
            return b"\x0135=A\x01" in sock.recv(1 << 12)
        except ConnectionError:
            return False


def test_equal_refusals_are_told_together_and_none_is_lost() -> None:
    attempts = 300
    with running_gate() as rig:
        for _ in range(attempts):
            with rig.connect("127.0.0.7") as sock:
                assert read_to_end(sock) == b""
        rig.wait_for_refusal(RefusalReason.ADDRESS_NOT_ALLOWED)

        def told() -> int:
            rig.events += rig.process.read_events()
            return sum(event.count for event in rig.events)

        wait_until(lambda: told() >= attempts, "all refusals told")
        assert told() == attempts
        assert len(rig.events) < attempts / 3


def test_a_consumer_that_does_not_read_is_dropped_and_others_go_on() -> None:
    with (
        running_gate(limits=limits_with(client_buffer_bytes=MEGABYTE)) as rig,
        rig.log_on("C2") as neighbour,
        rig.log_on("C1") as deaf,
    ):
        engine_side = rig.engine.connections[1].sock
        report = frame("FIX.4.4", [(35, "8"), (58, "x" * 4_000)])
        for number in range(40_000):
            try:
                engine_side.sendall(report)
            except OSError:  # the gate has closed it: what we wait for
                break
            if number % 100 == 0:
                assert_echoes(neighbour, number)
        slow = rig.wait_for_kind(GateEventKind.SLOW_CONSUMER)
        assert slow.session_id == "session-C1"
        gone = rig.wait_for_kind(GateEventKind.DISCONNECTED)
        assert (gone.session_id, gone.cause) == ("session-C1", "slow_consumer")
        assert_echoes(neighbour, number)
        assert len(read_to_end(deaf)) < 40_000 * len(report)
        with rig.log_on("C1") as again:
            assert_echoes(again, 2)


def test_an_engine_that_does_not_read_makes_its_client_wait_and_loses_nothing(rig: Rig) -> None:
    with rig.log_on("C2") as neighbour, rig.log_on("C1") as sock:
        rig.engine.echoes = False
        connection = rig.engine.connections[1]
        connection.reads.clear()
        total = send_until_full(sock, 64 * MEGABYTE)
        assert total < 64 * MEGABYTE, "the gate took everything: its buffer has no bound"
        rig.engine.echoes = True
        assert_echoes(neighbour, 2)
        rig.engine.echoes = False
        connection.reads.set()
        wait_until(lambda: len(connection.behind_logon) >= total, "all bytes at the engine")
        assert connection.behind_logon == pattern(total)


def pattern(size: int) -> bytes:
    """Bytes whose order can be checked."""
    block = b"".join(b"%07d\n" % number for number in range(1 << 17))
    return (block * (size // len(block) + 1))[:size]


def send_until_full(sock: socket.socket, at_most: int) -> int:
    """How many bytes went before the other side stopped taking them for a second."""
    data = pattern(at_most)
    sent = 0
    sock.settimeout(1.0)
    with contextlib.suppress(TimeoutError):
        while sent < at_most:
            sent += sock.send(data[sent : sent + (1 << 16)])
    return sent


@pytest.mark.parametrize(
    "split", [None, 1, 12, 17, 19], ids=["whole", "first", "in 9", "in 35", "in A"]
)
def test_a_second_logon_ends_the_connection_before_the_engine_sees_it(
    rig: Rig, split: int | None
) -> None:
    with rig.log_on() as sock:
        assert_echoes(sock, 2)
        second = logon("C1", t141="Y", t34="3")
        if split is not None:
            sock.sendall(second[:split])
            wait_until(
                lambda: rig.engine.connections[0].received.endswith(second[:split]), "first piece"
            )
            sock.sendall(second[split:])
        else:
            sock.sendall(second)
        read_to_end(sock)
        gone = rig.wait_for_kind(GateEventKind.DISCONNECTED)
        assert gone.cause == "second_logon"
        received = rig.engine.connections[0].behind_logon
        assert b"141=Y" not in received
        assert PASSWORD.encode() not in received


def test_what_comes_behind_the_logon_waits_for_the_engines_answer(rig: Rig) -> None:
    behind = frame("FIX.4.4", [(35, "0"), (34, "2")])
    with rig.log_on("C2") as neighbour, rig.connect() as sock:
        rig.engine.may_answer.clear()
        sock.sendall(logon() + behind)
        wait_until(lambda: len(rig.engine.connections) == 2, "the Logon at the engine")
        sock.sendall(behind)
        assert_echoes(neighbour, 2)  # the gate has been round its sockets
        rig.engine.may_answer.set()
        assert b"\x0135=A\x01" in read_frame(sock)
        assert read_exactly(sock, 2 * len(behind)) == 2 * behind
        assert rig.engine.connections[1].early == b""
        assert dict(rig.engine.connections[1].logon)[554] == TICKET


def test_a_logon_right_behind_the_logon_is_a_second_one(rig: Rig) -> None:
    with rig.connect() as sock:
        sock.sendall(logon() + logon("C1", t141="Y"))
        assert b"\x0135=A\x01" in read_frame(sock)
        assert read_to_end(sock) == b""
        assert rig.engine.connections[0].behind_logon == b""
