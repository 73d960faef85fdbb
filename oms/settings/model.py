"""The configuration's shape: one class for each table of the TOML file; see config/oms.toml."""

from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from oms.domain.conditions import PLAIN_TIMES, PLAIN_TYPES
from oms.domain.values import ZERO
from oms.settings.drop_copies import DropCopySettings
from oms.settings.profiles import ClientProfileSettings, VenueProfileSettings
from oms.settings.schedule import ScheduleSettings
from oms.settings.tls import AcceptorTlsSettings, Fingerprint, VenueTlsSettings
from oms.settings.values import (
    AbilityName,
    Account,
    Argon2Id,
    Calendar,
    CompId,
    Credential,
    Currency,
    FilePattern,
    Host,
    ListenPort,
    LocalTime,
    Name,
    Network,
    NotNegative,
    OptionalAccount,
    OptionalFilePattern,
    OrdTypeName,
    Place,
    Port,
    Positive,
    Rate,
    SecretCredential,
    Section,
    Symbol,
    TimeInForceName,
    TimeZone,
    Whole,
    with_secret,
)

BeginString = Literal["FIX.4.2", "FIX.4.4", "FIXT.1.1"]
"""FIXT.1.1 carries FIX 5.0 SP2: DefaultApplVerID (1137) is 9."""


