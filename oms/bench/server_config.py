"""The configuration of the server under test, as the TOML that it reads."""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """What the bench settles of the server. No risk limits: their figures would limit the load."""

    data_dir: Path
    comp_id: str
    fix_port: int
    api_port: int
    metrics_port: int
    clients: tuple[str, ...]
    account: str
    password_hash: str = field(repr=False)
    api_key_hash: str = field(repr=False)
    venue_comp_id: str
    venue_port: int
    symbols: tuple[str, ...]


def server_config(config: ServerConfig) -> str:
    """The file's text: clients named as their comp ids, one venue, the API key of one trader."""
    tables = [
        _table("[database]", data_dir=str(config.data_dir / "postgres")),
        _table("[core]", data_dir=str(config.data_dir / "core"), metrics_port=config.metrics_port),
        _table("[acceptor]", host="127.0.0.1", port=config.fix_port),
        _table("[api]", host="127.0.0.1", port=config.api_port),
        _table("[logging]", level="warning"),
    ]
    tables += [
        _table(
            "[[clients]]",
            name=client,
            sender_comp_id=client,
            target_comp_id=config.comp_id,
            username=client,
            password_hash=config.password_hash,
            allowed_addresses=["127.0.0.1"],
            accounts=[config.account],
        )
        for client in config.clients
    ]
    tables.append(
        _table(
            "[[venues]]",
            name=config.venue_comp_id,
            host="127.0.0.1",
            port=config.venue_port,
            sender_comp_id=config.comp_id,
            target_comp_id=config.venue_comp_id,
            ack_timeout_ms=60_000,
        )
    )
    tables += [
        _table("[[instruments]]", symbol=symbol, currency="USD", tick="0.01", lot="1")
        for symbol in config.symbols
    ]
    tables.append(
        _table(
            "[[api.keys]]",
            name="bench",
            key_hash=config.api_key_hash,
            role="trader",
            client=config.clients[0],
        )
    )
    return "\n".join(tables)


def _table(head: str, **values: str | int | list[str]) -> str:
    # What JSON writes for text, whole numbers and lists of text is TOML as well.
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([head, *lines, ""])
