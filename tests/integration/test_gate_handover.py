"""After the Logon the client's connection becomes the core's: nothing lost, nothing let in."""

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest

from fix_sessions.gate_events import GateEventKind, RefusalReason
from tests.integration.gate_rig import logon_fields, wait_until
from tests.integration.gate_site import (
    INBOUND,
    OUTBOUND,
    Caller,
    Site,
    caller,
    disconnections,
    framed,
    handed_over,
    reports_to,
)

FLOOD = 3_000
TEXT = "x" * 500


def freeze_gate(site: Site) -> None:
    """Whatever is answered from now on does not pass through it."""
    os.kill(site.gate.pid, signal.SIGSTOP)
    stat = Path(f"/proc/{site.gate.pid}/stat")
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the gate frozen")


def thaw_gate(site: Site) -> None:
    os.kill(site.gate.pid, signal.SIGCONT)


def test_a_session_goes_on_without_the_gate_and_its_end_is_told(site: Site) -> None:
    with caller(site) as client:
        handed_over(site, client)
        freeze_gate(site)
        for number in range(50):
            client.assert_answers(str(number))
        thaw_gate(site)
    site.wait_until(lambda: disconnections(site) == ["session_ended"], "the end told")
    assert site.engine.taken_over.session_ids == []
    assert not site.engine.is_logged_on(site.comp_id)


def test_a_client_can_come_back_at_once(site: Site) -> None:
    next_out = INBOUND
    for number in range(20):
        with caller(site) as client:
            client.next_out = next_out
            assert client.log_on()[35] == "A"
            if number % 2:
                site.wait_for_handover()
            client.assert_answers(str(number))
            next_out = client.next_out
    assert [e for e in site.hear_gate() if e.kind is GateEventKind.REFUSED] == []


@pytest.mark.parametrize("chunk", [1_000_000, 37, 1], ids=["whole", "pieces", "bytes"])
def test_what_the_client_sends_meanwhile_arrives_once_and_in_order(site: Site, chunk: int) -> None:
    count = {1_000_000: 300, 37: 80, 1: 6}[chunk]
    with caller(site) as client:
        number, client.next_out = client.next_out, client.next_out + 1
        data = framed(logon_fields(client.comp_id, t34=str(number), t52=""))
        data += b"".join(client.next_message("1", (112, f"T{n}")) for n in range(count))
        sent = 0

        def send_some() -> bool:
            nonlocal sent
            if sent < len(data):
                sent += client.sock.send(data[sent : sent + chunk])
            return sent >= len(data)

        site.wait_until(send_some, "everything sent")
        assert dict(client.answer())[35] == "A"
        answers = [dict(client.answer()) for _ in range(count)]
        assert [answer[112] for answer in answers] == [f"T{n}" for n in range(count)]
        assert [int(a[34]) for a in answers] == list(range(OUTBOUND + 1, OUTBOUND + 1 + count))
        site.wait_for_handover()
        client.assert_answers("after")
    assert site.numbers()[0] == INBOUND + count + 2


def test_what_the_engine_sends_meanwhile_arrives_once_and_in_order(site: Site) -> None:
    """Behind the Logon's answer, on request, and on its own."""
    for number in range(FLOOD):
        site.engine.send(site.comp_id, "8", [(37, str(number)), (58, TEXT)])
    with caller(site) as client:
        assert client.log_on()[35] == "A"
        request = client.next_message("2", (7, str(OUTBOUND)), (16, str(OUTBOUND + FLOOD - 1)))
        client.sock.sendall(request)
        for number in range(FLOOD, FLOOD + 500):
            site.engine.send(site.comp_id, "8", [(37, str(number)), (58, TEXT)])
            if number % 10 == 0:
                site.engine.poll(0)
        found = reports_to(client, FLOOD + 500)
        fresh = [report[37] for report in found if 43 not in report]
        again = [report[37] for report in found if report.get(43) == "Y"]
        assert fresh == [str(number) for number in range(FLOOD, FLOOD + 500)]
        assert again == [str(number) for number in range(FLOOD)]
        site.wait_for_handover()
        client.assert_answers("after")


def test_what_waits_for_a_slow_consumer_follows_in_order(site: Site) -> None:
    with caller(site) as client:
        assert client.log_on()[35] == "A"
        for number in range(20_000):
            site.engine.send(site.comp_id, "8", [(37, str(number)), (58, TEXT)])
        for _ in range(20):  # the client does not read
            site.engine.poll(0.01)
        found = reports_to(client, 20_000)
        assert [report[37] for report in found] == [str(number) for number in range(20_000)]
        site.wait_for_handover()
        client.assert_answers("after")


def test_queued_output_of_a_connection_taken_over_is_sent_on(site: Site) -> None:
    with caller(site) as client:
        handed_over(site, client)
        freeze_gate(site)
        for number in range(20_000):
            site.engine.send(site.comp_id, "8", [(37, str(number)), (58, TEXT)])
        found = reports_to(client, 20_000)
        assert [report[37] for report in found] == [str(number) for number in range(20_000)]
        thaw_gate(site)


