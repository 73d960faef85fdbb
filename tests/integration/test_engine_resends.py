"""ResendRequests, where QuickFIX keeps numbers only and the texts come from elsewhere."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fix_sessions.engine import Engine
from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import LightPeer
from fix_sessions.resends import ResendUnavailable
from tests.support.fix_engine import EngineHub, accepting, connecting


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store", texts_in_store=False) as found:
        yield found


def logged_on_client(hub: EngineHub, begin_string: str = "FIX.4.4") -> tuple[Engine, LightPeer]:
    engine = hub.run(accepting(begin_string=begin_string))
    settings = LightSettings(
        sender_comp_id="ALPHA",
        target_comp_id="PLUMB",
        begin_string=begin_string,
        logon_fields=((1137, "9"),) if begin_string == "FIXT.1.1" else (),
    )
    client = hub.client("127.0.0.1", engine.acceptor_port, settings)
    client.logon()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    return engine, client


def ask(hub: EngineHub, client: LightPeer, begin: int, end: int) -> list[Message]:
    """All that a ResendRequest for messages which the client has had is answered with."""
    seen, last = len(client.messages), client.session.next_in
    client.session.next_in = begin
    client.send("2", [(7, str(begin)), (16, str(end))])
    hub.until(lambda: client.session.next_in >= (end + 1 if 0 < end < last else last))
    return client.messages[seen:]


def bodies(hub: EngineHub) -> int:
    """How many bytes of texts and of their places lie in the stores."""
    return sum(
        path.stat().st_size
        for path in hub.store_dir.iterdir()
        if path.suffix in (".body", ".header")
    )


def test_messages_come_again_as_they_were_and_session_messages_as_gap_fills(
    hub: EngineHub,
) -> None:
    engine, client = logged_on_client(hub)
    for n in range(3):
        engine.send("ALPHA", "8", [(37, f"O{n}"), (58, "Größe")])
    client.send("1", [(112, "PING")])
    client.wait_for(lambda m: m.msg_type == "0")
    engine.send("ALPHA", "8", [(37, "O3")])
    client.wait_for(lambda m: m.get(37) == "O3")
    first = {m.seq: m for m in client.messages}
    assert bodies(hub) == 0
    again = ask(hub, client, 1, 0)
    assert bodies(hub) == 0
    assert [(m.msg_type, m.seq, m.get(36)) for m in again] == [
        ("4", 1, "2"),
        ("8", 2, None),
        ("8", 3, None),
        ("8", 4, None),
        ("4", 5, "6"),
        ("8", 6, None),
    ]
    for m in again:
        assert m.poss_dup
        if m.msg_type == "8":
            was = first[m.seq]
            assert m.get(122) == was.get(52)
            assert (m.get(37), m.get(58)) == (was.get(37), was.get(58))
        else:
            assert m.get(123) == "Y"
    assert engine.next_outbound("ALPHA") == 7
    assert engine.send("ALPHA", "8", [(37, "O4")]) == 7
    assert client.wait_for(lambda m: m.get(37) == "O4").seq == 7


@pytest.mark.parametrize(("begin", "end", "expected"), [(3, 4, [3, 4]), (4, 0, [4, 5, 6])])
def test_a_part_of_what_was_sent(hub: EngineHub, begin: int, end: int, expected: list[int]) -> None:
    engine, client = logged_on_client(hub)
    for n in range(5):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    client.wait_for(lambda m: m.get(37) == "O4")
    again = ask(hub, client, begin, end)
    assert [(m.seq, m.poss_dup) for m in again] == [(number, True) for number in expected]


@pytest.mark.parametrize(
    ("begin_string", "end"), [("FIX.4.2", 999_999), ("FIX.4.2", 0), ("FIX.4.4", 0), ("FIXT.1.1", 0)]
)
def test_each_version_has_its_open_end(hub: EngineHub, begin_string: str, end: int) -> None:
    engine, client = logged_on_client(hub, begin_string)
    for n in range(3):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    client.wait_for(lambda m: m.get(37) == "O2")
    again = ask(hub, client, 2, end)
    assert [(m.seq, m.get(37), m.poss_dup) for m in again] == [
        (2, "O0", True),
        (3, "O1", True),
        (4, "O2", True),
    ]


def test_repeating_groups_come_again_whole(hub: EngineHub) -> None:
    venue = hub.venue_named()
    engine = hub.run(connecting(venue.port))
    hub.until(lambda: engine.is_logged_on("XSIM") and venue.is_logged_on)
    body = [(262, "Q1"), (263, "1"), (264, "1"), (267, "2"), (269, "0"), (269, "1"), (146, "1")]
    engine.send("XSIM", "V", [*body, (55, "ACME")])
    first = venue.wait_for(lambda m: m.msg_type == "V")
    again = ask(hub, venue, first.seq, 0)
    assert [m.msg_type for m in again] == ["V"]
    own = {8, 9, 10, 34, 35, 43, 49, 52, 56, 122}
    whole = [one for one in first.fields if one[0] not in own]
    assert [one for one in again[0].fields if one[0] not in own] == whole
    assert sorted(whole) == sorted([*body, (55, "ACME")])


def test_a_storm_of_requests_ends_and_one_request_later_is_answered(
    hub: EngineHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs the time of all sessions, and a hundred of them come in one write."""
    answers, source = 0, hub.recorder.sent_again

    def counted(session_id: str, begin: int, end: int) -> list[tuple[int, str]]:
        nonlocal answers
        answers += 1
        return source(session_id, begin, end)

    hub.recorder.sent_again = counted  # type: ignore[method-assign]
    engine, client = logged_on_client(hub)
    for n in range(500):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    client.wait_for(lambda m: m.get(37) == "O499")
    for _ in range(200):
        client.send("2", [(7, "2"), (16, "0")])
    hub.until(lambda: not client.is_connected)
    assert 10 < answers < 100
    monkeypatch.setattr("fix_sessions.resend_costs._FORGOTTEN", 10**9)
    client.session.next_out = engine.expected_inbound("ALPHA")
    client.reconnect()
    assert len(ask(hub, client, 2, 0)) >= 500


