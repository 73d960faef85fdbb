"""The gate's configuration, its events, its memory of failures, and password hashes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher, Type

from fix_sessions.credentials import check_hash, hash_password, verify_password
from fix_sessions.gate_config import (
    GateClient,
    GateConfig,
    GateConfigError,
    GateLimits,
    config_from_json,
    config_to_json,
)
from fix_sessions.gate_events import (
    DisconnectCause,
    GateEvent,
    GateEventKind,
    RefusalReason,
    event_from_json,
    event_to_json,
)
from fix_sessions.gate_state import FailureBook, address_of, failure_key
from fix_sessions.session_change import SessionChange
from fix_sessions.settings import SessionSpec

HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
CLIENT = GateClient(
    session_id="fund",
    begin_string="FIX.4.4",
    sender_comp_id="FUND",
    target_comp_id="PLUMB",
    password_hash=HASH,
    allowed_addresses=("10.0.0.0/8", "2001:db8::/32"),
)
CONFIG = GateConfig(
    host="127.0.0.1",
    port=9_878,
    engine_host="127.0.0.1",
    engine_port=9_879,
    ticket="0123456789abcdef",
    clients=(CLIENT,),
    limits=GateLimits(verifiers=3),
)


def test_a_configuration_survives_its_line() -> None:
    line = config_to_json(CONFIG)
    assert "\n" not in line
    assert config_from_json(line) == CONFIG


def test_secrets_are_not_shown() -> None:
    assert CONFIG.ticket not in repr(CONFIG)
    assert HASH not in repr(CONFIG)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: replace(CONFIG, port=65_536), "port: 65536 is not in 0 to 65535"),
        (lambda: replace(CONFIG, engine_port=-1), "engine_port: -1 is not in 0 to 65535"),
        (lambda: replace(CONFIG, ticket="short"), "ticket: not at least 16 letters and digits"),
        (
            lambda: replace(CONFIG, clients=(CLIENT, CLIENT)),
            "clients: begin string and comp ids ('FIX.4.4', 'FUND', 'PLUMB') stands more than once",
        ),
        (
            lambda: replace(CONFIG, clients=(CLIENT, replace(CLIENT, sender_comp_id="OTHER"))),
            "clients: session_id 'fund' stands more than once",
        ),
        (lambda: replace(CLIENT, sender_comp_id=""), "client 'fund': sender_comp_id is empty"),
        (
            lambda: replace(CLIENT, allowed_addresses=()),
            "client 'fund': allowed_addresses is empty: nobody could log on",
        ),
        (
            lambda: replace(CLIENT, allowed_addresses=("10.0.0.1/8",)),
            "client 'fund': allowed_addresses '10.0.0.1/8': 10.0.0.1/8 has host bits set",
        ),
        (
            lambda: replace(CLIENT, password_hash="secret"),
            "client 'fund': password_hash is not an Argon2 hash in PHC form",
        ),
        (
            lambda: replace(CLIENT, password_hash=PasswordHasher(type=Type.I).hash("secret")),
            "client 'fund': password_hash is Argon2i, not Argon2id",
        ),
        (
            lambda: GateLimits(pending_total=0),
            "limits.pending_total: 0 is not a whole number from 1 to 1073741824",
        ),
        (
            lambda: GateLimits(client_buffer_bytes=1 << 31),
            "limits.client_buffer_bytes: 2147483648 is not a whole number from 1 to 1073741824",
        ),
        (lambda: config_from_json("{"), "configuration: not JSON: "),
        (lambda: config_from_json("[]"), "configuration: not a JSON object"),
    ],
)
def test_a_fault_is_named(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(GateConfigError) as caught:
        make()
    assert str(caught.value).startswith(text)


def test_an_unknown_begin_string_is_named_with_the_known_ones() -> None:
    with pytest.raises(GateConfigError, match=r"begin_string 'FIX\.9' is none of FIX\.4\.0, .+"):
        replace(CLIENT, begin_string="FIX.9")


def test_an_unknown_or_missing_key_is_named() -> None:
    with pytest.raises(GateConfigError, match="colour"):
        config_from_json(config_to_json(CONFIG).replace('"host"', '"colour"'))
    with pytest.raises(GateConfigError, match="unexpected keyword argument 'hash'"):
        config_from_json(config_to_json(CONFIG).replace('"password_hash"', '"hash"'))
    with pytest.raises(GateConfigError, match="'engine_port' and 'ticket'"):
        config_from_json('{"host": "127.0.0.1", "port": 1, "engine_host": "127.0.0.1"}')


def test_the_user_is_the_comp_id_unless_named() -> None:
    assert CLIENT.logon_name == "FUND"
    assert replace(CLIENT, username="desk7").logon_name == "desk7"


@pytest.mark.parametrize(
    "event",
    [
        GateEvent(kind=GateEventKind.CONNECTED, address="10.0.0.1", session_id="fund"),
        GateEvent(
            kind=GateEventKind.REFUSED,
            address="::1",
            reason=RefusalReason.GARBLED,
            detail='a "quoted"\nline',
            count=7,
        ),
        GateEvent(
            kind=GateEventKind.DISCONNECTED,
            address="10.0.0.1",
            session_id="fund",
            cause=DisconnectCause.SLOW_CONSUMER,
        ),
    ],
)
def test_an_event_survives_its_line(event: GateEvent) -> None:
    line = event_to_json(event)
    assert "\n" not in line
    assert event_from_json(line) == event


def test_failures_past_the_bound_block_for_twice_as_long_each_time() -> None:
    book = FailureBook(
        GateLimits(failures_before_backoff=3, backoff_ms=1_000, backoff_max_ms=3_000)
    )
    blocked_s = []
    now = 0.0
    for _ in range(6):
        book.failed("a", now)
        free_at = next(s for s in range(100) if not book.is_blocked("a", now + s))
        blocked_s.append(free_at)
        now += 10.0
    assert blocked_s == [0, 0, 1, 2, 3, 3]
    assert not book.is_blocked("b", now)


def test_success_or_ten_quiet_minutes_are_a_new_start() -> None:
    book = FailureBook(GateLimits(failures_before_backoff=2))
    book.failed("a", 0.0)
    book.succeeded("a")
    book.failed("a", 1.0)
    assert not book.is_blocked("a", 1.0)
    book.failed("a", 700.0)
    assert not book.is_blocked("a", 700.0)
    book.failed("a", 701.0)
    assert book.is_blocked("a", 701.0)


def test_the_memory_of_failures_is_bounded() -> None:
    book = FailureBook(GateLimits())
    for number in range(20_000):
        book.failed(str(number), 0.0)
    assert len(book._book) == 10_000


def test_addresses_are_read_and_counted_by_host() -> None:
    mapped = address_of(("::ffff:10.1.2.3", 5_000, 0, 0))
    assert str(mapped) == "10.1.2.3"
    assert mapped is not None
    assert failure_key(mapped) == "10.1.2.3"
    near, far = address_of(("2001:db8:1:2:3::4", 1)), address_of(("2001:db8:1:3::4", 1))
    assert near is not None
    assert far is not None
    assert failure_key(near) == "2001:db8:1:2::/64"
    assert failure_key(far) != failure_key(near)
    assert address_of(None) is None


def test_a_password_belongs_to_its_hash_only() -> None:
    made = hash_password("p@ss wörd")
    check_hash(made)
    assert made.startswith("$argon2id$")
    assert made != hash_password("p@ss wörd")
    assert verify_password(made, "p@ss wörd")
    assert not verify_password(made, "p@ss word")
    assert not verify_password(made, "")
    assert not verify_password("no hash", "p@ss wörd")


@pytest.mark.parametrize("text", ["", "a\x01b", "line\n", "€"])
def test_a_password_that_fix_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^password: "):
        hash_password(text)


def test_a_venues_password_stands_in_no_text_of_its_session() -> None:
    spec = SessionSpec(
        session_id="XSIM",
        role="initiator",
        sender_comp_id="OMS",
        target_comp_id="XSIM",
        port=1,
        username="oms",
        password="venue secret",
    )
    change = SessionChange(closed={}, made=(spec,), clients=())
    assert "secret" not in f"{spec} {change!r}"
