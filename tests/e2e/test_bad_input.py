"""Bad input at the wire: the exact answer to each, and that the server goes on serving after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings, wall_clock_us
from fix_sessions.light_socket import LightPeer
from fix_sessions.wire import frame, utc_timestamp_ms
from tests.support.desk import (
    PASSWORD,
    Desk,
    answer_resync,
    cl_ord_id,
    desk_with_light_venue,
    new_order,
    report_of,
)
from tests.support.postgres import Databases

REJECT, BUSINESS_REJECT = "3", "j"


class Bench:
    """A running desk, its light venue and its client ALPHA."""

    def __init__(self, desk: Desk, venue: LightPeer) -> None:
        self.desk = desk
        self.venue = venue
        desk.start_core()
        self.client = desk.client()
        answer_resync(desk, venue)
        self._exec_ids = 0

    def fill(self, child: str, qty: str, cum: str, **more: str) -> list[tuple[int, str]]:
        """Fields of a trade of a child order; t17="..." and the like replace tags."""
        self._exec_ids += 1
        fields = {
            37: f"V-{child}",
            11: child,
            17: f"T{self._exec_ids}",
            150: "F",
            39: "1",
            55: "ACME",
            54: "1",
            38: "100",
            32: qty,
            31: "100",
            14: cum,
            151: "0",
            6: "100",
        } | {int(key[1:]): value for key, value in more.items()}
        return [(tag, value) for tag, value in fields.items() if value]

    def order(self) -> tuple[str, str]:
        """A working order: its ClOrdID and its child's."""
        fields = new_order()
        self.client.send("D", fields)
        order_id = report_of(self.client, cl_ord_id(fields), "0").get(37)
        child = f"{order_id}-1"
        self.venue.wait_for(lambda m: m.msg_type == "D" and m.get(11) == child)
        return cl_ord_id(fields), child

    def goes_on(self) -> None:
        """An order still goes all the way."""
        name, child = self.order()
        self.venue.send("8", self.fill(child, "100", "100"))
        assert report_of(self.client, name, "F").get(39) == "2"

    def query(self, text: str) -> object:
        """The one value of a query."""
        [(value,)] = self.desk.rows(text)
        return value


@pytest.fixture(scope="module")
def bench(
    tmp_path_factory: pytest.TempPathFactory, migrated_databases: Databases
) -> Iterator[Bench]:
    directory: Path = tmp_path_factory.mktemp("desk")
    url = migrated_databases.take()
    with desk_with_light_venue(directory, url) as (desk, venue):
        yield Bench(desk, venue)
    migrated_databases.drop(url)


def answer(bench: Bench, msg_type: str, fields: list[tuple[int, str]]) -> dict[int, str | None]:
    """The Reject or BusinessMessageReject that a client's message gets."""
    seen = len(bench.client.messages)
    number = bench.client.send(msg_type, fields)
    found = bench.client.wait_for(
        lambda m: m.msg_type in (REJECT, BUSINESS_REJECT) and m.get(45) == str(number), since=seen
    )
    return {tag: found.get(tag) for tag in (35, 371, 372, 373, 380, 58)}


