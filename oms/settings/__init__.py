"""The configuration: pydantic-settings over one TOML file and OMS_* variables.

The only reader of the environment. Secrets come by variable or from a file of their own.
"""

from oms.settings.load import ConfigError, load
from oms.settings.model import (
    AcceptorSettings,
    ApiKeySettings,
    ApiSettings,
    ClientSettings,
    CoreSettings,
    DatabaseSettings,
    InstrumentSettings,
    JobsSettings,
    LoggingSettings,
    RiskLimitSettings,
    Role,
    SessionSettings,
    Settings,
    TradingDaySettings,
    VenueSettings,
)
from oms.settings.reference import reference_of

__all__ = [
    "AcceptorSettings",
    "ApiKeySettings",
    "ApiSettings",
    "ClientSettings",
    "ConfigError",
    "CoreSettings",
    "DatabaseSettings",
    "InstrumentSettings",
    "JobsSettings",
    "LoggingSettings",
    "RiskLimitSettings",
    "Role",
    "SessionSettings",
    "Settings",
    "TradingDaySettings",
    "VenueSettings",
    "load",
    "reference_of",
]
