"""Where a soak happens: directories, addresses, ports, and the configuration of its parts."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import LightSettings
from oms.app.free_ports import free_port
from oms.settings.load import load
from oms.settings.model import Settings

COMP_ID = "PLUMBLINE"
CLIENTS: Mapping[str, tuple[str, ...]] = {
    "ALPHA": ("A1", "A2"),
    "BETA": ("B1",),
    "GAMMA": ("G1",),
}
VENUES = ("XA", "XB")
# What the simulator's clients trade, and where.
LISTINGS: Mapping[str, tuple[str, ...]] = {"AAPL": ("XA", "XB"), "MSFT": ("XB",)}
HEARTBEAT_S = 5
_LIMITS = {
    "MAX_ORDER_QTY": "200",
    "MAX_ORDER_NOTIONAL": "20000",
    "PRICE_COLLAR": "1000",
    "MAX_POSITION": "20000",
    "MAX_MESSAGE_RATE": "5000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything of one run that its processes must agree on.

    disk: what is filled up and freed. server: where the server listens; entrance: where clients
    find it; venues: where venues listen, exits: where the server finds them. controls: the venues'
    fault switches. The pairs differ where a relay of ours stands in between. api_keys: by client.
    """

    home: Path
    disk: Path
    server: Place
    entrance: Place
    venues: Mapping[str, Place]
    exits: Mapping[str, Place]
    controls: Mapping[str, int]
    api: Place
    jobs_port: int
    seed: int
    password: str = field(repr=False)
    api_keys: Mapping[str, str] = field(repr=False)

    @property
    def config(self) -> Path:
        return self.home / "oms.toml"

    @property
    def venue_config(self) -> Path:
        """The venues' own: they listen where the server is not sent directly."""
        return self.home / "venues.toml"

    @property
    def postgres_dir(self) -> Path:
        return self.disk / "postgres"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def log(self, name: str) -> Path:
        """Where what a process says is kept."""
        return self.logs / f"{name}.log"

    def tape(self, client: str) -> Path:
        """What a client has sent and heard."""
        return self.home / "tapes" / f"{client}.jsonl"

    @property
    def client_plan(self) -> Path:
        return self.home / "clients.json"

    def settings(self) -> Settings:
        """As the server reads them."""
        return load(self.config)

    def client_settings(self, name: str) -> LightSettings:
        """A client's side of its session."""
        return LightSettings(
            sender_comp_id=name,
            target_comp_id=COMP_ID,
            username=name,
            password=self.password,
            heartbeat_s=HEARTBEAT_S,
        )


def draw_ports() -> tuple[int, ...]:
    """For the server, the API, the jobs, and for each venue and its switches."""
    return tuple(free_port() for _ in range(3 + 2 * len(VENUES)))


def furnish(site: Site) -> None:
    """Make the directories and write the configuration."""
    site.logs.mkdir(parents=True)
    site.tape("any").parent.mkdir()
    (site.home / "exchange").mkdir()
    site.disk.mkdir(exist_ok=True)
    hashed = hash_password(site.password)
    for path, places in ((site.config, site.exits), (site.venue_config, site.venues)):
        path.write_text(_configuration(site, places, hashed), encoding="utf-8")
        path.chmod(0o600)


def new_password() -> str:
    """Of all clients of one run."""
    return secrets.token_hex(12)


def new_api_keys() -> dict[str, str]:
    """Of the people of each client."""
    return {name: secrets.token_hex(32) for name in CLIENTS}


def _configuration(site: Site, venues: Mapping[str, Place], password_hash: str) -> str:
    tables = [
        _table("[database]", data_dir=str(site.postgres_dir)),
        _table("[core]", data_dir=str(site.disk / "core"), metrics_port=0),
        _table("[acceptor]", host=site.server.host, port=site.server.port),
        _table("[api]", host=site.api.host, port=site.api.port),
        _table("[jobs]", metrics_port=site.jobs_port),
        "[trading_day]\ncut_off = 23:59:59\nend_of_day = 23:59:58\n",
        _table("[logging]", level="info", format="json"),
    ]
    tables += [*_keys(site.api_keys), *_clients(password_hash)]
    tables += [*_venues(venues), *_instruments()]
    tables += [
        _table("[[risk.limits]]", rule=rule, level="FIRM", subject="*", value=value)
        for rule, value in _LIMITS.items()
    ]
    return "\n".join(tables)


def _keys(api_keys: Mapping[str, str]) -> list[str]:
    return [
        _table(
            "[[api.keys]]",
            name=f"{name.lower()}-desk",
            key_hash=sha256(key.encode()).hexdigest(),
            role="trader",
            client=name,
        )
        for name, key in api_keys.items()
    ]


def _clients(password_hash: str) -> list[str]:
    return [
        _table(
            "[[clients]]",
            name=name,
            sender_comp_id=name,
            target_comp_id=COMP_ID,
            username=name,
            password_hash=password_hash,
            allowed_addresses=["127.0.0.1", "10.0.0.0/8"],
            accounts=list(accounts),
        )
        for name, accounts in CLIENTS.items()
    ]


def _venues(places: Mapping[str, Place]) -> list[str]:
    return [
        _table(
            "[[venues]]",
            name=name,
            host=place.host,
            port=place.port,
            sender_comp_id=COMP_ID,
            target_comp_id=name,
            fee_bps=f"0.{index + 1}",
            ack_timeout_ms=1_500,
            heart_bt_int_s=HEARTBEAT_S,
        )
        for index, (name, place) in enumerate(places.items())
    ]


def _instruments() -> list[str]:
    return [
        _table(
            "[[instruments]]",
            symbol=symbol,
            currency="USD",
            tick="0.01",
            lot="1",
            venues=list(where),
            reference_px="100",
        )
        for symbol, where in LISTINGS.items()
    ]


def _table(head: str, **values: str | int | list[str]) -> str:
    # What JSON writes for text, whole numbers and lists of text is TOML as well.
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([head, *lines, ""])
