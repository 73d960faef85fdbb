"""Sessions added, changed and removed while a core runs and others trade."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from oms.app.free_ports import free_port
from oms.domain.commands import Channel, Origin
from oms.domain.session_commands import ReloadSessions
from tests.support.book_venue import BookVenue
from tests.support.desk import PASSWORD
from tests.support.floor import Floor, command, floor_with
from tests.support.processes import ROOT, running_below

OTHER = "another-secret-of-the-desk"
OPERATOR = Origin(channel=Channel.OPERATOR, counterparty="cli:anne", user="anne")


@pytest.fixture
def floor(tmp_path: Path, database_url: str) -> Iterator[Floor]:
    with floor_with(tmp_path, database_url) as found:
        yield found
        found.verified()


def write(floor: Floor, *changes: tuple[str, str]) -> None:
    """The configuration file with these texts replaced, each of which stands there once."""
    text = floor.desk.config.read_text()
    for old, new in changes:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    floor.desk.config.write_text(text)


def client_table(name: str, password: str = PASSWORD) -> str:
    return (
        f'[[clients]]\nname = "{name}"\nsender_comp_id = "{name}"\n'
        f'target_comp_id = "PLUMBLINE"\npassword_hash = "{hash_password(password)}"\n'
        f'allowed_addresses = ["127.0.0.1"]\naccounts = ["{name}-1"]\n'
    )


def venue_table(name: str, port: int) -> str:
    return (
        f'[[venues]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\n'
        f'sender_comp_id = "OMS"\ntarget_comp_id = "{name}"\n'
    )


def add(floor: Floor, *tables: str) -> None:
    with floor.desk.config.open("a") as file:
        file.write("".join(tables))


def reload(floor: Floor, **asked: bool) -> tuple[bool, str]:
    """As the core answers."""
    query = "SELECT max(id) FROM command_inbox"
    command(floor.desk, ReloadSessions(origin=OPERATOR, reason="ticket 4712", **asked))
    [(number,)] = floor.desk.rows(query)
    answer = "SELECT accepted, answer_text FROM command_inbox WHERE id = %s AND state = 'done'"
    floor.desk.until(lambda: floor.desk.rows(answer, number), "the answer to a reload")
    [(accepted, text)] = floor.desk.rows(answer, number)
    return bool(accepted), str(text)


def log_on(floor: Floor, name: str, password: str = PASSWORD) -> LightPeer:
    """A client that logs on, as soon as it is let in."""
    settings = LightSettings(
        sender_comp_id=name, target_comp_id="PLUMBLINE", username=name, password=password
    )
    peer = floor.desk.hub.client("127.0.0.1", floor.desk.port, settings)
    come_back(floor, peer)
    return peer


def come_back(floor: Floor, peer: LightPeer) -> None:
    def comes() -> bool:
        try:
            peer.reconnect(timeout_s=2.0)
        except (OSError, TimeoutError):
            return False
        return True

    floor.desk.until(comes, "the client to be let in")


def new_venue(floor: Floor, name: str, port: int = 0) -> BookVenue:
    settings = LightSettings(sender_comp_id=name, target_comp_id="OMS", initiates=False)
    venue = BookVenue(floor.desk.hub.venue(settings, port=port))
    floor.venues[name] = venue
    return venue


@contextmanager
def undisturbed(floor: Floor) -> Iterator[None]:
    """ALPHA and XSIM trade on over the connections that they have, each MsgSeqNum the next one."""
    peers = (floor.client, floor.venue.peer)
    starts = [(len(one.messages), one.session.next_in) for one in peers]
    floor.order()
    yield
    floor.order()
    for peer, (start, first) in zip(peers, starts, strict=True):
        found = peer.messages[start:]
        assert found
        assert {one.msg_type for one in found}.isdisjoint({"A", "2", "4", "5"})
        assert [one.seq for one in found] == list(range(first, first + len(found)))


def test_a_client_and_a_venue_are_added_while_others_trade(floor: Floor) -> None:
    venue = new_venue(floor, "XNEW")
    add(floor, client_table("GAMMA"), venue_table("XNEW", venue.peer.port))
    with undisturbed(floor):
        accepted, text = reload(floor, dry_run=True)
        assert (accepted, text) == (True, "added: GAMMA, XNEW")
        assert not floor.count("SessionsReloaded")
        assert reload(floor) == (True, "added: GAMMA, XNEW")
        gamma = log_on(floor, "GAMMA")
        floor.desk.until(lambda: floor.count("ResyncCompleted") == 2, "the new venue in step")
        floor.order(gamma, t1="GAMMA-1")
        assert reload(floor) == (True, "the sessions are as the file says")
    assert floor.count("SessionsReloaded") == 1
    [(told,)] = floor.desk.rows(
        "SELECT convert_from(payload, 'UTF8') FROM journal WHERE type = 'SessionsReloaded'"
    )
    assert '"user":"anne","reason":"ticket 4712"' in str(told)
    assert "argon2" not in str(told)


def test_a_password_and_a_port_change(floor: Floor) -> None:
    beta = floor.desk.client("BETA")
    moved = new_venue(floor, "XMOVED")
    add(floor, venue_table("XMOVED", moved.peer.port))
    assert reload(floor)[0]
    floor.desk.until(lambda: moved.peer.is_logged_on, "the venue")
    beta.kill()
    with undisturbed(floor):
        port = moved.peer.port
        successor = free_port()
        write(floor, (f"port = {port}\n", f"port = {successor}\n"))
        assert reload(floor) == (True, "logged out and made anew: XMOVED")
        floor.desk.until(lambda: not moved.peer.is_connected, "the Logout")
        moved.peer.kill()
        moved.peer._address = ("127.0.0.1", successor)
        moved.peer.listen()
        floor.desk.until(lambda: moved.peer.is_logged_on, "the venue at its new port")
        new_password(floor, "BETA", OTHER)
        assert reload(floor) == (True, "changed: BETA")
        again = log_on_as(floor, beta, OTHER)
        assert again.is_logged_on


def test_a_client_and_a_venue_go_and_come_back_with_their_numbers(floor: Floor) -> None:
    venue = new_venue(floor, "XNEW")
    tables = client_table("GAMMA") + venue_table("XNEW", venue.peer.port)
    before = floor.desk.config.read_text()
    add(floor, tables)
    after = floor.desk.config.read_text()
    assert reload(floor)[0]
    gamma = log_on(floor, "GAMMA")
    floor.desk.until(lambda: floor.count("ResyncCompleted") == 2, "the new venue in step")
    with undisturbed(floor):
        name, _ = floor.order(gamma, t1="GAMMA-1")
        floor.desk.config.write_text(before)
        accepted, text = reload(floor)
        assert not accepted
        assert "GAMMA: has 1 open orders" in text
        accepted, text = reload(floor, force=True)
        assert (accepted, text) == (True, "removed: GAMMA (1 open orders at risk), XNEW")
        peers = (gamma, venue.peer)
        floor.desk.until(lambda: not any(one.is_connected for one in peers), "the Logouts")
        numbers = [one.session.next_in for one in peers]
        floor.venue.trade(floor.venue.orders[-1], "100")
        floor.becomes(name, "2", "100")
        with pytest.raises((OSError, TimeoutError)):
            gamma.reconnect(timeout_s=2.0)
        floor.desk.config.write_text(after)
        assert reload(floor) == (True, "added: GAMMA, XNEW")
        seen = [len(one.messages) for one in peers]
        come_back(floor, gamma)
        floor.heard(name, ["0", "F"], gamma)
        floor.desk.until(lambda: venue.peer.is_logged_on, "the venue is back")
        for peer, start, number in zip(peers, seen, numbers, strict=True):
            logon = next(one for one in peer.messages[start:] if one.msg_type == "A")
            assert logon.seq >= number
            assert logon.seq < number + 100
            assert logon.get(141) is None


def test_a_client_that_went_with_orders_open_is_told_all_when_it_comes_back(floor: Floor) -> None:
    """Cores start without it, are killed, and nothing of what they would have told it is lost."""
    before = floor.desk.config.read_text()
    add(floor, client_table("GAMMA"))
    after = floor.desk.config.read_text()
    assert reload(floor)[0]
    gamma = log_on(floor, "GAMMA")
    orders = [floor.order(gamma, t1="GAMMA-1") for _ in range(4)]
    floor.desk.config.write_text(before)
    assert reload(floor, force=True) == (True, "removed: GAMMA (4 open orders at risk)")
    floor.desk.until(lambda: not gamma.is_connected, "the Logout")
    for count, (name, order) in enumerate(orders[:3], start=1):
        floor.venue.trade(order, "100")
        floor.becomes(name, "2", "100")
        floor.desk.until(lambda count=count: undelivered(floor) == count, "it to be counted")
        # What others are told later says nothing of what GAMMA was told.
        floor.order()
        floor.restart()
    assert undelivered(floor) == 3
    seen = len(gamma.messages)
    floor.desk.config.write_text(after)
    assert reload(floor) == (True, "added: GAMMA")
    floor.desk.until(lambda: undelivered(floor) == 0, "what was kept to leave")
    floor.restart()
    come_back(floor, gamma)
    last, order = orders[3]
    floor.venue.trade(order, "100")
    floor.becomes(last, "2", "100")
    floor.heard(last, ["0", "F"], gamma)
    for name, _ in orders[:3]:
        floor.heard(name, ["0", "F"], gamma)
    told = [one for one in gamma.messages[seen:] if one.msg_type == "8"]
    assert [one.get(11) for one in told] == [name for name, _ in orders]
    assert len({one.get(17) for one in told}) == 4
    assert [one.get(97) for one in told] == ["Y", "Y", "Y", None]
    assert undelivered(floor) == 0


def test_a_core_that_is_restarted_with_the_client_in_its_file_tells_it_the_rest(
    floor: Floor,
) -> None:
    before = floor.desk.config.read_text()
    add(floor, client_table("GAMMA"))
    after = floor.desk.config.read_text()
    assert reload(floor)[0]
    gamma = log_on(floor, "GAMMA")
    name, order = floor.order(gamma, t1="GAMMA-1")
    seen = len(gamma.messages)
    noted = "SELECT FROM sent_orders JOIN orders USING (order_id) WHERE cl_ord_id = %s"
    floor.desk.until(lambda: floor.desk.rows(noted, name), "the New to be noted")
    floor.desk.config.write_text(before)
    floor.restart()
    floor.venue.trade(order, "40")
    floor.desk.until(lambda: undelivered(floor) == 1, "the fill to be counted")
    floor.order()
    floor.desk.config.write_text(after)
    floor.restart()
    come_back(floor, gamma)
    floor.venue.trade(order, "60")
    floor.heard(name, ["0", "F", "F"], gamma)
    told = [one for one in gamma.messages[seen:] if one.msg_type == "8"]
    assert [one.get(32) for one in told] == ["40", "60"]
    assert undelivered(floor) == 0


def undelivered(floor: Floor) -> int:
    """How many messages wait for GAMMA, as operators see it."""
    [(found,)] = floor.desk.rows("SELECT undelivered FROM sessions WHERE name = 'GAMMA'")
    return int(str(found))


def test_accounts_and_comp_ids_of_a_client_change_and_change_back(floor: Floor) -> None:
    before = floor.desk.config.read_text()
    beta = floor.desk.client("BETA")
    with undisturbed(floor):
        for _ in range(3):
            floor.order(beta, t1="BETA-1")
        write(floor, ('accounts = ["BETA-1"]', 'accounts = ["BETA-1", "BETA-2"]'))
        assert reload(floor) == (True, "changed: BETA")
        floor.order(beta, t1="BETA-2")
        write(floor, ('sender_comp_id = "BETA"', 'sender_comp_id = "NEWBETA"'))
        accepted, text = reload(floor)
        assert accepted
        assert text == "logged out and made anew: BETA (4 open orders at risk)"
        floor.desk.until(lambda: not beta.is_connected, "the Logout")
        successor = log_on(floor, "NEWBETA")
        for _ in range(9):
            floor.order(successor, t1="BETA-2")
        floor.desk.config.write_text(before)
        assert reload(floor)[0]
        floor.desk.until(lambda: not successor.is_connected, "the Logout")
        come_back(floor, beta)
        floor.order(beta, t1="BETA-1")
        rejected = floor.send(beta, t1="BETA-2")
        floor.heard(rejected, ["8"], beta)


def test_what_cannot_be_taken_over_changes_nothing(floor: Floor) -> None:
    good = floor.desk.config.read_text()
    with undisturbed(floor):
        write(floor, ('target_comp_id = "XSIM"\n', 'target_comp_id = "X SIM"\n'))
        accepted, text = reload(floor)
        assert not accepted
        assert text.startswith("venues[0].target_comp_id = X SIM: must match")
        floor.desk.config.write_text(good.partition("[[venues]]")[0] + "[[instruments]")
        accepted, text = reload(floor)
        assert not accepted
        assert "must be TOML" in text
        floor.desk.config.write_text(good)
        write(floor, ('[[venues]]\nname = "XSIM"\n', '[[venues]]\nname = "XTHAT"\n'))
        accepted, text = reload(floor, force=True)
        assert not accepted
        assert text.startswith("XTHAT: comp ids OMS, XSIM: were those of XSIM")
        floor.desk.config.write_text(good)
        write(floor, ('name = "XSIM"\nhost = "127.0.0.1"', 'name = "XSIM"\nhost = " "'))
        accepted, text = reload(floor)
        assert not accepted
        assert text.startswith("venues[0].host = : must match")
    floor.desk.config.write_text(good)
    assert floor.count("SessionsReloaded") == 0
    assert "core.reload_refused" in floor.desk.log()


def test_a_core_killed_right_after_a_reload_has_the_new_sessions(floor: Floor) -> None:
    venue = new_venue(floor, "XNEW")
    add(floor, client_table("GAMMA"), venue_table("XNEW", venue.peer.port))
    command(floor.desk, ReloadSessions(origin=OPERATOR, reason="ticket 4712"))
    query = "SELECT FROM command_inbox WHERE command_type = 'ReloadSessions' AND state = 'done'"
    floor.desk.until(lambda: floor.desk.rows(query), "the reload to be journaled")
    floor.restart()
    gamma = log_on(floor, "GAMMA")
    floor.order(gamma, t1="GAMMA-1")
    floor.desk.until(lambda: venue.peer.is_logged_on, "the new venue")
    assert reload(floor) == (True, "the sessions are as the file says")


def test_two_reloads_at_once_and_a_gate_that_dies_then(floor: Floor) -> None:
    add(floor, client_table("GAMMA"))
    with undisturbed(floor):
        for _ in range(2):
            command(floor.desk, ReloadSessions(origin=OPERATOR, reason="ticket 4712"))
        query = "SELECT answer_text FROM command_inbox WHERE state = 'done' ORDER BY id"
        floor.desk.until(lambda: len(floor.desk.rows(query)) == 2, "both answers")
        texts = {text for (text,) in floor.desk.rows(query)}
        assert texts == {"added: GAMMA", "the sessions are as the file says"}
        gamma = log_on(floor, "GAMMA")
        os.kill(gate_of(floor), signal.SIGKILL)
        floor.desk.until(lambda: "core.gate_ended" in floor.desk.log(), "the gate's successor")
        gamma.kill()
        come_back(floor, gamma)
        floor.order(gamma, t1="GAMMA-1")


def gate_of(floor: Floor) -> int:
    """The process in front of the FIX port."""
    assert floor.desk.core is not None
    [gate] = running_below(floor.desk.core.pid, "fix_sessions.gate")
    return gate


def test_the_command_line(floor: Floor) -> None:
    add(floor, client_table("GAMMA"))

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.Popen(
            [sys.executable, "-m", "oms", "session", "reload", *arguments],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        floor.desk.until(lambda: done.poll() is not None, "oms session reload")
        assert done.stdout is not None
        return done.returncode, done.stdout.read().decode()

    config = ("--config", str(floor.desk.config))
    code, said = run("--reason", "ticket 4712", "--dry-run", *config)
    assert (code, "added: GAMMA" in said) == (0, True), said
    code, said = run("--reason", "ticket 4712", *config)
    assert (code, "added: GAMMA" in said) == (0, True), said
    log_on(floor, "GAMMA")


def new_password(floor: Floor, name: str, password: str) -> None:
    """The client's table has another password."""
    head, mark, tail = floor.desk.config.read_text().partition(f'[[clients]]\nname = "{name}"\n')
    before, key, rest = tail.partition('password_hash = "')
    floor.desk.config.write_text(
        head + mark + before + key + hash_password(password) + '"' + rest.partition('"')[2]
    )


def log_on_as(floor: Floor, peer: LightPeer, password: str) -> LightPeer:
    """The client goes on with its numbers and another password; the old one is refused."""
    with pytest.raises((OSError, TimeoutError)):
        peer.reconnect(timeout_s=2.0)
    peer.session.settings = replace(peer.session.settings, password=password)
    come_back(floor, peer)
    return peer
