"""What one simulated venue is, as its process takes it; from plain values, each one checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from ems.simulator.model import LiquiditySettings, SymbolSettings, VenueSettings
from fix_sessions.dialects import BEGIN_STRINGS
from fix_sessions.tls_files import ServerFiles, TlsFileError, server_context
from oms.domain.values import ZERO, ValueRefused, parse_decimal


class ExchangeConfigError(ValueError):
    """A value that cannot be used; names the key, the value and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeConfig:
    """One venue. Ports: 0 takes a free one; both are printed once the venue is ready.

    `data_dir` holds the command log and the FIX session numbers. A log belongs to one seed, set of
    symbols and liquidity: they decide what a replay makes of it, so they may not change under it.
    `drop_copies` are sessions that are told of trades only, each with the counterparty whose.
    `tls`: what `host` and `port` speak TLS with; without it they speak plain FIX.
    """

    name: str
    sender_comp_id: str
    target_comp_ids: tuple[str, ...]
    data_dir: Path
    symbols: tuple[SymbolSettings, ...]
    drop_copies: Mapping[str, str] = field(default_factory=dict)
    begin_string: str = "FIX.4.4"
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    seed: int = 1
    liquidity: LiquiditySettings = field(default_factory=LiquiditySettings)
    walk_interval_ms: int = 0
    market_data_interval_ms: int = 5
    trade_file_dir: Path | None = None
    trade_file: str = "{venue}-{date}.csv"
    order_file: str = "{venue}-{date}-orders.csv"
    torn_tail: Literal["drop", "refuse"] = "drop"
    heart_bt_int_s: int = 30
    tls: ServerFiles | None = None

    @property
    def venue_settings(self) -> VenueSettings:
        return VenueSettings(symbols=self.symbols, liquidity=self.liquidity)

    @property
    def files_dir(self) -> Path:
        """Where the end-of-day files go: trade_file_dir, else `files` in data_dir."""
        return self.trade_file_dir or self.data_dir / "files"

    def day_file(self, pattern: str, day: date) -> Path:
        """The path of one of the files: {venue} is the name, {date} YYYY-MM-DD."""
        return self.files_dir / pattern.format(venue=self.name, date=day.isoformat())


_TEXTS: Final = (
    *("name", "sender_comp_id", "begin_string", "host", "data_dir", "trade_file_dir"),
    *("trade_file", "order_file", "torn_tail"),
)


def config_from(values: Mapping[str, Any]) -> ExchangeConfig:
    """The configuration from plain values, as TOML or JSON give them.

    `symbols` is a list of tables (symbol, reference_price, tick, lot), `liquidity` a table;
    decimals are text or whole numbers. Raises ExchangeConfigError.
    """
    known = {item.name for item in fields(ExchangeConfig)}
    for key in values:
        if key not in known:
            raise ExchangeConfigError(f"{key}: unknown; known are {', '.join(sorted(known))}")
    for key in ("name", "sender_comp_id", "target_comp_ids", "data_dir", "symbols"):
        if not values.get(key):
            raise ExchangeConfigError(f"{key}: missing or empty")
    _refuse_kinds(values)
    made = dict(values)
    made["target_comp_ids"] = tuple(_texts("target_comp_ids", values["target_comp_ids"]))
    for copy, whose in values.get("drop_copies", {}).items():
        if copy in made["target_comp_ids"] or whose not in made["target_comp_ids"]:
            rule = "must be none of target_comp_ids, and of one of them"
            raise ExchangeConfigError(f"drop_copies.{copy}: {whose!r}: {rule}")
    made["data_dir"] = Path(values["data_dir"])
    if values.get("trade_file_dir") is not None:
        made["trade_file_dir"] = Path(values["trade_file_dir"])
    made["symbols"] = tuple(_symbol(item) for item in values["symbols"])
    if values.get("tls") is not None:
        made["tls"] = _tls(values["tls"])
    if "liquidity" in values:
        made["liquidity"] = _liquidity(values["liquidity"])
    config = ExchangeConfig(**made)
    _check(config)
    return config


