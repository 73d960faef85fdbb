"""Resets that nobody accepted: QuickFIX carries them out before it asks, the engine undoes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.engine import Engine
from fix_sessions.light_session import LightSettings, wall_clock_us
from fix_sessions.light_socket import LightPeer
from fix_sessions.store_files import Numbers, StoreFiles
from fix_sessions.wire import frame, utc_timestamp_ms
from tests.support.fix_engine import EngineHub, accepting


@pytest.fixture(params=[True, False], ids=["texts in the store", "texts elsewhere"])
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store", texts_in_store=request.param) as found:
        yield found


def traded(hub: EngineHub) -> tuple[Engine, LightPeer]:
    """A client that was logged on and is away, with a report that it has not seen."""
    engine = hub.run(accepting())
    client = hub.client_of(engine)
    client.logon()
    for number in range(5):
        client.send("D", [(11, f"A{number}")])
    hub.until(lambda: len(hub.recorder.received) == 5)
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    engine.send("ALPHA", "8", [(37, "UNSEEN")])
    return engine, client


def stranger(hub: EngineHub, engine: Engine) -> LightPeer:
    settings = LightSettings(sender_comp_id="ALPHA", target_comp_id="PLUMB", reset_on_logon=True)
    return hub.client("127.0.0.1", engine.acceptor_port, settings)


def resets(hub: EngineHub) -> int:
    return sum(call[0] == "reset" for call in hub.recorder.calls)


def recovers(hub: EngineHub, engine: Engine, client: LightPeer) -> None:
    """The client comes back as if nothing had been: its numbers hold, and nothing is lost."""
    client.reconnect()
    client.wait_for(lambda m: m.get(37) == "UNSEEN" and m.poss_dup)
    client.send("D", [(11, "A5")])
    hub.until(lambda: hub.recorder.values(11)[-1:] == ["A5"])
    assert hub.recorder.values(11) == [f"A{number}" for number in range(6)]
    assert resets(hub) == 0


def test_a_refused_logon_with_141_costs_neither_numbers_nor_messages(hub: EngineHub) -> None:
    engine, client = traded(hub)
    before = engine.expected_inbound("ALPHA"), engine.next_outbound("ALPHA")
    hub.recorder.refusal = "who are you"
    for _ in range(3):
        with pytest.raises((ConnectionError, TimeoutError)):
            stranger(hub, engine).logon()
    assert (engine.expected_inbound("ALPHA"), engine.next_outbound("ALPHA")) == before
    hub.recorder.refusal = None
    recovers(hub, engine, client)


@pytest.mark.parametrize("what", ["number 0", "an old time"])
def test_a_logon_with_141_that_nobody_is_asked_about_costs_nothing_either(
    hub: EngineHub, what: str
) -> None:
    engine, client = traded(hub)
    checks = len(hub.recorder.calls)
    numbered = "0" if what == "number 0" else "1"
    sent_at = utc_timestamp_ms(0) if what == "an old time" else utc_timestamp_ms(wall_clock_us())
    fields = [
        (35, "A"),
        (34, numbered),
        (49, "ALPHA"),
        (52, sent_at),
        (56, "PLUMB"),
        (98, "0"),
        (108, "30"),
        (141, "Y"),
    ]
    attacker = stranger(hub, engine)
    attacker.connect(logon=False)
    attacker.send_bytes(frame("FIX.4.4", fields))
    hub.until(lambda: not attacker.is_connected)
    hub.until(lambda: engine.expected_inbound("ALPHA") > 2, "the numbers are back")
    assert [call for call in hub.recorder.calls[checks:] if call[0] == "check"] == []
    recovers(hub, engine, client)


def test_a_refused_reset_inside_a_running_session_costs_no_numbers(hub: EngineHub) -> None:
    engine = hub.run(accepting())
    client = hub.client_of(engine)
    client.logon()
    client.send("D", [(11, "A0")])
    hub.until(lambda: hub.recorder.values(11) == ["A0"])
    hub.recorder.refusal = "no reset"
    client.session.write(client.session._framed("A", 1, [(98, "0"), (108, "30"), (141, "Y")]))
    hub.until(lambda: not client.is_connected)
    hub.until(lambda: engine.expected_inbound("ALPHA") == 3, "the numbers are back")
    hub.recorder.refusal = None
    client.reconnect()
    client.send("D", [(11, "A1")])
    hub.until(lambda: hub.recorder.values(11) == ["A0", "A1"])


def test_an_accepted_reset_stays_and_the_next_refused_one_does_not(hub: EngineHub) -> None:
    engine, _ = traded(hub)
    client = stranger(hub, engine)
    client.logon()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    assert engine.expected_inbound("ALPHA") == 2
    client.send("D", [(11, "B0")])
    hub.until(lambda: hub.recorder.values(11)[-1] == "B0")
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    hub.recorder.refusal = "who are you"
    with pytest.raises((ConnectionError, TimeoutError)):
        stranger(hub, engine).logon()
    assert engine.expected_inbound("ALPHA") == 3
    assert resets(hub) == 1


def test_a_reset_that_was_not_accepted_before_the_end_is_undone_at_the_start(
    hub: EngineHub,
) -> None:
    engine, client = traded(hub)
    hub.stop_engine()
    files = StoreFiles(hub.store_dir, "FIX.4.4", "PLUMB", "ALPHA")
    assert not files.was_reset()
    numbers = files.numbers()
    for part in ("body", "header", "session", "seqnums"):  # as QuickFIX does
        (hub.store_dir / f"FIX.4.4-PLUMB-ALPHA.{part}").unlink()
        (hub.store_dir / f"FIX.4.4-PLUMB-ALPHA.{part}").touch()
    assert files.was_reset()
    engine = hub.run(accepting())
    assert files.numbers() == numbers
    client._address = ("127.0.0.1", engine.acceptor_port)
    recovers(hub, engine, client)


def test_lost_files_are_written_anew_and_what_they_hold_is_sent_on_request(
    hub: EngineHub,
) -> None:
    files = StoreFiles(hub.store_dir, "FIX.4.4", "PLUMB", "ALPHA")
    hub.store_dir.mkdir()
    assert files.numbers() == Numbers()
    sent = [(n, report(n)) for n in (2, 4, 5)]
    files.write(Numbers(outbound=100, inbound=7))
    files.fill(sent)
    hub.recorder.kept["ALPHA"] = {number: data.decode() for number, data in sent}
    engine = hub.run(accepting())
    assert (engine.next_outbound("ALPHA"), engine.expected_inbound("ALPHA")) == (100, 7)
    client = hub.client_of(engine)
    client.session.next_out = 7
    client.logon()
    hub.until(lambda: client.session.next_in == 101)
    got = [(m.seq, m.get(37), m.get(43)) for m in client.messages if m.msg_type == "8"]
    assert got == [(2, "O2", "Y"), (4, "O4", "Y"), (5, "O5", "Y")]


def report(number: int) -> bytes:
    fields = [
        (35, "8"),
        (34, str(number)),
        (49, "PLUMB"),
        (52, utc_timestamp_ms(wall_clock_us())),
        (56, "ALPHA"),
        (37, f"O{number}"),
    ]
    return frame("FIX.4.4", fields)
