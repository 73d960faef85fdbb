"""What a changed configuration file changes of the sessions, and what of it a restart must do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fix_sessions.settings import SessionSpec
from oms.app.fix_parties import session_specs
from oms.domain.instrument import Reference
from oms.settings.model import (
    ClientSettings,
    InstrumentSettings,
    SessionSettings,
    Settings,
)
from oms.settings.reference import reference_of

_TAKEN_OVER = frozenset({"clients", "venues", "drop_copies", "instruments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanges:
    """settings: those that run, with the sessions of the file. added, changed, removed: by name, in
    the file's order; remade: those of the changed ones that must log out and be made anew, for
    other comp ids, another version, address or credentials. kept: tables that differ and wait for
    a restart.
    """

    settings: Settings
    added: tuple[str, ...]
    changed: tuple[str, ...]
    remade: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def new(self) -> frozenset[str]:
        """The sessions that come up anew."""
        return frozenset((*self.added, *self.remade))


def changes_between(running: Settings, wanted: Settings) -> SessionChanges:
    """wanted: the file as it is now, found valid."""
    before, after = sessions_of(running), sessions_of(wanted)
    old, new = specs_of(running), specs_of(wanted)
    changed = tuple(one for one in after if one in before and after[one] != before[one])
    remade = tuple(
        one
        for one in changed
        if old[one] != new[one] or _tls_of(before[one]) != _tls_of(after[one])
    )
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
        added=tuple(one for one in after if one not in before),
        changed=changed,
        remade=remade,
        removed=tuple(one for one in before if one not in after),
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


def reference_after(running: Reference, settings: Settings) -> Reference:
    """What to decide with; venues and drop copies that are gone are understood still."""
    made = reference_of(settings)
    venues = {**running.venues, **made.venues}
    copies = {**running.drop_copies, **made.drop_copies}
    known = {*running.clients, *venues, *copies, *running.retired}
    retired = frozenset(known.difference(made.clients, made.venues, made.drop_copies))
    return replace(made, venues=venues, drop_copies=copies, retired=retired)


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