def test_a_client_that_leaves_in_the_middle_of_it_is_gone(site: Site) -> None:
    for attempt in range(30):
        with caller(site) as client:
            client.next_out = INBOUND + attempt
            assert client.log_on()[35] == "A"
            for _ in range(attempt % 6):
                site.engine.poll(0)
        site.wait_until(lambda: not site.engine.is_logged_on(site.comp_id), "its end")
        site.wait_until(lambda: len(disconnections(site)) == attempt + 1, "its end told")  # noqa: B023
    assert site.engine.taken_over.session_ids == []
    assert set(disconnections(site)) <= {"session_ended", "client_closed", "engine_closed"}


def test_many_logons_at_once_are_all_handed_over(tmp_path: Path) -> None:
    with contextlib.closing(Site(tmp_path, sessions=15, hands_over=True)) as site:
        clients = [Caller(site, name) for name in site.comp_ids]
        for client in clients:
            client.send(logon_fields(client.comp_id, t34=str(INBOUND)))
            client.next_out += 1
        for client in clients:
            assert dict(client.answer())[35] == "A"
            client.sock.sendall(client.next_message("1", (112, client.comp_id)))
        for client in clients:
            assert dict(client.answer())[112] == client.comp_id
        site.wait_for_handover(*site.comp_ids)
        for client in clients:
            client.assert_answers("after")
            client.sock.close()
        site.wait_until(lambda: len(disconnections(site)) == len(clients), "their ends told")
        assert site.engine.taken_over.session_ids == []


def test_a_logon_that_the_engine_refuses_is_not_handed_over(site: Site) -> None:
    site.handler.refusal = "not today"
    with caller(site) as client:
        answer = client.log_on()
        assert (answer[35], answer[58]) == ("5", "Rejected Logon Attempt: not today")
        client.wait_for_close()
    site.wait_until(lambda: disconnections(site) == ["engine_closed"], "its end")
    site.handler.refusal = None
    with caller(site) as client:
        handed_over(site, client)


def test_a_session_has_one_connection_and_keeps_it(site: Site) -> None:
    with caller(site) as client:
        handed_over(site, client)
        with caller(site) as second:
            second.send(logon_fields(site.comp_id, t34=str(INBOUND + 1)))
            second.wait_for_close()
        [event] = [e for e in site.hear_gate() if e.kind is GateEventKind.REFUSED]
        assert event.reason is RefusalReason.ALREADY_CONNECTED
        client.assert_answers("still here")


def test_a_connection_that_has_fallen_silent_gives_way(site: Site) -> None:
    with caller(site) as older:
        assert older.log_on(t108="1")[35] == "A"
        site.wait_for_handover()

        def is_let_in() -> bool:
            with caller(site) as newer:
                number = str(site.numbers()[0])
                newer.send(logon_fields(site.comp_id, t34=number))
                site.wait_until(lambda: newer._read() or newer.is_closed, "an answer")
                return bool(newer._frames) and b"35=A" in newer._frames[0].raw

        site.wait_until(is_let_in, "let in after two silent heartbeat intervals")
    assert {"superseded", "session_ended"} >= set(disconnections(site))


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_gate_that_is_killed_takes_only_what_it_still_has(site: Site, moment: str) -> None:
    with caller(site) as client:
        answers, site.engine.after_work = site.engine.after_work, None
        assert client.log_on()[35] == "A"
        if moment == "before":
            os.kill(site.gate.pid, signal.SIGKILL)
            site.engine.after_work = answers
        elif moment == "during":
            # The offer lies there, and is answered only after the gate's death.
            wait_until(lambda: has_offer(site), "the offer")
            os.kill(site.gate.pid, signal.SIGKILL)
            wait_until(lambda: not is_running(site.gate.pid), "the gate's end")
            site.engine.after_work = answers
        else:
            site.engine.after_work = answers
            site.wait_for_handover()
            os.kill(site.gate.pid, signal.SIGKILL)
        site.wait_until(lambda: bool(site.hear_gate()) and not site.gate.alive(), "its end")
        if site.engine.is_logged_on(site.comp_id) and site.engine.taken_over.session_ids:
            client.assert_answers("lives on")
        else:
            client.wait_for_close()
            site.wait_until(lambda: not site.engine.is_logged_on(site.comp_id), "the end")
        assert moment != "after" or site.engine.taken_over.session_ids == [site.comp_id]
        site.start_gate()
        with caller(site) as second:  # the new gate does not know of the session; the engine does
            second.next_out = client.next_out
            second.send(logon_fields(site.comp_id, t34=str(client.next_out)))
            if site.engine.taken_over.session_ids:
                second.wait_for_close()
                client.assert_answers("undisturbed")
            else:
                assert dict(second.answer())[35] == "A"


def has_offer(site: Site) -> bool:
    assert site.gate.channel is not None
    try:
        return bool(site.gate.channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
