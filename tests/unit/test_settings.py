import os
import re
from datetime import time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import exchange_calendars
import pytest

from oms.domain.conditions import PLAIN_TIMES, PLAIN_TYPES, Ability
from oms.domain.fix import OrdType, TimeInForce
from oms.settings import ConfigError, Role, load, reference_of
from oms.settings.calendars import CALENDARS
from oms.settings.drop_copies import DropCopySettings

EXAMPLE = Path(__file__).parents[2] / "config" / "oms.toml"
SALT_AND_HASH = "F0yWiJSuU8S5rWa2C+Ij+Q$Rex3zH6VGHLYpFQPJxdmcssaL1JgxlO8jP4RJC0xwWY"
HASH = f"$argon2id$v=19$m=19456,t=2,p=1${SALT_AND_HASH}"
KEY_HASH = sha256(b"a key").hexdigest()

DATABASE = '[database]\ndata_dir = "var/postgres"\n'
CLIENT = f"""
[[clients]]
name = "ALPHA"
sender_comp_id = "ALPHA"
target_comp_id = "US"
password_hash = "{HASH}"
allowed_addresses = ["10.0.0.0/8"]
accounts = ["A-1", "A-2"]
"""
VENUE = """
[[venues]]
name = "XSIM"
host = "127.0.0.1"
port = 9001
sender_comp_id = "US"
target_comp_id = "XSIM"
"""
INSTRUMENT = """
[[instruments]]
symbol = "AAPL"
currency = "USD"
tick = "0.01"
lot = "1"
"""
KEY = f"""
[[api.keys]]
name = "desk"
key_hash = "{KEY_HASH}"
role = "trader"
client = "ALPHA"
"""

LIMIT = """
[[risk.limits]]
rule = "MAX_POSITION"
value = "1"
"""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("OMS_"):
            monkeypatch.delenv(name)


def write(directory: Path, text: str) -> Path:
    path = directory / "oms.toml"
    path.write_text(text)
    return path


def faults(directory: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(directory, text))
    return str(caught.value).splitlines()


def test_the_example_is_complete_and_good() -> None:
    settings = load(EXAMPLE)
    assert [client.name for client in settings.clients] == ["ALPHA", "BETA"]
    assert [venue.name for venue in settings.venues] == ["XSIM1", "XSIM2", "XSIM3"]
    assert len(settings.instruments) == 20
    assert settings.database.data_dir
    assert {key.role for key in settings.api.keys} == set(Role)


def test_the_example_names_every_key_there_is() -> None:
    text = EXAMPLE.read_text()
    settings = load(EXAMPLE)
    tables = [
        *(getattr(settings, name) for name in type(settings).model_fields),
    ]
    samples = [one[0] if isinstance(one, tuple) else one for one in tables if one != ()]
    samples += [settings.risk.limits[0], settings.api.keys[0]]
    samples += [settings.clients[0].profile, settings.venues[0].profile]
    left_out = {"limits", "keys", "password", "tradable"}
    names = {name for one in samples for name in type(one).model_fields} - left_out
    names |= set(DropCopySettings.model_fields)
    missing = sorted(name for name in names if not re.search(rf"\b{name}\b", text))
    assert not missing


def test_reference_data_for_the_core() -> None:
    reference = reference_of(load(EXAMPLE))
    assert reference.instruments["SAP"].tick == Decimal("0.02")
    assert reference.instruments["AAPL"].venues == ("XSIM1", "XSIM2", "XSIM3")
    assert reference.venues["XSIM1"].fee_bps == Decimal("0.3")
    assert reference.venues["XSIM1"].ord_types == frozenset(OrdType) - {OrdType.PEGGED}
    assert reference.venues["XSIM1"].times_in_force == frozenset(TimeInForce) - {TimeInForce.OPG}
    assert reference.venues["XSIM1"].abilities == {Ability.MAX_FLOOR, Ability.NOT_HELD}
    assert reference.venues["XSIM2"].ord_types == PLAIN_TYPES
    assert reference.venues["XSIM2"].times_in_force == PLAIN_TIMES
    assert reference.clients["BETA"].accounts == {"BETA-1", "BETA-2", "BETA-3"}
    assert reference.venue_of_session("XSIM2") is reference.venues["XSIM2"]


def test_defaults_hold_where_the_file_is_silent(tmp_path: Path) -> None:
    settings = load(write(tmp_path, DATABASE + VENUE + INSTRUMENT))
    assert settings.trading_day.end_of_day == time(22, 30)
    assert reference_of(settings).instruments["AAPL"].venues == ("XSIM",)
    assert settings.venues[0].trade_file_of("2026-11-20") is None


