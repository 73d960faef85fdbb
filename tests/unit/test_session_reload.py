"""What a changed configuration file changes of the sessions, and what the core decides of it."""

from dataclasses import replace
from datetime import time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from oms.app import core
from oms.app.session_changes import (
    SessionChanges,
    changes_between,
    faults_of_changes,
    specs_of,
)
from oms.domain.commands import NewOrderSingle
from oms.domain.effects import (
    ControlSession,
    SessionAction,
)
from oms.domain.events import CommandAnswered, OrderRefused
from oms.domain.fix import OrdType, Side
from oms.domain.origin import Channel, Origin
from oms.domain.reasons import Reason
from oms.domain.schedule import Schedule
from oms.domain.session_commands import ReloadSessions, StartSession
from oms.domain.session_events import SessionHoursBegan, SessionHoursEnded, SessionsReloaded
from oms.runtime.metrics import CoreMetrics
from oms.sessions.differences import reference_after
from oms.settings.load import load
from oms.settings.model import Settings
from oms.settings.reference import reference_of
from tests.support.world import REFERENCE, World, connected, of_type

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"
OTHER_HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$b3RoZXI"
ANNE = Origin(channel=Channel.OPERATOR, counterparty="cli:anne", user="anne")


def client(name: str, more: str = "") -> str:
    return (
        f'[[clients]]\nname = "{name}"\nsender_comp_id = "{name}"\ntarget_comp_id = "US"\n'
        f'password_hash = "{HASH}"\nallowed_addresses = ["127.0.0.1"]\naccounts = ["{name}-1"]\n'
        f"{more}"
    )


def venue(name: str, more: str = "") -> str:
    return (
        f'[[venues]]\nname = "{name}"\nhost = "127.0.0.1"\nport = 7001\nsender_comp_id = "US"\n'
        f'target_comp_id = "{name}"\npassword = "first"\n{more}'
    )


def copy(name: str, more: str = "") -> str:
    return (
        f'[[drop_copies]]\nname = "{name}"\nvenue = "X"\nhost = "127.0.0.1"\nport = 7002\n'
        f'sender_comp_id = "US"\ntarget_comp_id = "{name}"\n{more}'
    )


BASE = '[database]\ndata_dir = "var/db"\n'
ACME = '[[instruments]]\nsymbol = "ACME"\ncurrency = "USD"\ntick = "0.01"\nlot = "1"\n'
CLOSED = '[clients.schedule]\ntime_zone = "UTC"\nstart = 08:00:00\nend = 09:00:00\ndays = ["MON"]\n'


