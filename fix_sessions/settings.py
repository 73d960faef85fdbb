"""What one FIX session of ours is, and QuickFIX's settings text made from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from fix_sessions.dialects import APPL_VER_ID, FIXT11

_DICTIONARIES = Path(__file__).resolve().parent.parent / "config" / "dictionaries"


class SettingsError(ValueError):
    """A session that cannot be set up; names the session, the field and the rule."""


_APPLICATION = _DICTIONARIES / "FIX50SP2.xml"


def transport_dictionary_of(begin_string: str) -> Path:
    """The trimmed data dictionary of a BeginString (8), as `config/dictionaries` holds it."""
    path = _DICTIONARIES / f"{begin_string.replace('.', '')}.xml"
    if not path.is_file():
        raise SettingsError(f"begin_string {begin_string!r}: there is no dictionary {path.name}")
    return path


def dictionary_of(begin_string: str) -> Path:
    """The one that has the application messages, whose groups it keeps whole."""
    path = transport_dictionary_of(begin_string)
    return _APPLICATION if begin_string == FIXT11 else path


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """One FIX session of ours; `session_id` is the short name that the rest of the server uses.

    For an initiator `host` and `port` say where to connect, for an acceptor where to listen, the
    same for all acceptor sessions of an engine (port 0: any free one). Credentials go onto an
    initiator's Logon. `max_latency_s` bounds how far a message's SendingTime may be off our clock.
    """

    session_id: str
    role: Literal["acceptor", "initiator"]
    begin_string: str = "FIX.4.4"
    sender_comp_id: str
    target_comp_id: str
    host: str = "127.0.0.1"
    port: int
    heart_bt_int_s: int = 30
    reconnect_interval_s: int = 1
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    reset_on_logon: bool = False
    max_latency_s: int = 120
    dictionary: Path | None = None

    @property
    def quickfix_id(self) -> str:
        """The session's name as QuickFIX writes it."""
        return f"{self.begin_string}:{self.sender_comp_id}->{self.target_comp_id}"


def spec_members(spec: SessionSpec) -> dict[str, Any]:
    """As JSON takes it. The dictionary is the one of the version."""
    return {one.name: getattr(spec, one.name) for one in fields(spec) if one.name != "dictionary"}


def spec_from_members(members: dict[str, Any]) -> SessionSpec:
    """What `spec_members` gave."""
    return SessionSpec(**members)


def check_specs(specs: Sequence[SessionSpec]) -> None:
    """Raise SettingsError for names and comp ids that are double, empty or unfit for settings."""
    names: set[str] = set()
    quickfix_ids: set[str] = set()
    for spec in specs:
        for name in ("session_id", "begin_string", "sender_comp_id", "target_comp_id", "host"):
            value = getattr(spec, name)
            if not value or not value.isprintable() or value != value.strip():
                raise SettingsError(
                    f"session {spec.session_id!r}: {name} {value!r} is empty or holds spaces at "
                    "its ends or control characters"
                )
        if spec.session_id in names:
            raise SettingsError(f"session_id {spec.session_id!r} is given twice")
        if spec.quickfix_id in quickfix_ids:
            raise SettingsError(f"session {spec.quickfix_id} is given twice")
        names.add(spec.session_id)
        quickfix_ids.add(spec.quickfix_id)
    if len({(spec.host, spec.port) for spec in specs if spec.role == "acceptor"}) > 1:
        raise SettingsError("acceptor sessions of one engine must share one host and port")


def settings_text(
    specs: Sequence[SessionSpec],
    *,
    store_dir: Path,
    accept_port: int | None = None,
) -> str:
    """QuickFIX's settings for these sessions; `accept_port` stands in for an acceptor's port.

    The dictionary is there for the session messages and for repeating groups only. Sessions have no
    schedule: QuickFIX would drop what is sent outside of one and reset the numbers on its own.
    """
    blocks = [
        _block(
            "DEFAULT",
            {
                "NonStopSession": "Y",
                "FileStorePath": str(store_dir),
                "SocketNodelay": "Y",
                "SocketReuseAddress": "Y",
                "UseDataDictionary": "Y",
                "AllowUnknownMsgFields": "Y",
                "ValidateUserDefinedFields": "N",
                "ValidateFieldsOutOfOrder": "Y",
                "ValidateFieldsHaveValues": "Y",
                "CheckLatency": "Y",
                "LogonTimeout": "10",
                "LogoutTimeout": "5",
                "PersistMessages": "Y",
                "ResetOnLogout": "N",
                "ResetOnDisconnect": "N",
                **_reconnecting(specs),
            },
        )
    ]
    blocks += [_block("SESSION", _session_settings(spec, accept_port)) for spec in specs]
    return "\n".join(blocks)


def _reconnecting(specs: Sequence[SessionSpec]) -> dict[str, str]:
    """A session's own interval counts for QuickFIX from its first attempt to connect. One that is
    closed at the first look has none, and without this would be looked at again after 30 s.
    """
    intervals = [one.reconnect_interval_s for one in specs if one.role == "initiator"]
    return {"ReconnectInterval": str(min(intervals))} if intervals else {}


def _session_settings(spec: SessionSpec, accept_port: int | None) -> dict[str, str]:
    settings = {
        "ConnectionType": spec.role,
        "BeginString": spec.begin_string,
        "SenderCompID": spec.sender_comp_id,
        "TargetCompID": spec.target_comp_id,
        **_dictionaries(spec),
        "ResetOnLogon": "Y" if spec.reset_on_logon else "N",
        "MaxLatency": str(spec.max_latency_s),
    }
    if spec.role == "acceptor":
        return settings | {
            "SocketAcceptPort": str(spec.port if accept_port is None else accept_port)
        }
    return settings | {
        "SocketConnectHost": spec.host,
        "SocketConnectPort": str(spec.port),
        "ReconnectInterval": str(spec.reconnect_interval_s),
        "HeartBtInt": str(spec.heart_bt_int_s),
    }


def _dictionaries(spec: SessionSpec) -> dict[str, str]:
    dictionary = str(spec.dictionary or dictionary_of(spec.begin_string))
    if spec.begin_string != FIXT11:
        return {"DataDictionary": dictionary}
    return {
        "DefaultApplVerID": APPL_VER_ID,
        "TransportDataDictionary": str(transport_dictionary_of(spec.begin_string)),
        "AppDataDictionary": dictionary,
    }


def _block(name: str, settings: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in settings.items()), ""])
