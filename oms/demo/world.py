"""The demo's world: who trades what where, on which ports, with which keys; and its configuration.

Ports, passwords and keys are made anew for each run; who and what there is does not change.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from fix_sessions.credentials import hash_password
from oms.app.free_ports import free_port

HOST = "127.0.0.1"
COMP_ID = "PLUMBLINE"
VENUES = ("XSIM1", "XSIM2", "XSIM3")
ACCOUNTS = {
    "ALPHA-1": "ALPHA",
    "ALPHA-2": "ALPHA",
    "BETA-1": "BETA",
    "BETA-2": "BETA",
    "GAMMA-1": "GAMMA",
    "GAMMA-2": "GAMMA",
}
CLIENTS = tuple(sorted(set(ACCOUNTS.values())))
GUEST = "GUEST"
MAX_ORDER_QTY = Decimal(5_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One instrument of the demo."""

    symbol: str
    reference_px: Decimal
    tick: Decimal = Decimal("0.01")
    currency: str = "USD"
    venues: tuple[str, ...] = VENUES


def _listing(symbol: str, px: str, tick: str = "0.01", currency: str = "USD") -> Listing:
    venues = VENUES if currency == "USD" else VENUES[:2]
    return Listing(
        symbol=symbol,
        reference_px=Decimal(px),
        tick=Decimal(tick),
        currency=currency,
        venues=venues,
    )


LISTINGS = (
    _listing("AAPL", "227.50"),
    _listing("MSFT", "418.20"),
    _listing("NVDA", "141.10"),
    _listing("AMZN", "202.60"),
    _listing("GOOG", "177.30"),
    _listing("META", "561.40"),
    _listing("JPM", "243.80"),
    _listing("XOM", "119.60"),
    _listing("PG", "171.20"),
    _listing("KO", "63.40"),
    _listing("JNJ", "153.90"),
    _listing("BAC", "46.70"),
    _listing("DIS", "114.30"),
    _listing("CSCO", "57.60"),
    _listing("INTC", "24.40"),
    _listing("PFE", "25.10"),
    _listing("VOD", "0.7012", "0.0001", "GBP"),
    _listing("BARC", "2.5740", "0.0001", "GBP"),
    _listing("SAP", "220.40", "0.02", "EUR"),
    _listing("ASML", "645.3", "0.1", "EUR"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePorts:
    """Where a venue speaks FIX, and where its fault switches are."""

    fix: int
    control: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything of one run that its processes must agree on. keys: API keys by their names."""

    home: Path
    accounts: Mapping[str, str]
    listings: Sequence[Listing]
    fix_port: int
    api_port: int
    core_metrics_port: int
    jobs_metrics_port: int
    venues: Mapping[str, VenuePorts]
    password: str = field(repr=False)
    keys: Mapping[str, str] = field(repr=False)

    @property
    def config(self) -> Path:
        return self.home / "oms.toml"

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    @property
    def postgres_dir(self) -> Path:
        return self.home / "postgres"

    @property
    def trade_file_dir(self) -> Path:
        return self.home / "trade-files"

    def log(self, name: str) -> Path:
        """Where what a process says is kept."""
        return self.home / "logs" / f"{name}.log"


def make_world(
    home: Path, *, accounts: Mapping[str, str] = ACCOUNTS, listings: Sequence[Listing] = LISTINGS
) -> World:
    """A world in `home`, an empty directory, with its configuration written there."""
    ports = (free_port() for _ in range(4 + 2 * len(VENUES)))
    world = World(
        home=home.resolve(),
        accounts=accounts,
        listings=listings,
        fix_port=next(ports),
        api_port=next(ports),
        core_metrics_port=next(ports),
        jobs_metrics_port=next(ports),
        venues={name: VenuePorts(fix=next(ports), control=next(ports)) for name in VENUES},
        password=secrets.token_hex(12),
        keys={name: secrets.token_hex(32) for name in (*CLIENTS, GUEST, "operations", "admin")},
    )
    world.log("any").parent.mkdir(parents=True)
    world.trade_file_dir.mkdir()
    world.config.write_text(configuration(world), encoding="utf-8")
    world.config.chmod(0o600)
    return world


def configuration(world: World) -> str:
    """The server's and the venues' configuration, as TOML."""
    home = world.home
    tables = [
        _table("[database]", data_dir=str(world.postgres_dir)),
        _table("[core]", data_dir=str(home / "core"), metrics_port=world.core_metrics_port),
        _table("[acceptor]", host=HOST, port=world.fix_port),
        _table("[api]", host=HOST, port=world.api_port, answer_wait_ms=2_000),
        _table("[jobs]", metrics_port=world.jobs_metrics_port),
        # One day from one midnight to the next: the venues' files are of UTC dates too.
        "[trading_day]\ncut_off = 23:59:59\nend_of_day = 23:59:58\n",
        _table("[logging]", level="info", format="json"),
        *_clients(world),
        *_venues(world),
        *_instruments(world),
        *_limits(),
        *_keys(world),
    ]
    return "\n".join(tables)


def _clients(world: World) -> list[str]:
    password_hash = hash_password(world.password)
    tables = []
    for client in (*CLIENTS, GUEST):
        accounts = [account for account, owner in world.accounts.items() if owner == client]
        tables.append(
            _table(
                "[[clients]]",
                name=client,
                sender_comp_id=client,
                target_comp_id=COMP_ID,
                username=client.lower(),
                password_hash=password_hash,
                allowed_addresses=[HOST],
                accounts=accounts or [f"{client}-1"],
            )
        )
    return tables


def _venues(world: World) -> list[str]:
    return [
        _table(
            "[[venues]]",
            name=name,
            host=HOST,
            port=ports.fix,
            sender_comp_id=COMP_ID,
            target_comp_id=name,
            fee_bps=f"0.{3 - index}",
            ack_timeout_ms=1_500,
            heart_bt_int_s=10,
            trade_file_dir=str(world.trade_file_dir),
        )
        for index, (name, ports) in enumerate(world.venues.items())
    ]


def _instruments(world: World) -> list[str]:
    return [
        _table(
            "[[instruments]]",
            symbol=one.symbol,
            currency=one.currency,
            tick=str(one.tick),
            lot="1",
            venues=list(one.venues),
            reference_px=str(one.reference_px),
        )
        for one in world.listings
    ]


def _limits() -> list[str]:
    values = {
        "MAX_ORDER_QTY": str(MAX_ORDER_QTY),
        "MAX_ORDER_NOTIONAL": "20000000",
        "PRICE_COLLAR": "1000",
        "MAX_POSITION": "1000000",
        "MAX_MESSAGE_RATE": "5000",
    }
    return [
        _table("[[risk.limits]]", rule=rule, level="FIRM", subject="*", value=value)
        for rule, value in values.items()
    ]


def _keys(world: World) -> list[str]:
    tables = []
    for name, key in world.keys.items():
        key_hash = sha256(key.encode()).hexdigest()
        if name in {"operations", "admin"}:
            tables.append(_table("[[api.keys]]", name=name, key_hash=key_hash, role=name))
        else:
            values = {"name": name.lower(), "key_hash": key_hash, "role": "trader", "client": name}
            tables.append(_table("[[api.keys]]", **values))
    return tables


def _table(head: str, **values: str | int | list[str]) -> str:
    # What JSON writes for text, whole numbers and lists of text is TOML as well.
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([head, *lines, ""])
