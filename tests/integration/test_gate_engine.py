"""The gate in front of the real engine: what a refused Logon may and may not change there."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gate_rig import LOCALHOST, PASSWORD, PATIENCE_S, logon_fields
from tests.integration.gate_site import INBOUND, OUTBOUND, Site, caller


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A gate that keeps its clients' connections."""
    with contextlib.closing(Site(tmp_path)) as found:
        yield found


def test_a_reset_with_a_wrong_password_resets_nothing(site: Site) -> None:
    with caller(site) as stranger:
        stranger.send(logon_fields(site.comp_id, t554="wrong", t141="Y"))
        answer = dict(stranger.answer())
        assert answer[35] == "5"
        assert answer[58].startswith("Logon refused: Username (553) and Password (554)")
        stranger.wait_for_close()
    assert site.handler.resets() == 0
    assert not site.handler.has_logged_on()
    # MsgSeqNum too low is what the engine finds first; either way its Logout took one number.
    assert answer[34] == str(OUTBOUND)
    assert site.numbers() == (INBOUND, OUTBOUND + 1)


def test_the_numbers_of_a_refused_client_stay_in_step(site: Site) -> None:
    for attempt in range(3):
        with caller(site) as stranger:
            stranger.send(logon_fields(site.comp_id, t554="wrong", t34=str(INBOUND + attempt)))
            answer = dict(stranger.answer())
            assert (answer[35], answer[34]) == ("5", str(OUTBOUND + attempt))
            stranger.wait_for_close()
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        answer = dict(client.answer())
        assert (answer[35], answer[34]) == ("A", str(OUTBOUND + 3)), "not the next number"
        site.wait_until(site.handler.has_logged_on, "the logon")


def test_an_admitted_client_talks_with_the_engine(site: Site) -> None:
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        assert dict(client.answer())[35] == "A"
        head = [(35, "1"), (34, str(INBOUND + 1)), (49, site.comp_id), (52, ""), (56, "PLUMB")]
        client.send([*head, (112, "are you there")])
        answer = dict(client.answer())
        assert (answer[35], answer[112]) == ("0", "are you there")


def test_a_client_that_may_reset_does(site: Site) -> None:
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t141="Y"))
        answer = dict(client.answer())
        assert (answer[35], answer[34], answer[141]) == ("A", "1", "Y")
    assert site.handler.resets() == 1


def test_the_password_is_nowhere_behind_the_gate(site: Site) -> None:
    with caller(site) as client:
        client.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        assert dict(client.answer())[35] == "A"
    written = [path.read_bytes() for path in site.store.rglob("*") if path.is_file()]
    assert written
    assert not [data for data in written if PASSWORD.encode() in data]
    assert PASSWORD not in repr(site.handler.logons)


def test_a_logon_behind_the_gates_back_is_refused(site: Site) -> None:
    with caller(site) as local:
        direct = socket.create_connection((LOCALHOST, site.engine.acceptor_port), PATIENCE_S)
        direct.setblocking(False)
        local.sock.close()
        local.sock = direct
        local.send(logon_fields(site.comp_id, t34=str(INBOUND)))
        answer = dict(local.answer())
        assert (answer[35], answer[58]) == ("5", "Rejected Logon Attempt: no ticket")
        local.wait_for_close()
    assert not site.handler.has_logged_on()