def test_every_fault_is_told_in_one_line_each(tmp_path: Path) -> None:
    text = DATABASE + VENUE.replace("9001", "70000") + INSTRUMENT.replace('"0.01"', "0.01")
    assert faults(tmp_path, text + "colour = 1\n") == [
        "venues[0].port = 70000: must be <= 65535",
        'instruments[0].tick = 0.01: must stand in quotes, so that it stays exact: "0.01"',
        "instruments[0].colour: unknown key",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "database: is missing"),
        ("[database]\n", "database: must hold either url (or url_file) or data_dir"),
        (
            '[database]\ndata_dir = "x"\nurl = "postgresql://x/y"\n',
            "database: must hold either url (or url_file) or data_dir",
        ),
        ('[database]\nurl = "mysql://u:secret@x"\n', "database.url: must begin with postgresql://"),
        (
            '[database]\nurl_file = "/nowhere"\n',
            "database: url_file = /nowhere: cannot be read: No such file or directory",
        ),
        ("[databas]\n" + DATABASE, "databas: unknown key"),
        (DATABASE + "[api]\nport = true\n", "api.port = True: must be a whole number"),
        (DATABASE + '[api]\nport = "x"\n', "api.port = x: must be a whole number"),
        (
            DATABASE + '[logging]\nformat = "xml"\n',
            "logging.format = xml: must be 'json' or 'console'",
        ),
        (
            DATABASE + '[trading_day]\ntime_zone = "Mars/Base"\n',
            "trading_day.time_zone = Mars/Base: must be a time zone like America/New_York",
        ),
        (
            DATABASE + '[trading_day]\ncalendar = "XMARS"\n',
            (
                "trading_day.calendar = XMARS: "
                "must be a calendar of exchange_calendars, like XNYS, XLON or 24/7"
            ),
        ),
        (
            DATABASE + CLIENT.replace("10.0.0.0/8", "10.0.0.1/8"),
            (
                "clients[0].allowed_addresses[0] = 10.0.0.1/8: must be an address or a network "
                "like 10.1.0.0/16: 10.0.0.1/8 has host bits set"
            ),
        ),
        (
            DATABASE + CLIENT.replace(HASH, "plain text"),
            "clients[0].password_hash: must be an Argon2id hash, as `oms password` prints it",
        ),
        (
            DATABASE + CLIENT + CLIENT.replace('name = "ALPHA"', 'name = "B"'),
            (
                "clients[1].sender_comp_id = US, ALPHA: "
                "our and their comp id must be a pair that no other session has"
            ),
        ),
        (
            DATABASE + VENUE + VENUE.replace('target_comp_id = "XSIM"', 'target_comp_id = "Y"'),
            "venues[1].name = XSIM: must be different from all other names of clients and venues",
        ),
        (
            DATABASE + VENUE + 'ord_types = ["X"]\n',
            "venues[0].ord_types[0] = X: must be one of MARKET, LIMIT, STOP, STOP_LIMIT, PEGGED",
        ),
        (
            DATABASE + VENUE + 'trade_file = "day.csv"\n',
            "venues[0].trade_file = day.csv: must hold {date}",
        ),
        (
            DATABASE + VENUE + INSTRUMENT + 'venues = ["XNONE"]\n',
            "instruments[0].venues = XNONE: must be a configured venue (XSIM)",
        ),
        (
            DATABASE + CLIENT.replace('name = "ALPHA"', 'name = "jobs"'),
            "clients[0].name = jobs: is reserved for commands of the server's own",
        ),
        (
            DATABASE + VENUE.replace('name = "XSIM"', 'name = "System"'),
            "venues[0].name = System: is reserved for commands of the server's own",
        ),
        (DATABASE + INSTRUMENT + INSTRUMENT, "instruments[1].symbol = AAPL: must stand once"),
        (
            DATABASE + KEY,
            "api.keys[0].client = ALPHA: must be a configured client (none is configured)",
        ),
        (
            DATABASE + CLIENT + KEY + 'accounts = ["B-1"]\n',
            "api.keys[0].accounts = B-1: must be an account of ALPHA",
        ),
        (
            DATABASE + KEY.replace('client = "ALPHA"', ""),
            "api.keys[0].client: is missing; a trader's key must name its client",
        ),
        (
            DATABASE + KEY.replace(KEY_HASH, "a key in the clear"),
            "api.keys[0].key_hash: must match ^[0-9a-f]{64}$",
        ),
        (
            DATABASE + '[[risk.limits]]\nrule = "MAX_FUN"\nlevel = "FIRM"\nvalue = "1"\n',
            (
                "risk.limits[0].rule = MAX_FUN: must be one of MAX_ORDER_QTY, MAX_ORDER_NOTIONAL, "
                "PRICE_COLLAR, MAX_POSITION, MAX_MESSAGE_RATE, DUPLICATE_CONTENT"
            ),
        ),
        (
            DATABASE + LIMIT + 'level = "ACCOUNT"\nsubject = "Z"\n',
            "risk.limits[0].subject = Z: must be a configured account of a client",
        ),
        (
            DATABASE + "[acceptor]\nport = 8080\n",
            "api.port = 8080: must not be the port of acceptor.port",
        ),
        (
            DATABASE
            + VENUE
            + 'begin_string = "FIX.4.2"\nabilities = ["CANCEL_IF_NOT_BEST", "MAX_FLOOR"]\n',
            ("venues[0].abilities = CANCEL_IF_NOT_BEST: FIX 4.2 has no ExecInst (18) for it"),
        ),
        (
            DATABASE + VENUE.replace("9001", "9876"),
            "venues[0].port = 9876: must not be the port of acceptor.port of our own",
        ),
    ],
)
def test_one_fault(tmp_path: Path, text: str, fault: str) -> None:
    assert faults(tmp_path, text) == [fault]


