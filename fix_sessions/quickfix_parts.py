"""QuickFIX's own acceptors and initiators, made from session specs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fix_sessions.application import Callbacks
from fix_sessions.binding import quickfix
from fix_sessions.settings import SessionSpec, SettingsError, settings_text


def quickfix_id_of(spec: SessionSpec) -> Any:
    """The session's name as QuickFIX takes it."""
    return quickfix.SessionID(spec.begin_string, spec.sender_comp_id, spec.target_comp_id)


def check_free(specs: Sequence[SessionSpec]) -> None:
    """Raise SettingsError for a session that this process runs."""
    for spec in specs:
        if quickfix.Session.doesSessionExist(quickfix_id_of(spec)):
            raise SettingsError(f"session {spec.quickfix_id}: this process runs it already")


class QuickfixParts:
    """Makes them, and keeps what they point to without owning it until `forget`."""

    def __init__(self, callbacks: Callbacks, store_dir: Path) -> None:
        self._callbacks = callbacks
        self._store_dir = store_dir
        self._kept: list[Any] = []

    def acceptor(self, specs: Sequence[SessionSpec], port: int) -> Any:
        return quickfix.SocketAcceptor(*self._arguments(specs, port))

    def initiator(self, specs: Sequence[SessionSpec]) -> Any:
        return quickfix.SocketInitiator(*self._arguments(specs, None))

    def forget(self) -> None:
        """Once what was made is gone."""
        self._kept.clear()

    def _arguments(self, specs: Sequence[SessionSpec], port: int | None) -> tuple[Any, ...]:
        text = settings_text(specs, store_dir=self._store_dir, accept_port=port)
        settings = quickfix.SessionSettings()
        settings.setFromString(text)
        arguments = [self._callbacks, quickfix.FileStoreFactory(settings), settings]
        self._kept.append(arguments)
        return tuple(arguments)
