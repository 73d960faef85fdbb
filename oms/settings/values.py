"""Kinds of value that stand in the configuration: each refuses with the rule that it breaks."""

import ipaddress
import re
import zoneinfo
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from oms.domain.conditions import Ability
from oms.domain.fix import OrdType, TimeInForce
from oms.domain.values import ValueRefused, parse_decimal
from oms.settings.calendars import CALENDARS

_E = TypeVar("_E", bound=StrEnum)
_ARGON2ID = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_LONGEST_NETWORK: Final = 80
_MAX_SECRET_BYTES: Final = 64 * 1024


class Section(BaseModel):
    """A table of the file: read only, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _exact(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        raise ValueError(f'must stand in quotes, so that it stays exact: "{value}"')  # noqa: TRY004
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be a decimal number in quotes")  # noqa: TRY004
    try:
        return parse_decimal(str(value))
    except ValueRefused as refused:
        raise ValueError(refused.rule) from None


def _whole(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise ValueError("must be a whole number")  # noqa: TRY004
    return value


def _local_time(value: Any) -> time:
    """Never a number: 17 would be 17 seconds after midnight."""
    rule = "must be a local time like 17:30:00, without an offset"
    try:
        found = value if isinstance(value, time) else time.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(rule) from None
    if found.tzinfo is not None:
        raise ValueError(rule)
    return found


def _date(value: Any) -> date:
    """Never a number: 20261224 would be a date in 1970."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if len(value) == len("2026-12-24"):
            return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    raise ValueError("must be a date like 2026-12-24")


def _place(value: Any) -> Any:
    """Of nothing a path makes the directory that the process happens to be in."""
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise ValueError("must be a path: not empty, without NUL")
    return value


def _credential(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if any(ord(one) < ord(" ") or one == "\x7f" for one in text):
        raise ValueError("must not hold control characters")
    return value


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        why = f": {error}" if len(text) <= _LONGEST_NETWORK else ""
        raise ValueError(f"must be an address or a network like 10.1.0.0/16{why}") from None
    return text


def _calendar(code: str) -> str:
    if code not in CALENDARS:
        raise ValueError("must be a calendar of exchange_calendars, like XNYS, XLON or 24/7")
    return code


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone like America/New_York") from None
    return name


def _argon2id(text: str) -> str:
    if not _ARGON2ID.fullmatch(text):
        raise ValueError("must be an Argon2id hash, as `oms password` prints it")
    return text


def _file_pattern(text: str) -> str:
    try:
        made = text.format(venue="V", date=date(2026, 1, 2).isoformat())
    except (KeyError, IndexError, ValueError):
        raise ValueError("may hold {venue} and {date} and no other braces") from None
    if "{date}" not in text:
        raise ValueError("must hold {date}")
    if Path(made).name != made:
        raise ValueError("must be a file name without a directory")
    return text


def _ord_type(value: Any) -> Any:
    return _by_name(OrdType, value)


def _ability(value: Any) -> Any:
    return _by_name(Ability, value)


def _time_in_force(value: Any) -> Any:
    return _by_name(TimeInForce, value)


def _by_name(kind: type[_E], value: Any) -> _E:
    if isinstance(value, kind):
        return value
    found = kind.__members__.get(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be one of {', '.join(kind.__members__)}")
    return found


Whole = Annotated[int, BeforeValidator(_whole)]
Exact = Annotated[Decimal, BeforeValidator(_exact)]
Positive = Annotated[Exact, Field(gt=0)]
NotNegative = Annotated[Exact, Field(ge=0)]
LocalTime = Annotated[time, BeforeValidator(_local_time)]
Date = Annotated[date, BeforeValidator(_date)]
Place = Annotated[Path, BeforeValidator(_place)]
"""A file or a directory."""
Host = Annotated[str, Field(pattern=r"^[!-~]{1,253}$")]
"""A name or an address; to listen everywhere it has to say so: 0.0.0.0 or ::."""
Credential = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{0,200}$")]
"""What stands in a Logon: a control character would be the end of its field."""
SecretCredential = Annotated[SecretStr, AfterValidator(_credential)]
Rate = Annotated[Whole, Field(ge=0, le=1_000_000)]
"""Messages a second; 0: no limit."""
Port = Annotated[Whole, Field(ge=1, le=65_535)]
ListenPort = Annotated[Whole, Field(ge=0, le=65_535)]
"""A port to listen on; 0 lets the system choose."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
"""A short name of ours: it becomes a session's name, a file's and a metric's label."""
CompId = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
Account = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
OptionalAccount = Annotated[str, Field(pattern=r"^[!-~]{0,64}$")]
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,31}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Network = Annotated[str, AfterValidator(_network)]
Calendar = Annotated[str, AfterValidator(_calendar)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Argon2Id = Annotated[str, AfterValidator(_argon2id)]
FilePattern = Annotated[str, AfterValidator(_file_pattern)]
OptionalFilePattern = Annotated[str, AfterValidator(lambda text: text and _file_pattern(text))]
AbilityName = Annotated[Ability, BeforeValidator(_ability)]
OrdTypeName = Annotated[OrdType, BeforeValidator(_ord_type)]
TimeInForceName = Annotated[TimeInForce, BeforeValidator(_time_in_force)]


def read_secret(path: Path) -> str:
    """The one line that a secret's file holds; ValueError says why there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_SECRET_BYTES + 1).decode()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("must hold text in UTF-8") from None
    lines = text.strip().splitlines()
    if len(lines) != 1 or len(text) > _MAX_SECRET_BYTES:
        raise ValueError("must hold exactly one line")
    return lines[0]


def with_secret(data: Any, key: str) -> Any:
    """The table with `key` filled from the file that `<key>_file` names. Both are one too many."""
    name = f"{key}_file"
    if not isinstance(data, dict) or not isinstance(data.get(name), str | Path):
        return data
    if data.get(key) is not None:
        raise ValueError(f"must hold {key} or {name}, not both")
    try:
        return {**data, key: read_secret(Path(data[name]))}
    except ValueError as error:
        raise ValueError(f"{name} = {data[name]}: {error}") from None