@pytest.mark.parametrize(
    ("change", "tag", "code", "text"),
    [
        ({"t1": ""}, "1", "1", "Account (1): required tag missing"),
        (
            {"t38": ""},
            "38",
            "1",
            "neither CashOrderQty (152) nor OrderQty (38): required tag missing",
        ),
        (
            {"t38": "NaN"},
            "38",
            "6",
            "OrderQty (38) = NaN: must be a decimal number without exponent",
        ),
        (
            {"t38": "1e5"},
            "38",
            "6",
            "OrderQty (38) = 1e5: must be a decimal number without exponent",
        ),
        (
            {"t38": "9" * 30},
            "38",
            "5",
            f"OrderQty (38) = {'9' * 30}: must have at most 15 digits before the point",
        ),
        (
            {"t44": "100.01000000000000000001"},
            "44",
            "5",
            "Price (44) = 100.01000000000000000001: must have at most 10 decimals",
        ),
        (
            {"t11": "a\x00b"},
            "11",
            "5",
            "ClOrdID (11) = 'a\\x1ab': must be printable text",
        ),
        (
            {"t168": "20261122-15:00:00"},
            "168",
            "5",
            "EffectiveTime (168) = 20261122-15:00:00: must be absent, as it is not done here",
        ),
        (
            {"t54": "9"},
            "54",
            "5",
            "Side (54) = 9: must be one of 1 (BUY), 2 (SELL), 5 (SELL_SHORT)",
        ),
        (
            {"t40": "G"},
            "40",
            "5",
            (
                "OrdType (40) = G: must be one of 1 (MARKET), 2 (LIMIT), 3 (STOP), 4 (STOP_LIMIT), "
                "P (PEGGED)"
            ),
        ),
    ],
)
def test_unreadable_order_is_rejected(
    bench: Bench, change: dict[str, str], tag: str, code: str, text: str
) -> None:
    found = answer(bench, "D", new_order(**change))
    assert found == {35: REJECT, 371: tag, 372: "D", 373: code, 380: None, 58: text}
    bench.goes_on()


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"t38": "0"}, "13", "OrderQty (38) = 0: must be greater than zero"),
        ({"t38": "-5"}, "13", "OrderQty (38) = -5: must be greater than zero"),
        ({"t38": "1.5"}, "13", "OrderQty (38) = 1.5: must be a multiple of lot 1"),
        ({"t44": "100.005"}, "11", "Price (44) = 100.005: must be a multiple of tick 0.01"),
        ({"t44": "-1"}, "11", "Price (44) = -1: must be greater than zero"),
        ({"t44": ""}, "11", "Price (44): required on a limit order"),
        ({"t40": "1"}, "11", "Price (44) = 100: not allowed on a market order"),
        ({"t55": "NOPE"}, "1", "Symbol (55) = NOPE: not a known instrument"),
        ({"t1": "BETA-1"}, "15", "Account (1) = BETA-1: not permitted for ALPHA"),
        (
            {"t38": "100001"},
            "3",
            "MAX_ORDER_QTY at FIRM *: limit 100000, measured 100001",
        ),
    ],
)
def test_refused_order_is_reported(
    bench: Bench, change: dict[str, str], code: str, text: str
) -> None:
    fields = new_order(**change)
    bench.client.send("D", fields)
    found = report_of(bench.client, cl_ord_id(fields), "8")
    assert [found.get(tag) for tag in (39, 103, 58, 151)] == ["8", code, text, "0"]
    bench.goes_on()


def test_unknown_message_type(bench: Bench) -> None:
    found = answer(bench, "B", [(148, "headline")])
    assert found == {
        35: BUSINESS_REJECT,
        371: None,
        372: "B",
        373: None,
        380: "3",
        58: "MsgType (35) = B: not supported here",
    }
    bench.goes_on()


def test_two_megabytes_of_text(bench: Bench) -> None:
    """More than a message may have: the engine or the decoder refuses, nobody else is disturbed."""
    name = "big"
    bench.client.send("D", [*new_order(t11=name), (58, "x" * 2_000_000)])
    bench.desk.until(
        lambda: any(m.get(58) and "characters" in (m.get(58) or "") for m in bench.client.messages),
        "an answer to the big message",
    )
    assert bench.query("SELECT count(*) FROM orders WHERE cl_ord_id = 'big'") == 0
    bench.goes_on()


def test_garbled_frames_are_ignored_and_asked_for_again(bench: Bench) -> None:
    """A wrong checksum consumes no number; the true message is taken when it comes."""
    fields = new_order()
    data = bench.client.session.prepare("D", fields)
    bench.client.send_bytes(data[:-4] + b"000\x01")
    bench.client.send_bytes(b"8=FIX.4.4\x019=xx\x0135=D\x01garbage\x0110=000\x01")
    bench.client.send_bytes(data)
    assert report_of(bench.client, cl_ord_id(fields), "0").get(39) == "0"
    bench.goes_on()


def test_duplicate_cl_ord_id(bench: Bench) -> None:
    name, _ = bench.order()
    seen = len(bench.client.messages)
    bench.client.send("D", new_order(t11=name))
    found = report_of(bench.client, name, "8", seen)
    assert (found.get(39), found.get(103)) == ("0", "6")
    assert found.get(58) is not None
    assert "sent without PossResend" in (found.get(58) or "")


def test_cancel_of_an_unknown_order(bench: Bench) -> None:
    bench.client.send("F", [(11, "cx"), (41, "nothing"), (55, "ACME"), (54, "1")])
    found = bench.client.wait_for(lambda m: m.msg_type == "9" and m.get(11) == "cx")
    expected = ["NONE", "8", "1", "1", "OrigClOrdID (41) = nothing: no such order"]
    assert [found.get(tag) for tag in (37, 39, 434, 102, 58)] == expected
    bench.goes_on()