class DatabaseSettings(Section):
    """Exactly one of url, url_file and data_dir. data_dir: a PostgreSQL of our own, started there.

    url: libpq's form, the role of the application. owner_url: the role that owns the tables and
    migrates them; url where it is absent. bin_dir: PostgreSQL's programs for data_dir.
    """

    url: SecretStr | None = None
    url_file: Place | None = None
    owner_url: SecretStr | None = None
    owner_url_file: Place | None = None
    data_dir: Place | None = None
    bin_dir: Place | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, data: Any) -> Any:
        for key in ("url", "owner_url"):
            data = with_secret(data, key)
        return data

    @field_validator("url", "owner_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return url

    @model_validator(mode="after")
    def _one_place(self) -> "DatabaseSettings":
        if (self.url is None) == (self.data_dir is None):
            raise ValueError("must hold either url (or url_file) or data_dir")
        return self


class CoreSettings(Section):
    """shard: cores of one shard compete for one leadership. leader_wait_s: 0 waits for ever.

    awake_us: how long the order path's processes look for more to do before they sleep.
    """

    shard: Name = "main"
    data_dir: Place = Path("var/core")
    metrics_host: Host = "127.0.0.1"
    metrics_port: ListenPort = 9101
    leader_wait_s: Annotated[Whole, Field(ge=0, le=31_536_000)] = 0
    awake_us: Annotated[Whole, Field(ge=0, le=100_000)] = 3_000


class AcceptorSettings(Section):
    """Where clients' FIX sessions come in. plain: whether host and port take them without TLS."""

    host: Host = "127.0.0.1"
    port: ListenPort = 9876
    plain: bool = True
    tls: AcceptorTlsSettings | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> "AcceptorSettings":
        if not self.plain and self.tls is None:
            raise ValueError("plain = false: needs a table tls, else nobody could connect")
        return self


class ClientSettings(Section):
    """One counterparty that sends orders. sender_comp_id is theirs, target_comp_id ours.

    username: what Username (553) must say; sender_comp_id where empty. allow_reset: whether its
    Logon may carry ResetSeqNumFlag (141) = Y. schedule: when its session is open; absent: always.
    tls_only: whether a Logon without TLS is refused; tls_subject (its certificate's common name or
    a DNS name of it) and tls_fingerprints (any of these) ask for a certificate of its own besides.
    """

    name: Name
    sender_comp_id: CompId
    target_comp_id: CompId
    begin_string: BeginString = "FIX.4.4"
    username: Credential = ""
    password_hash: Argon2Id = Field(repr=False)
    password_hash_file: Place | None = None
    allowed_addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    accounts: Annotated[tuple[Account, ...], Field(min_length=1)]
    allow_reset: bool = False
    tls_only: bool = False
    tls_subject: Credential = ""
    tls_fingerprints: tuple[Fingerprint, ...] = ()
    schedule: ScheduleSettings | None = None
    profile: ClientProfileSettings = ClientProfileSettings()

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        return with_secret(data, "password_hash")


class VenueSettings(Section):
    """One place that we route to. sender_comp_id is ours, target_comp_id the venue's.

    fee_bps: for taking liquidity, of the notional. max_messages_per_second: 0 is no throttle.
    trade_file, order_file: the names of the day's files in trade_file_dir; order_file "": it sends
    no file of orders. schedule: when its session is open; absent: always. tls: absent: none.
    """

    name: Name
    host: Host
    port: Port
    tls: VenueTlsSettings | None = None
    sender_comp_id: CompId
    target_comp_id: CompId
    begin_string: BeginString = "FIX.4.4"
    username: Credential = ""
    password: SecretCredential | None = None
    password_file: Place | None = None
    fee_bps: NotNegative = ZERO
    ord_types: Annotated[tuple[OrdTypeName, ...], Field(min_length=1)] = tuple(sorted(PLAIN_TYPES))
    times_in_force: Annotated[tuple[TimeInForceName, ...], Field(min_length=1)] = tuple(
        sorted(PLAIN_TIMES)
    )
    abilities: tuple[AbilityName, ...] = ()
    max_messages_per_second: Rate = 0
    ack_timeout_ms: Annotated[Whole, Field(ge=1, le=86_400_000)] = 5_000
    heart_bt_int_s: Annotated[Whole, Field(ge=1, le=3_600)] = 30
    calendar: Calendar = "24/7"
    trade_file_dir: Place | None = None
    trade_file: FilePattern = "{venue}-{date}.csv"
    order_file: OptionalFilePattern = "{venue}-{date}-orders.csv"
    schedule: ScheduleSettings | None = None
    profile: VenueProfileSettings = VenueProfileSettings()

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        return with_secret(data, "password")

    def trade_file_of(self, trade_date: str) -> Path | None:
        """Where the venue's trade file of that date (ISO) is expected; None: it sends none."""
        if self.trade_file_dir is None:
            return None
        return self.trade_file_dir / self.trade_file.format(venue=self.name, date=trade_date)

    def order_file_of(self, trade_date: str) -> Path | None:
        """Where the venue's file of orders of that date (ISO) is expected; None: it sends none."""
        if self.trade_file_dir is None or not self.order_file:
            return None
        return self.trade_file_dir / self.order_file.format(venue=self.name, date=trade_date)


SessionSettings = ClientSettings | VenueSettings | DropCopySettings
"""What has a FIX session."""


class InstrumentSettings(Section):
    """One tradable symbol. venues: where, best first when there is no quote; empty: everywhere."""

    symbol: Symbol
    currency: Currency
    tick: Positive
    lot: Positive
    security_type: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")] = "CS"
    venues: tuple[Name, ...] = ()
    reference_px: Positive | None = None
    tradable: bool = True


class RiskLimitSettings(Section):
    """One limit as the first start of a database sets it; later changes are commands."""

    rule: Annotated[str, Field(pattern=r"^[A-Z][A-Z_]*$")]
    level: Annotated[str, Field(pattern=r"^[A-Z][A-Z_]*$")]
    subject: Account = "*"
    value: NotNegative


class RiskSettings(Section):
    """[[risk.limits]]."""

    limits: tuple[RiskLimitSettings, ...] = ()


class Role(StrEnum):
    """What the holder of an API key may do; each can read what it may see."""

    TRADER = "trader"
    OPERATIONS = "operations"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


class ApiKeySettings(Section):
    """One API key, by its SHA-256 in hexadecimal.

    The key is 32 random bytes that `oms key` prints once: nobody can try 2**256 of them, so the
    slow hash that protects a password chosen by a human would only slow down every request.
    client: whose orders it may handle, for a trader. accounts: empty means all of the client's.
    """

    name: Name
    key_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    role: Role
    client: OptionalAccount = ""
    accounts: tuple[Account, ...] = ()


class ApiSettings(Section):
    """answer_wait_ms: how long a submission waits for the core before it answers 202; by default
    less than the 5 s after which httpx and others give up, so that they are told where to ask.
    """

    host: Host = "127.0.0.1"
    port: ListenPort = 8080
    answer_wait_ms: Annotated[Whole, Field(ge=0, le=60_000)] = 3_000
    keys: tuple[ApiKeySettings, ...] = ()


class JobsSettings(Section):
    """The scheduler's process."""

    metrics_host: Host = "127.0.0.1"
    metrics_port: ListenPort = 9102


class TradingDaySettings(Section):
    """Local times. cut_off: from then on it is the next session's trading date.

    end_of_day: when the day is closed and reconciled, on the calendar's sessions.
    """

    calendar: Calendar = "24/7"
    time_zone: TimeZone = "UTC"
    cut_off: LocalTime = time(23, 0)
    end_of_day: LocalTime = time(22, 30)


class LoggingSettings(Section):
    """How the processes log, to standard error."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """The whole configuration. Variables win over the file: OMS_API__PORT is [api] port."""

    model_config = SettingsConfigDict(
        env_prefix="OMS_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    database: DatabaseSettings
    core: CoreSettings = CoreSettings()
    acceptor: AcceptorSettings = AcceptorSettings()
    clients: tuple[ClientSettings, ...] = ()
    venues: tuple[VenueSettings, ...] = ()
    drop_copies: tuple[DropCopySettings, ...] = ()
    instruments: tuple[InstrumentSettings, ...] = ()
    risk: RiskSettings = RiskSettings()
    api: ApiSettings = ApiSettings()
    jobs: JobsSettings = JobsSettings()
    trading_day: TradingDaySettings = TradingDaySettings()
    logging: LoggingSettings = LoggingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over what `load` read from the file, and nothing else."""
        return env_settings, init_settings