def test_a_secret_never_stands_in_a_message_or_a_representation(tmp_path: Path) -> None:
    password = "hunter2"
    path = write(tmp_path, f'[database]\nurl = "postgresql://u:{password}@h/d"\n')
    settings = load(path)
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == f"postgresql://u:{password}@h/d"
    assert password not in repr(settings)
    assert HASH not in repr(load(write(tmp_path, DATABASE + CLIENT)))


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "venue").write_text("open sesame\n")
    (tmp_path / "client").write_text(HASH)
    venue = VENUE + f'username = "us"\npassword_file = "{tmp_path / "venue"}"\n'
    client = CLIENT.replace(
        f'password_hash = "{HASH}"', f'password_hash_file = "{tmp_path / "client"}"'
    )
    settings = load(write(tmp_path, DATABASE + client + venue))
    assert settings.clients[0].password_hash == HASH
    assert settings.venues[0].password is not None
    assert settings.venues[0].password.get_secret_value() == "open sesame"


def test_variables_win_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_API__PORT", "8099")
    monkeypatch.setenv("OMS_TRADING_DAY__CUT_OFF", "17:30")
    settings = load(write(tmp_path, DATABASE + "[api]\nport = 8081\nanswer_wait_ms = 7\n"))
    assert (settings.api.port, settings.api.answer_wait_ms) == (8099, 7)
    assert settings.trading_day.cut_off == time(17, 30)


def test_a_202_is_said_before_http_clients_give_up(tmp_path: Path) -> None:
    """httpx waits 5 s: it would never be told where to ask."""
    assert load(write(tmp_path, DATABASE)).api.answer_wait_ms < 5_000
    assert load(EXAMPLE).api.answer_wait_ms < 5_000


def test_a_variable_chooses_another_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_DATABASE__URL", "postgresql://h/d")
    settings = load(write(tmp_path, DATABASE))
    assert settings.database.data_dir is None


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("OMS_API__PORT", "70000", "api.port = 70000: must be <= 65535"),
        ("OMS_API__PROT", "1", "api.prot: unknown key"),
        ("OMS_VENUES", "[", "OMS_VENUES: must be JSON"),
    ],
)
def test_a_wrong_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(name, value)
    assert faults(tmp_path, DATABASE) == [fault]


def test_a_misspelt_section_in_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_APO__PORT", "1")
    (fault,) = faults(tmp_path, DATABASE)
    assert fault.startswith("OMS_APO__PORT: unknown variable; apo must be one of database, ")


def test_a_file_that_is_not_there_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read: No such file"):
        load(tmp_path / "nothing.toml")
    (fault,) = faults(tmp_path, "[database")
    assert "oms.toml: must be TOML: " in fault


def test_published_secrets_are_refused_beyond_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMS_API__HOST", "10.1.1.1")
    monkeypatch.setenv("OMS_ACCEPTOR__HOST", "10.1.1.1")
    with pytest.raises(ConfigError) as caught:
        load(EXAMPLE)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *(f"api.keys[{n}].key_hash" for n in range(5)),
        "clients[0].password_hash",
        "clients[1].password_hash",
    ]


def test_the_calendars_are_those_of_the_library() -> None:
    assert set(exchange_calendars.get_calendar_names(include_aliases=True)) == CALENDARS


def test_a_client_can_be_called_by_no_name_that_commands_of_our_own_carry(tmp_path: Path) -> None:
    from oms.app.operate import operator
    from oms.domain.commands import JOBS, SYSTEM

    for name in (SYSTEM.counterparty, JOBS.counterparty, operator().counterparty, "api:desk"):
        text = DATABASE + CLIENT.replace('name = "ALPHA"', f'name = "{name}"')
        (fault,) = faults(tmp_path, text)
        assert fault.startswith(f"clients[0].name = {name}: ")