def _refuse_kinds(values: Mapping[str, Any]) -> None:
    """What is no text, table or list where one is needed."""
    for key in _TEXTS:
        value = values.get(key, "x")
        optional = value is None and key == "trade_file_dir"
        text = str(value) if isinstance(value, str | Path) else ""
        if not optional and not (text.strip() and text.isprintable()):
            raise ExchangeConfigError(f"{key}: {value!r}: must be a text that can be printed")
    for key in ("drop_copies", "liquidity", "tls"):
        value = values.get(key, {})
        if not isinstance(value, Mapping) and not (value is None and key == "tls"):
            raise ExchangeConfigError(f"{key}: {value!r}: must be a table")
    symbols = values["symbols"]
    if isinstance(symbols, str) or not isinstance(symbols, Sequence):
        raise ExchangeConfigError(f"symbols: {symbols!r}: must be a list of tables")
    for one in symbols:
        if not isinstance(one, Mapping):
            raise ExchangeConfigError(f"symbols: {one!r}: must be a table")


def _check(config: ExchangeConfig) -> None:
    names = [item.symbol for item in config.symbols]
    if len(set(names)) != len(names):
        raise ExchangeConfigError(f"symbols: {names}: each may stand once")
    if config.begin_string not in BEGIN_STRINGS:
        rule = f"must be one of {', '.join(BEGIN_STRINGS)}"
        raise ExchangeConfigError(f"begin_string: {config.begin_string!r}: {rule}")
    for key in ("port", "control_port"):
        value = getattr(config, key)
        if type(value) is not int or not 0 <= value <= 65535:
            raise ExchangeConfigError(f"{key}: {value!r}: must be 0 to 65535")
    for key in ("seed", "walk_interval_ms", "market_data_interval_ms", "heart_bt_int_s"):
        value = getattr(config, key)
        if type(value) is not int or value < 0:
            raise ExchangeConfigError(f"{key}: {value!r}: must be a whole number, 0 or more")
    for key in ("trade_file", "order_file"):
        pattern = getattr(config, key)
        rest = str(pattern).replace("{venue}", "").replace("{date}", "")
        if "{date}" not in str(pattern) or set(rest) & set("{}/"):
            raise ExchangeConfigError(f"{key}: {pattern!r}: must be a file name with {{date}}")
    if config.trade_file == config.order_file:
        raise ExchangeConfigError(f"order_file: {config.order_file!r}: is trade_file's too")
    if config.torn_tail not in {"drop", "refuse"}:
        raise ExchangeConfigError(f"torn_tail: {config.torn_tail!r}: must be drop or refuse")
    if not config.name.isidentifier() and not config.name.replace("-", "").isalnum():
        raise ExchangeConfigError(f"name: {config.name!r}: must be letters, digits and dashes")


def _texts(key: str, value: object) -> Sequence[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ExchangeConfigError(f"{key}: {value!r}: must be a list of texts")
    for item in value:
        if not isinstance(item, str) or not item.strip() or not item.isprintable():
            raise ExchangeConfigError(f"{key}: {item!r}: must be a text that can be printed")
    return value


def _symbol(values: Mapping[str, Any]) -> SymbolSettings:
    name = values.get("symbol")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ExchangeConfigError(f"symbols.symbol: {name!r}: must be a text that can be printed")
    made: dict[str, Decimal] = {}
    for key in ("reference_price", "tick", "lot"):
        if key not in values and key != "reference_price":
            continue
        value = values.get(key)
        try:
            number = parse_decimal(str(value)) if isinstance(value, str | int) else ZERO
        except ValueRefused:
            number = ZERO
        if number <= 0:
            rule = "must be a number above 0, as text"
            raise ExchangeConfigError(f"symbols.{name}.{key}: {value!r}: {rule}")
        made[key] = number
    return SymbolSettings(symbol=name, **made)


def _tls(values: Mapping[str, Any]) -> ServerFiles:
    try:
        files = ServerFiles(**values)
        server_context(files)
    except (TypeError, TlsFileError) as error:
        raise ExchangeConfigError(f"tls.{error}") from None
    return files


def _liquidity(values: Mapping[str, Any]) -> LiquiditySettings:
    known = {item.name: item.type for item in fields(LiquiditySettings)}
    for key, value in values.items():
        if key not in known:
            raise ExchangeConfigError(f"liquidity.{key}: unknown")
        wanted = bool if key == "replenish" else int
        if type(value) is not wanted or value < 0:
            rule = "true or false" if wanted is bool else "a whole number, 0 or more"
            raise ExchangeConfigError(f"liquidity.{key}: {value!r}: must be {rule}")
    made = LiquiditySettings(**values)
    if made.min_lots > made.max_lots or made.min_lots < 1:
        raise ExchangeConfigError(
            f"liquidity.min_lots: {made.min_lots}: must be 1 to max_lots ({made.max_lots})"
        )
    return made
