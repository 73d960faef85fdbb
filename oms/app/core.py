"""`oms core`: the journal's only writer, from its leadership to its exit code."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import psycopg
import structlog

from fix_sessions.faults import EngineFault, PortInUse
from fix_sessions.gate_process import GateError
from oms.app.core_process import CoreProcess
from oms.app.database import Urls, database, database_faults, migrate
from oms.app.exits import Exit, Stop
from oms.app.session_changes import changes_between
from oms.app.tls_files import check_tls, listening_fault
from oms.runtime.scratch import ScratchFault
from oms.settings.load import ConfigError, load
from oms.settings.model import Settings
from oms.store.codec import CodecError
from oms.store.durability import NotDurable, require_durable
from oms.store.leader import (
    Leadership,
    LeadershipLost,
    LeadershipUnavailable,
    acquire_leadership,
)

log = structlog.get_logger()

# After these a core that starts anew goes on.
_FAULTS = (LeadershipLost, EngineFault, CodecError, ScratchFault, psycopg.Error, OSError)


def run(settings: Settings, config: Path) -> int:
    """Lead the shard until SIGTERM or SIGINT; 0 after an orderly stop. Raises Stop.

    config: the file that the settings are of.
    """
    check_tls(settings)
    stopping = _StopRequest()
    with ExitStack() as stack:
        urls = stack.enter_context(database(settings.database))
        migrate(urls)
        leadership = _lead(settings, urls)
        stack.callback(leadership.release)
        _require_durable(leadership)
        stopping.can_wait = True
        try:
            settings = with_sessions_of_now(settings, config)
            core = CoreProcess(settings, config, urls, leadership)
            stack.callback(core.close)
            core.start()
            while not stopping.requested:
                core.turn()
            core.stop()
        except PortInUse as error:
            raise Stop(Exit.PORT_IN_USE, f"the FIX engine: {error}") from None
        except GateError as error:
            raise Stop(Exit.PORT_IN_USE, listening_fault(settings, error)) from None
        except _FAULTS as error:
            log.exception("core.fault")
            # PostgreSQL's hints come on lines of their own.
            reason = " ".join(str(error).split())
            raise Stop(Exit.FAULT, f"stopped, and recovers by replay: {reason}") from None
        except Stop:
            raise
        except Exception as error:
            log.exception("core.defect")
            text = f"stopped by a defect: {type(error).__name__}: {error}"
            raise Stop(Exit.FAULT, text) from None
    return Exit.OK


def with_sessions_of_now(settings: Settings, config: Path) -> Settings:
    """A standby may have waited for long: the core before it had the sessions of the file as it is.

    A file that is faulty by now changes nothing.
    """
    try:
        changes = changes_between(settings, load(config))
        check_tls(changes.settings)
    except (ConfigError, Stop) as error:
        log.warning("core.file_refused", fault="; ".join(str(error).splitlines()))
        return settings
    return changes.settings


class _StopRequest:
    """Set by SIGTERM and SIGINT. Importing QuickFIX resets the handlers, so it comes after.

    Until `can_wait` there is nothing to bring to an end: whatever is awaited is given up.
    """

    def __init__(self) -> None:
        self.requested = False
        self.can_wait = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.requested = True
        if not self.can_wait:
            raise SystemExit(Exit.OK)


def _lead(settings: Settings, urls: Urls) -> Leadership:
    log.info("core.waits_for_leadership", shard=settings.core.shard)
    timeout = float(settings.core.leader_wait_s) or None
    try:
        with database_faults():
            return acquire_leadership(
                urls.app, shard=settings.core.shard, wait=True, timeout_s=timeout
            )
    except LeadershipUnavailable as error:
        raise Stop(Exit.NOT_LEADER, f"core.shard = {settings.core.shard}: {error}") from None


def _require_durable(leadership: Leadership) -> None:
    try:
        with database_faults():
            require_durable(leadership.connection)
    except NotDurable as error:
        raise Stop(Exit.CONFIG, str(error)) from None


def leave(code: int) -> None:
    """End at once: QuickFIX's destructors may crash a process that is done."""
    os._exit(code)