def test_replace_below_cum_qty(bench: Bench) -> None:
    name, child = bench.order()
    bench.venue.send("8", bench.fill(child, "60", "60"))
    report_of(bench.client, name, "F")
    bench.client.send(
        "G",
        [
            (11, f"{name}-r"),
            (41, name),
            (55, "ACME"),
            (54, "1"),
            (38, "50"),
            (40, "2"),
            (44, "100"),
        ],
    )
    found = bench.client.wait_for(lambda m: m.msg_type == "9" and m.get(11) == f"{name}-r")
    expected = ["1", "2", "OrderQty (38) = 50: must not be below CumQty 60"]
    assert [found.get(tag) for tag in (39, 434, 58)] == expected


def test_report_for_an_unknown_order_is_kept(bench: Bench) -> None:
    before = bench.query("SELECT count(*) FROM orphans")
    bench.venue.send("8", bench.fill("nobody's", "10", "10"))
    bench.desk.until(
        lambda: bench.query("SELECT count(*) FROM orphans") == int(str(before)) + 1, "an orphan"
    )
    bench.goes_on()


def test_repeated_exec_id_is_booked_once(bench: Bench) -> None:
    name, child = bench.order()
    bench.venue.send("8", bench.fill(child, "40", "40", t17="again"))
    report_of(bench.client, name, "F")
    bench.venue.send("8", bench.fill(child, "40", "40", t17="again"))
    bench.venue.send("8", bench.fill(child, "60", "100"))
    bench.desk.until(
        lambda: bench.query(f"SELECT cum_qty FROM orders WHERE cl_ord_id = '{name}'") == 100,
        "the order to be filled",
    )
    assert bench.query("SELECT count(*) FROM executions WHERE exec_id = 'again'") == 1


@pytest.mark.parametrize(
    ("msg_type", "fields", "expected"),
    [
        ("8", [(37, "x"), (150, "F")], (REJECT, "ExecID (17): required tag missing")),
        (
            "8",
            [(37, "x"), (17, "n1"), (150, "!"), (39, "0"), (55, "ACME"), (54, "1")],
            (REJECT, "ExecType (150) = !: must be one of"),
        ),
        ("D", [(11, "x")], (BUSINESS_REJECT, "MsgType (35) = D: not supported here")),
        ("W", [(55, "ACME"), (268, "2")], (REJECT, "NoMDEntries (268) = 2: 0 entries follow")),
    ],
)
def test_venue_that_sends_nonsense_is_answered(
    bench: Bench, msg_type: str, fields: list[tuple[int, str]], expected: tuple[str, str]
) -> None:
    seen = len(bench.venue.messages)
    number = bench.venue.send(msg_type, fields)
    found = bench.venue.wait_for(
        lambda m: m.msg_type in (REJECT, BUSINESS_REJECT) and m.get(45) == str(number), since=seen
    )
    assert found.msg_type == expected[0]
    assert (found.get(58) or "").startswith(expected[1])
    bench.goes_on()


def test_wrong_password_and_wrong_comp_id_do_not_get_in(bench: Bench) -> None:
    for name, password in (("BETA", "wrong"), ("GAMMA", PASSWORD)):
        settings = LightSettings(
            sender_comp_id=name,
            target_comp_id="PLUMBLINE",
            username=name,
            password=password,
        )
        stranger = bench.desk.hub.client("127.0.0.1", bench.desk.port, settings)
        stranger.connect()
        bench.desk.until(lambda one=stranger: not one.is_connected, f"{name} to be refused")
        assert not stranger.is_logged_on
    bench.goes_on()


def test_message_with_another_comp_id_ends_the_session_only(bench: Bench) -> None:
    session = bench.client.session
    number = str(session.next_out)
    data = frame(
        "FIX.4.4",
        [(35, "D"), (34, number), (49, "OTHER"), (56, "PLUMBLINE"), (52, now()), *new_order()],
    )
    bench.client.send_bytes(data)
    bench.desk.until(lambda: not bench.client.is_connected, "the session to be ended")
    bench.client = bench.desk.client()
    bench.goes_on()


def now() -> str:
    return utc_timestamp_ms(wall_clock_us())
