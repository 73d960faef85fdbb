"""QuickFIX resets at once and asks later: a second Logon on a connection that was handed over."""

import pytest

from fix_sessions.wire import frame
from tests.integration.gate_rig import TICKET, logon_fields
from tests.integration.gate_site import Site, caller, framed, handed_over, reports_to

TEXT = "x" * 500


SECOND_LOGONS = {
    "with a reset": {"t141": "Y", "t34": "1"},
    "with a reset and the next number": {"t141": "Y"},
    "with a reset and the ticket": {"t141": "Y", "t34": "1", "t554": TICKET},
    "with a reset and an old time": {"t141": "Y", "t34": "1", "t52": "20200101-00:00:00.000"},
    "with a reset under another name": {"t141": "Y", "t34": "1", "t49": "SOMEBODY"},
    "with a reset, number 0, unasked": {
        "t141": "Y",
        "t34": "0",
        "t43": "Y",
        "t122": "20200101-00:00:00.000",
    },
    "without a reset": {},
    "without a reset, far ahead": {"t34": "100000"},
}


@pytest.mark.parametrize("what", list(SECOND_LOGONS))
def test_a_second_logon_ends_the_session_and_resets_nothing(site: Site, what: str) -> None:
    """QuickFIX resets at once and asks later; nobody scans the bytes any more."""
    with caller(site) as client:
        handed_over(site, client)
        site.engine.send(site.comp_id, "8", [(37, "KEPT"), (58, TEXT)])
        assert dict(client.answer())[37] == "KEPT"
        inbound, outbound = site.numbers()
        changes = {"t34": str(client.next_out), "t52": ""} | SECOND_LOGONS[what]
        fields = logon_fields(client.comp_id, **changes)
        # An order right behind it, in the same bytes, is no way around either.
        behind = [(35, "D"), (34, "1"), (49, client.comp_id), (52, ""), (56, "PLUMB"), (11, "X")]
        data = framed_as(fields) + framed(behind)
        client.sock.sendall(data)
        client._frames.clear()
        site.wait_until(lambda: (client._read(), client.is_closed)[1], "the close")
    site.wait_until(lambda: site.engine.taken_over.session_ids == [], "the end")
    assert site.handler.resets() == 0
    inbound_now, outbound_now = site.numbers()
    assert inbound <= inbound_now <= inbound + 1
    assert outbound <= outbound_now <= outbound + 2
    with caller(site) as again:
        again.next_out = inbound_now
        assert again.log_on()[35] == "A"
        again.sock.sendall(again.next_message("2", (7, str(outbound - 1)), (16, str(outbound - 1))))
        [kept] = reports_to(again, 1)
        assert (kept[37], kept[43], kept[34]) == ("KEPT", "Y", str(outbound - 1))


def framed_as(fields: list[tuple[int, str]]) -> bytes:
    """Its SendingTime as it is, unless it is empty."""
    if dict(fields)[52]:
        return frame("FIX.4.4", fields)
    return framed(fields)


def test_an_accepted_reset_is_handed_over_and_a_second_one_is_not_accepted(site: Site) -> None:
    with caller(site) as client:
        client.next_out = 1
        answer = client.log_on(t141="Y")
        assert (answer[35], answer[34]) == ("A", "1")
        site.wait_for_handover()
        client.assert_answers("from 1")
        site.engine.send(site.comp_id, "8", [(37, "KEPT")])
        numbers = site.numbers()
        client.send(logon_fields(client.comp_id, t141="Y"))
        client._frames.clear()
        site.wait_until(lambda: (client._read(), client.is_closed)[1], "the close")
    site.wait_until(lambda: site.engine.taken_over.session_ids == [], "the end")
    assert site.handler.resets() == 1
    assert site.numbers()[0] == numbers[0]
