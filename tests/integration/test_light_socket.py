"""Light peers over real TCP on loopback: lost connections, a stuck reader, noise, a flood."""

from collections.abc import Callable, Iterator

import pytest

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as found:
        yield found


@pytest.fixture
def venue(hub: Hub) -> LightPeer:
    return hub.venue(LightSettings(sender_comp_id="V", target_comp_id="C", initiates=False))


@pytest.fixture
def client(hub: Hub, venue: LightPeer) -> LightPeer:
    peer = hub.client(
        "127.0.0.1", venue.port, LightSettings(sender_comp_id="C", target_comp_id="V")
    )
    peer.logon()
    venue.logon()
    return peer


def has_text(text: str) -> Callable[[Message], bool]:
    return lambda message: message.get(58) == text


def test_messages_pass_both_ways(client: LightPeer, venue: LightPeer) -> None:
    assert client.send("D", [(58, "in")]) == 2
    assert venue.wait_for(has_text("in")).seq == 2
    venue.send("8", [(58, "out")])
    assert client.wait_for(has_text("out")).at_ns > 0


def test_an_answer_from_on_message_is_sent(client: LightPeer, venue: LightPeer) -> None:
    def report(message: Message) -> None:
        if message.msg_type == "D":
            venue.send("8", [(37, message.get(11) or "")])

    venue.on_message = report
    for number in range(2_000):
        client.send("D", [(11, str(number)), (58, "x" * 400)])
    client.wait_for(lambda message: message.get(37) == "1999", timeout_s=30)
    reports = [message.get(37) for message in client.messages if message.msg_type == "8"]
    assert reports == [str(number) for number in range(2_000)]


@pytest.mark.parametrize("killed", ["client", "venue"])
def test_after_a_dropped_connection_nothing_is_lost_or_doubled(
    client: LightPeer, venue: LightPeer, killed: str
) -> None:
    client.send("D", [(58, "one")])
    venue.wait_for(has_text("one"))
    one = client if killed == "client" else venue
    one.kill()
    client.wait_until(lambda: not client.is_connected and not venue.is_connected)
    client.send("D", [(58, "two")])
    venue.send("8", [(58, "three")])
    venue.listen()
    client.reconnect()
    venue.wait_for(has_text("two"))
    client.wait_for(has_text("three"))
    client.send("D", [(58, "four")])
    venue.wait_for(has_text("four"))
    texts = [message.get(58) for message in venue.messages if message.msg_type == "D"]
    assert texts == ["one", "two", "four"]


def test_bytes_sent_as_they_are_are_a_fault_and_the_session_goes_on(
    client: LightPeer, venue: LightPeer
) -> None:
    client.send_bytes(b"noise" + client.session.prepare("D", [(58, "one")]))
    assert venue.wait_for(has_text("one")).seq == 2
    assert venue.faults[0].raw == b"noise"


def test_a_reader_that_is_stuck_gets_everything_later(client: LightPeer, venue: LightPeer) -> None:
    client.reads = False
    for number in range(3_000):
        venue.send("8", [(58, f"{number:04d}" + "x" * 2_000)])
    client.send("D", [(58, "still writing")])
    venue.wait_for(has_text("still writing"))
    assert not any(message.msg_type == "8" for message in client.messages)
    client.reads = True
    client.wait_for(lambda message: (message.get(58) or "").startswith("2999"), timeout_s=30)


def test_a_refused_logon_says_why(hub: Hub, venue: LightPeer) -> None:
    stranger = hub.client(
        "127.0.0.1", venue.port, LightSettings(sender_comp_id="X", target_comp_id="V")
    )
    with pytest.raises(ConnectionError, match="closed by the other side"):
        stranger.logon()
    assert not venue.is_logged_on


def test_a_wait_that_fails_shows_the_state(client: LightPeer) -> None:
    with pytest.raises(TimeoutError, match=r"C connected=True logged_on=True .*next_in=2"):
        client.wait_for(has_text("never"), timeout_s=0.05)


def test_connecting_where_nobody_listens_fails_in_time(hub: Hub, venue: LightPeer) -> None:
    venue.kill()
    peer = hub.client(
        "127.0.0.1", venue.port, LightSettings(sender_comp_id="C", target_comp_id="V")
    )
    with pytest.raises(ConnectionRefusedError):
        peer.connect(timeout_s=0.05)


def test_logout_closes_both_sides(client: LightPeer, venue: LightPeer) -> None:
    client.logout()
    client.wait_until(lambda: not venue.is_connected)
    assert venue.session.close_reason == "Logout: no text"