class Files:
    """Settings of texts."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "oms.toml"

    def __call__(self, *tables: str) -> Settings:
        self._path.write_text(BASE + "".join(tables))
        return load(self._path)


@pytest.fixture
def file(tmp_path: Path) -> Files:
    return Files(tmp_path)


def told(changes: SessionChanges) -> tuple[tuple[str, ...], ...]:
    return changes.added, changes.changed, changes.remade, changes.removed, changes.kept


def test_what_is_the_same_changes_nothing(file: Files) -> None:
    running = file(client("A"), venue("X"), copy("DC"), ACME)
    changes = changes_between(running, file(client("A"), venue("X"), copy("DC"), ACME))
    assert told(changes) == ((), (), (), (), ())
    assert changes.settings == running


def test_tables_come_and_go(file: Files) -> None:
    running = file(client("A"), client("B"), venue("X"), venue("Y"))
    wanted = file(client("A"), client("C"), venue("X"), venue("Z"), copy("DC"))
    changes = changes_between(running, wanted)
    assert told(changes) == (("C", "Z", "DC"), (), (), ("B", "Y"), ())
    assert changes.settings == wanted


@pytest.mark.parametrize(
    ("old", "new", "remade"),
    [
        (client("A"), client("A", "allow_reset = true\n"), False),
        (client("A"), client("A").replace(HASH, OTHER_HASH), False),
        (client("A"), client("A").replace("A-1", "A-2"), False),
        (client("A"), client("A").replace("127.0.0.1", "127.0.0.2"), False),
        (client("A"), client("A", "[clients.profile]\npending_acks = false\n"), False),
        (client("A"), client("A", CLOSED), False),
        (client("A"), client("A", 'begin_string = "FIX.4.2"\n'), True),
        (client("A"), client("A").replace('id = "US"', 'id = "WE"'), True),
        (venue("X"), venue("X", "max_messages_per_second = 7\n"), False),
        (venue("X"), venue("X", 'fee_bps = "1"\n'), False),
        (venue("X"), venue("X").replace("7001", "7003"), True),
        (venue("X"), venue("X").replace("first", "second"), True),
        (venue("X"), venue("X", "heart_bt_int_s = 5\n"), True),
        (venue("X"), venue("X", "[venues.tls]\nca_file = 'ca'\n"), True),
        (venue("X"), venue("X", "[venues.profile]\nreset_on_logon = true\n"), True),
        (copy("DC") + venue("X"), copy("DC", "match_window_ms = 5\n") + venue("X"), False),
        (copy("DC") + venue("X"), copy("DC").replace("7002", "7004") + venue("X"), True),
    ],
)
def test_only_what_must_be_is_made_anew(file: Files, old: str, new: str, *, remade: bool) -> None:
    changes = changes_between(file(old), file(new))
    [name] = changes.changed
    assert changes.remade == ((name,) if remade else ())
    assert changes.new == frozenset(changes.remade)
    assert not changes.added
    assert not changes.removed


def test_the_rest_of_the_file_waits_for_a_restart(file: Files) -> None:
    running = file(client("A"), ACME)
    other = ACME.replace("0.01", "0.05")
    wanted = file(client("A"), client("B"), other, "[api]\nport = 8099\n")
    changes = changes_between(running, wanted)
    assert changes.kept == ("api", "instruments")
    assert changes.settings.api == running.api
    assert changes.settings.instruments == running.instruments


def test_where_an_instrument_trades_is_taken_over(file: Files) -> None:
    running = file(venue("X"), venue("Y"), ACME + 'venues = ["X", "Y"]\n')
    wanted = file(venue("Y"), ACME + 'venues = ["Y"]\n')
    changes = changes_between(running, wanted)
    assert changes.kept == ()
    made = reference_after(reference_of(running), reference_of(changes.settings))
    assert made.instruments["ACME"].venues == ("Y",)
    assert set(made.venues) == {"X", "Y"}
    assert made.retired == {"X"}


def test_a_client_that_is_gone_is_retired_until_it_comes_back(file: Files) -> None:
    running = file(client("A"), client("B"))
    without = changes_between(running, file(client("A"))).settings
    gone = reference_after(reference_of(running), reference_of(without))
    assert gone.retired == {"B"}
    assert set(gone.clients) == {"A"}
    assert reference_after(gone, reference_of(without)).retired == {"B"}
    assert reference_after(gone, reference_of(running)).retired == frozenset()


def test_a_new_venue_is_one_for_instruments_that_trade_everywhere(file: Files) -> None:
    running = file(venue("X"), ACME)
    changes = changes_between(running, file(venue("X"), venue("Y"), ACME))
    made = reference_after(reference_of(running), reference_of(changes.settings))
    assert made.instruments["ACME"].venues == ("X", "Y")
    gone = changes_between(changes.settings, running)
    back = reference_after(made, reference_of(gone.settings))
    assert back.instruments["ACME"].venues == ("X",)
    assert back.retired == {"Y"}
    assert reference_after(back, reference_of(changes.settings)).retired == frozenset()


def test_what_needs_a_restart_is_refused(file: Files) -> None:
    running = file(client("A"), venue("X"), venue("Y"), ACME + 'venues = ["Y"]\n')
    owners = {one.quickfix_id: name for name, one in specs_of(running).items()}

    def faults(*tables: str) -> list[str]:
        changes = changes_between(running, file(*tables))
        return list(faults_of_changes(running, changes, owners))

    renamed = client("B").replace('sender_comp_id = "B"', 'sender_comp_id = "A"')
    assert faults(renamed, venue("Y")) == [
        "B: comp ids US, A: were those of A; another name needs a restart"
    ]
    assert faults(client("A"), venue("X")) == [
        "venues of ACME = Y: must stay while the instrument names them"
    ]
    moved = client("X")
    assert faults(client("A"), moved, venue("Y")) == [
        "X: was in another table; that needs a restart"
    ]
    without = file(venue("X"))
    first = changes_between(without, file(client("A"), venue("X")))
    assert list(faults_of_changes(without, first, {})) == [
        "clients: the first one needs a restart, which opens the port for clients"
    ]


def test_a_core_that_begins_to_lead_has_the_sessions_of_now(
    file: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that has logged before keeps the output of then.
    monkeypatch.setattr(core, "log", structlog.get_logger())
    path = tmp_path / "oms.toml"
    started = file(client("A"), "[api]\nport = 8099\n")
    wanted = file(client("A"), client("B"), "[api]\nport = 8098\n")
    found = core.with_sessions_of_now(started, path)
    assert found.clients == wanted.clients
    assert found.api == started.api
    path.write_text("[[clients]")
    with capture_logs() as told:
        assert core.with_sessions_of_now(started, path) is started
    assert [one["event"] for one in told] == ["core.file_refused"]


# What the core decides


BASIC = ReloadSessions(origin=ANNE, reason="ticket 1")


def answer(world: World) -> tuple[bool, str]:
    [found] = of_type(world, CommandAnswered)
    return found.accepted, found.text


def test_the_reference_changes_with_the_event_and_not_before() -> None:
    world = connected()
    alone = replace(REFERENCE, venues={"XA": REFERENCE.venues["XA"]})
    world.state.next_reference = alone
    world.send(replace(BASIC, removed=("XB",), dry_run=True))
    assert answer(world) == (True, "removed: XB")
    assert not of_type(world, SessionsReloaded)
    assert not world.effects
    assert world.state.reference is REFERENCE
    world.send(
        replace(BASIC, removed=("XB",), added=("XC",), changed=("ALPHA", "XA"), remade=("XA",))
    )
    text = "added: XC; changed: ALPHA; logged out and made anew: XA; removed: XB"
    assert answer(world) == (True, text)
    assert of_type(world, SessionsReloaded) == [
        SessionsReloaded(
            user="anne",
            reason="ticket 1",
            added=("XC",),
            changed=("ALPHA", "XA"),
            remade=("XA",),
            removed=("XB",),
        )
    ]
    [effect] = world.effects
    assert isinstance(effect, ControlSession)
    assert effect.action is SessionAction.RELOAD
    assert world.state.reference is alone
    assert world.state.next_reference is None
    assert world.replayed() == world.state


def test_what_is_not_as_it_should_be_is_refused() -> None:
    world = connected()
    world.send(replace(BASIC, fault="venues[0].port = 0: must be >= 1"))
    assert answer(world) == (False, "venues[0].port = 0: must be >= 1")
    world.send(replace(BASIC, reason=" "))
    assert answer(world) == (False, "reason: must not be empty; it stands in the audit trail")
    world.send(replace(BASIC, kept=("api",)))
    assert answer(world) == (True, "the sessions are as the file says; not before a restart: api")


def test_open_orders_keep_a_venue_and_want_force_for_a_client() -> None:
    world = connected()
    world.new("1")
    child = world.child("1")
    world.ack(child)
    world.send(replace(BASIC, removed=(child.session,), force=True))
    accepted, text = answer(world)
    assert not accepted
    assert text.startswith(f"{child.session}: cannot be removed with 1 open orders at it")
    world.send(replace(BASIC, removed=("ALPHA",)))
    accepted, text = answer(world)
    assert not accepted
    assert text.startswith("ALPHA: has 1 open orders (")
    without = replace(REFERENCE, clients={"BETA": REFERENCE.clients["BETA"]})
    world.state.next_reference = without
    world.send(replace(BASIC, removed=("ALPHA",), force=True))
    assert answer(world) == (True, "removed: ALPHA (1 open orders at risk)")
    world.fill(child, "100")
    assert world.order("1").cum_qty == 100


def test_a_removed_client_sends_no_more_orders_by_rest() -> None:
    world = connected()
    world.state.next_reference = replace(
        REFERENCE, clients={"BETA": REFERENCE.clients["BETA"]}, retired=frozenset({"ALPHA"})
    )
    world.send(replace(BASIC, removed=("ALPHA",)))
    order = NewOrderSingle(
        origin=Origin(channel=Channel.REST, counterparty="ALPHA", accounts=("A1",)),
        cl_ord_id="9",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.MARKET,
    )
    world.send(order)
    [refused] = of_type(world, OrderRefused)
    assert refused.reason is Reason.ACCOUNT_NOT_PERMITTED


def test_a_retired_venue_is_understood_and_not_routed_to() -> None:
    world = connected()
    instruments = {
        name: replace(one, venues=("XA",)) for name, one in REFERENCE.instruments.items()
    }
    world.state.next_reference = replace(
        REFERENCE, instruments=instruments, retired=frozenset({"XB"})
    )
    world.send(replace(BASIC, removed=("XB",)))
    world.new("1")
    assert world.child("1").session == "XA"
    world.disconnect("XB")
    world.send(StartSession(origin=ANNE, session="XB", reason="ticket 2"))
    accepted, text = answer(world)
    assert not accepted
    assert text == "session = XB: must be one of ALPHA, BETA, XA"


def test_hours_of_a_new_schedule_hold_before_the_session_opens() -> None:
    world = World()
    weekend = Schedule(
        time_zone=ZoneInfo("UTC"),
        start=time(8),
        end=time(9),
        days=frozenset({5}),
    )
    world.state.next_reference = replace(REFERENCE, schedules={"ALPHA": weekend})
    world.send(replace(BASIC, changed=("ALPHA",)))
    assert of_type(world, SessionHoursEnded) == [SessionHoursEnded(session="ALPHA")]
    world.state.next_reference = REFERENCE
    world.send(replace(BASIC, changed=("ALPHA",)))
    assert of_type(world, SessionHoursBegan) == [SessionHoursBegan(session="ALPHA")]


def test_sessions_that_are_gone_have_no_gauges() -> None:
    registry = CollectorRegistry()
    metrics = CoreMetrics(registry)
    world = connected()
    metrics.configured(["XA", "XB"])
    metrics.refresh(world.state)
    up = "plumbline_session_up"
    assert registry.get_sample_value(up, {"session": "XB"}) == 1
    metrics.configured(["XA", "XC"])
    metrics.refresh(world.state)
    left = {one: registry.get_sample_value(up, {"session": one}) for one in ("XA", "XB", "XC")}
    assert left == {"XA": 1, "XB": None, "XC": 0}
