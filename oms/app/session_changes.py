"""What a changed configuration file changes of the sessions, and what of it a restart must do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fix_sessions.settings import SessionSpec
from oms.app.fix_parties import session_specs
from oms.sessions.differences import SessionDifferences, differences
from oms.settings.model import (
    ClientSettings,
    InstrumentSettings,
    SessionSettings,
    Settings,
)

_TAKEN_OVER = frozenset({"clients", "venues", "drop_copies", "instruments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanges(SessionDifferences):
    """settings: those that run, with the sessions of the file. Remade is what has other comp ids,
    another version, address or credentials; kept are tables.
    """

    settings: Settings


def changes_between(running: Settings, wanted: Settings) -> SessionChanges:
    """wanted: the file as it is now, found valid."""
    before, after = sessions_of(running), sessions_of(wanted)
    old, new = specs_of(running), specs_of(wanted)

    def is_remade(name: str) -> bool:
        return old[name] != new[name] or _tls_of(before[name]) != _tls_of(after[name])

    found = differences(before, after, is_remade)
    instruments = tuple(_instruments(running, wanted))
    return SessionChanges(
        settings=running.model_copy(
            update={
                "clients": wanted.clients,
                "venues": wanted.venues,
                "drop_copies": wanted.drop_copies,
                "instruments": instruments,
            }
        ),
        added=found.added,
        changed=found.changed,
        remade=found.remade,
        removed=found.removed,
        kept=tuple(_kept(running, wanted, instruments)),
    )


def sessions_of(settings: Settings) -> dict[str, SessionSettings]:
    """What has a FIX session, by name."""
    every: tuple[SessionSettings, ...] = (
        *settings.clients,
        *settings.venues,
        *settings.drop_copies,
    )
    return {one.name: one for one in every}


def specs_of(settings: Settings) -> dict[str, SessionSpec]:
    """The engine's sessions by name."""
    return {spec.session_id: spec for spec in session_specs(settings)}


def faults_of_changes(
    running: Settings, changes: SessionChanges, owners: Mapping[str, str]
) -> Iterator[str]:
    """What a reload cannot do and a restart can: key, value, rule.

    owners: whose each pair of comp ids has been since the core's start, by QuickFIX's name of it.
    """
    if changes.settings.clients and not running.clients:
        yield "clients: the first one needs a restart, which opens the port for clients"
    before, after = sessions_of(running), sessions_of(changes.settings)
    for name, spec in specs_of(changes.settings).items():
        owner = owners.get(spec.quickfix_id, name)
        if owner != name:
            ids = f"{spec.sender_comp_id}, {spec.target_comp_id}"
            yield f"{name}: comp ids {ids}: were those of {owner}; another name needs a restart"
        if name in before and type(before[name]) is not type(after[name]):
            yield f"{name}: was in another table; that needs a restart"
    known = {one.name for one in changes.settings.venues}
    for one in changes.settings.instruments:
        lost = [venue for venue in one.venues if venue not in known]
        if lost:
            text = ", ".join(lost)
            yield f"venues of {one.symbol} = {text}: must stay while the instrument names them"


def _instruments(running: Settings, wanted: Settings) -> Iterator[InstrumentSettings]:
    """Those that run, each with the venues that the file has for it."""
    found = {one.symbol: one for one in wanted.instruments}
    for one in running.instruments:
        named = found.get(one.symbol)
        yield one if named is None else one.model_copy(update={"venues": named.venues})


def _kept(
    running: Settings, wanted: Settings, instruments: tuple[InstrumentSettings, ...]
) -> Iterator[str]:
    for name in Settings.model_fields:
        if name not in _TAKEN_OVER and _kept_of(running, name) != _kept_of(wanted, name):
            yield name
    if instruments != wanted.instruments:
        yield "instruments"


def _kept_of(settings: Settings, name: str) -> object:
    """Of the API's table all but its keys, which the API takes over by itself."""
    return (
        settings.api.model_copy(update={"keys": ()}) if name == "api" else getattr(settings, name)
    )


def _tls_of(session: SessionSettings) -> object:
    return None if isinstance(session, ClientSettings) else session.tls
