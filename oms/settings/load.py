"""Read the configuration: one TOML file, OMS_* variables over it, every fault in one line."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from oms.settings.checks import faults_of
from oms.settings.model import Settings

_PREFIX: Final = Settings.model_config["env_prefix"]
_PLACES: Final = ("url", "url_file", "data_dir")
_KINDS: Final = {
    **dict.fromkeys(("int_parsing", "int_parsing_size", "int_type"), "must be a whole number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "must be true or false"),
    **dict.fromkeys(("tuple_type", "list_type"), "must be a list"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "must be a table"),
    "int_from_float": "must be a whole number",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "path_type": "must be a path",
}
_SECRET: Final = ("url", "owner_url", "password", "password_hash", "key_hash")


class ConfigError(ValueError):
    """The configuration cannot be used: one line per fault, each with key path, value and rule."""


def load(path: Path | str) -> Settings:
    """The settings of that TOML file under the OMS_* variables of this process.

    A variable's name is OMS_, the table's path and the key, joined by two underscores
    (OMS_DATABASE__URL); a list is one variable in JSON. Raises ConfigError.
    """
    data = _read(Path(path))
    _refuse_unknown_variables(os.environ)
    _let_variables_choose_the_database(data, os.environ)
    try:
        settings = Settings(**data)
    except ValidationError as error:
        details = _without_echoes(error.errors(include_url=False))
        raise ConfigError("\n".join(_line(detail) for detail in details)) from None
    except SettingsError as error:
        field = str(error).partition('"')[2].partition('"')[0]
        raise ConfigError(f"{_PREFIX}{field.upper()}: must be JSON") from None
    faults = faults_of(settings)
    if faults:
        raise ConfigError("\n".join(faults))
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: must be UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: must be TOML: {error}") from None


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """A misspelt override must not be silently without effect."""
    faults = []
    for name in sorted(environment):
        section, nested, _ = name.upper().removeprefix(_PREFIX).partition("__")
        if not name.upper().startswith(_PREFIX) or not nested:
            continue
        if section.lower() not in Settings.model_fields:
            known = ", ".join(Settings.model_fields)
            faults.append(f"{name}: unknown variable; {section.lower()} must be one of {known}")
    if faults:
        raise ConfigError("\n".join(faults))


def _let_variables_choose_the_database(
    data: dict[str, Any], environment: Mapping[str, str]
) -> None:
    """A variable that says where the database is replaces all that the file says of that."""
    table = data.get("database")
    names = {f"{_PREFIX}DATABASE__{key.upper()}" for key in _PLACES}
    if isinstance(table, dict) and any(name.upper() in names for name in environment):
        kept = {*table} - {*_PLACES, "owner_url", "owner_url_file"}
        data["database"] = {key: table[key] for key in table if key in kept}


def _without_echoes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """A list whose only element is at fault is also reported as too short: once is enough."""
    inner = {detail["loc"][:-1] for detail in details}
    return [one for one in details if one["type"] != "too_short" or one["loc"] not in inner]


def _line(detail: ErrorDetails) -> str:
    path = _path(detail["loc"])
    rule = _rule(detail)
    if detail["type"] in {"missing", "extra_forbidden"}:
        return f"{path}: {rule}"
    value = detail["input"]
    last = detail["loc"][-1] if detail["loc"] else ""
    if last in _SECRET or isinstance(value, SecretStr | Mapping | Settings):
        return f"{path}: {rule}"
    return f"{path} = {_shown(value)}: {rule}"


def _path(loc: Sequence[str | int]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "configuration"


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else repr(value)
    flat = " ".join(text.split())
    if not flat.isprintable():
        flat = repr(flat)
    return flat if len(flat) <= 80 else f"{flat[:77]}..."


def _rule(detail: ErrorDetails) -> str:
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "unknown key"
        case "less_than_equal":
            return f"must be <= {limits['le']}"
        case "greater_than_equal":
            return f"must be >= {limits['ge']}"
        case "greater_than":
            return f"must be > {limits['gt']}"
        case "literal_error" | "enum":
            return f"must be {limits['expected']}"
        case "string_pattern_mismatch":
            return f"must match {limits['pattern']}"
        case "value_error":
            return str(limits["error"])
        case "too_short":
            return f"must have at least {limits['min_length']}"
        case kind if kind in _KINDS:
            return _KINDS[kind]
        case _:
            return detail["msg"][0].lower() + detail["msg"][1:]
