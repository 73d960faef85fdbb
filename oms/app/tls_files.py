"""The files of TLS, looked at before a core waits for the lead: only the core reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Gauge

from fix_sessions.tls_files import (
    Files,
    TlsFileError,
    context_of,
    expires_at,
    is_open_to_others,
)
from oms.app.exits import Exit, Stop
from oms.app.fix_parties import client_files_of, gate_tls_of
from oms.settings.model import Settings

log = structlog.get_logger()

TOLD_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    path: str
    files: Files


def check_tls(settings: Settings) -> None:
    """Every fault is one line: key, value, rule. Raises Stop; warns of what is only unwise."""
    faults = []
    for table in _tables(settings):
        try:
            context_of(table.files)
            if table.files.certificate_file:
                expires_at(table.files.certificate_file)
        except TlsFileError as error:
            faults.append(f"{table.path}.{error}")
    if faults:
        raise Stop(Exit.CONFIG, "\n".join(faults))
    for table in _tables(settings):
        key_file = table.files.key_file
        if key_file and is_open_to_others(key_file):
            log.warning("tls.key_is_open", key=f"{table.path}.key_file", file=key_file)


def certificate_gauge(registry: CollectorRegistry) -> Gauge:
    """For `watch_certificates`."""
    name = "plumbline_tls_certificate_expires_timestamp_seconds"
    return Gauge(name, "When our certificate ends", ("key",), registry=registry)


def watch_certificates(settings: Settings, gauge: Gauge) -> None:
    """Tell when our certificates end: a gauge for each, a warning in its last thirty days.

    The gauge reads the file each time that it is asked: a renewed certificate is in use at once.
    """
    gauge.clear()
    now = datetime.now(UTC)
    for table in _tables(settings):
        path = table.files.certificate_file
        if not path:
            continue
        end = expires_at(path)
        key = f"{table.path}.certificate_file"
        gauge.labels(key).set_function(partial(_timestamp_of, path))
        if end - now < TOLD_BEFORE:
            log.warning("tls.certificate_ends", key=key, file=path, at=end.isoformat())


def listening_fault(settings: Settings, error: Exception) -> str:
    """What the gate said of a port, behind the key that the port stands in."""
    acceptor = settings.acceptor
    tls = acceptor.tls
    if tls is not None and (not acceptor.plain or f":{tls.port} " in str(error)):
        return f"acceptor.tls.port = {tls.port}: {error}"
    return f"acceptor.port = {acceptor.port}: {error}"


def _timestamp_of(path: str) -> float:
    try:
        return expires_at(path).timestamp()
    except TlsFileError:
        return 0.0


def _tables(settings: Settings) -> Iterator[_Table]:
    gate = gate_tls_of(settings.acceptor)
    if gate is not None:
        yield _Table(path="acceptor.tls", files=gate.files)
    for index, venue in enumerate(settings.venues):
        if venue.tls is not None:
            yield _Table(path=f"venues[{index}].tls", files=client_files_of(venue))
    for index, copy in enumerate(settings.drop_copies):
        if copy.tls is not None:
            yield _Table(path=f"drop_copies[{index}].tls", files=client_files_of(copy))