def test_numbers_without_a_text_are_passed_over(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    for n in range(6):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    client.wait_for(lambda m: m.get(37) == "O5")
    kept = hub.recorder.kept["ALPHA"]
    del kept[3], kept[4]
    kept[6] = kept[6].replace("O4", "XX")  # not what was sent: its checksum is wrong
    again = ask(hub, client, 2, 0)
    assert [(m.msg_type, m.seq, m.get(36)) for m in again] == [
        ("8", 2, None),
        ("4", 3, "5"),
        ("8", 5, None),
        ("4", 6, "7"),
        ("8", 7, None),
    ]


def test_thousands_in_one_answer_and_again_later(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    for n in range(5_000):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    assert bodies(hub) == 0
    client.reconnect()
    hub.until(lambda: client.session.next_in == engine.next_outbound("ALPHA"))
    reports = [m.get(37) for m in client.messages if m.msg_type == "8"]
    assert reports == [f"O{n}" for n in range(5_000)]
    assert bodies(hub) == 0
    again = ask(hub, client, 4_000, 4_002)
    assert [m.seq for m in again] == [4_000, 4_001, 4_002]


def test_several_requests_at_once_are_each_answered(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    for n in range(4):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    client.wait_for(lambda m: m.get(37) == "O3")
    seen = len(client.messages)
    client.session.next_in = 2
    requests = [
        client.session.prepare("2", [(7, str(begin)), (16, str(end))])
        for begin, end in ((2, 3), (4, 4), (5, 0))
    ]
    client.send_bytes(b"".join(requests))
    hub.until(lambda: client.session.next_in == 6)
    again = [(m.seq, m.get(37)) for m in client.messages[seen:]]
    assert again == [(2, "O0"), (3, "O1"), (4, "O2"), (5, "O3")]
    assert bodies(hub) == 0


@pytest.mark.parametrize(("begin", "end"), [(50, 0), (50, 60), (3, 2)])
def test_what_there_never_was_changes_nothing(hub: EngineHub, begin: int, end: int) -> None:
    engine, client = logged_on_client(hub)
    engine.send("ALPHA", "8", [(37, "O0")])
    client.wait_for(lambda m: m.get(37) == "O0")
    client.send("2", [(7, str(begin)), (16, str(end))])
    client.send("D", [(11, "A1")])
    hub.until(lambda: hub.recorder.values(11) == ["A1"])
    assert [m.seq for m in client.messages if m.msg_type == "8"] == [2]
    assert bodies(hub) == 0
    assert engine.next_outbound("ALPHA") == 3
    assert engine.send("ALPHA", "8", [(37, "O1")]) == 3


def test_a_logon_that_names_the_number_it_expects_gets_the_rest(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    for n in range(3):
        engine.send("ALPHA", "8", [(37, f"O{n}")])
    client.connect(logon=False)
    logon = [(98, "0"), (108, "30"), (789, "2")]
    client.session.write(client.session.prepare("A", logon))
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    client.wait_for(lambda m: m.get(37) == "O2")
    reports = [(m.seq, m.get(37), m.poss_dup) for m in client.messages if m.msg_type == "8"]
    assert reports == [(2, "O0", True), (3, "O1", True), (4, "O2", True)]
    assert not [m for m in client.messages if m.msg_type == "5"]
    assert bodies(hub) == 0


def test_what_cannot_be_read_now_is_not_passed_over(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    engine.send("ALPHA", "8", [(37, "O0")])
    client.wait_for(lambda m: m.get(37) == "O0")
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    engine.send("ALPHA", "8", [(37, "O1")])
    source = hub.recorder.sent_again
    failing = True

    def sometimes(session_id: str, begin: int, end: int) -> Iterable[tuple[int, str]]:
        yield from source(session_id, begin, end)
        if failing:
            raise ResendUnavailable("the database is away")

    resends = engine._callbacks.resends
    assert resends is not None
    resends._source = sometimes
    client.reconnect()
    hub.until(lambda: not client.is_connected)
    logout = [call[2] for call in hub.recorder.calls if call[0] == "logout"][-1]
    assert logout == "what was sent cannot be read now: log on again, and ask again"
    assert client.messages[-1].get(58) == logout or logout in client.session.close_reason
    failing = False
    client.reconnect()
    assert client.wait_for(lambda m: m.get(37) == "O1").poss_dup
    hub.until(lambda: client.session.next_in == engine.next_outbound("ALPHA"))


def test_after_a_reset_only_what_came_since(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    for n in range(5):
        engine.send("ALPHA", "8", [(37, f"OLD{n}")])
    client.wait_for(lambda m: m.get(37) == "OLD4")
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    settings = LightSettings(sender_comp_id="ALPHA", target_comp_id="PLUMB", reset_on_logon=True)
    again = hub.client("127.0.0.1", engine.acceptor_port, settings)
    again.logon()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    engine.send("ALPHA", "8", [(37, "NEW")])
    again.wait_for(lambda m: m.get(37) == "NEW")
    answer = ask(hub, again, 1, 0)
    assert [(m.msg_type, m.seq, m.get(37)) for m in answer] == [("4", 1, None), ("8", 2, "NEW")]


def test_texts_that_an_end_in_mid_answer_left_behind_are_gone_at_the_start(
    hub: EngineHub,
) -> None:
    engine, client = logged_on_client(hub)
    engine.send("ALPHA", "8", [(37, "O0")])
    client.wait_for(lambda m: m.get(37) == "O0")
    resends = engine._callbacks.resends
    assert resends is not None
    assert resends.fill("ALPHA", engine._records["ALPHA"].session, 1, 0) is None
    assert bodies(hub) > 0
    hub.stop_engine()
    assert bodies(hub) > 0
    engine = hub.run(accepting())
    assert bodies(hub) == 0
    assert engine.next_outbound("ALPHA") == 3
