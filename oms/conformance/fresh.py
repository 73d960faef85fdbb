"""A fresh server for one run, a real `oms core` with its own PostgreSQL, and its scripted sides."""

import contextlib
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub
from oms.app.free_ports import free_port
from oms.conformance.day import ServerNight
from oms.conformance.dialect import Dialect
from oms.conformance.profiles import PROFILES, USUAL
from oms.conformance.server_config import Lane, database_dir, server_config
from oms.conformance.sides import Market, Sides, VersionSides
from oms.settings.environment import environment_without_settings
from oms.store.postgres_process import die_with_parent

_COMP_ID = "PLUMBLINE"
_HOST = "127.0.0.1"
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 20.0
_LOG_TAIL_CHARACTERS = 2000


class ServerError(RuntimeError):
    """The server cannot be had; the text says why."""


@contextlib.contextmanager
def fresh_server(directory: Path, dialect: Dialect) -> Iterator[VersionSides]:
    """Both sides in a FIX version for each client profile, logged on. Raises ServerError."""
    password = secrets.token_hex(16)
    port = free_port()
    with Hub() as hub:
        night = ServerNight(database_dir(directory))
        lane = _lane(hub, dialect, port, password, night)
        config = directory / "conformance.toml"
        text = server_config(
            directory,
            _configured(lane),
            comp_id=_COMP_ID,
            fix_port=port,
            metrics_port=free_port(),
            password_hash=hash_password(password),
        )
        config.write_text(text)
        config.chmod(0o600)
        with _core(directory, config, hub) as server:
            for sides in lane.values():
                server.admit(sides)
            yield lane


def _lane(hub: Hub, dialect: Dialect, port: int, password: str, night: ServerNight) -> VersionSides:
    suffix = dialect.version.removeprefix("FIX ").replace(".", "")
    as_venue = LightSettings(
        sender_comp_id=f"VENUE{suffix}",
        target_comp_id=_COMP_ID,
        begin_string=dialect.begin_string,
        logon_fields=dialect.logon_fields,
        initiates=False,
    )
    venue = hub.venue(as_venue)
    market = Market(symbol=f"SYM{suffix}", account=f"ACCOUNT{suffix}")
    found = {}
    for profile in PROFILES:
        client = f"{profile.name.upper()}{suffix}"
        as_client = LightSettings(
            sender_comp_id=client,
            target_comp_id=_COMP_ID,
            begin_string=dialect.begin_string,
            username=client,
            password=password,
            logon_fields=dialect.logon_fields,
        )
        found[profile.name] = Sides(
            hub.client(_HOST, port, as_client), venue, dialect, market, night
        )
    return found


def _configured(lane: VersionSides) -> Lane:
    usual = lane[USUAL.name]
    return Lane(
        begin_string=usual.dialect.begin_string,
        clients={lane[one.name].client.session.settings.sender_comp_id: one for one in PROFILES},
        venue=usual.venue.session.settings.sender_comp_id,
        venue_port=usual.venue.port,
        symbol=usual.market.symbol,
        account=usual.market.account,
    )


class _Server:
    def __init__(self, process: subprocess.Popen[bytes], log: Path, hub: Hub) -> None:
        self._process = process
        self._log = log
        self._hub = hub

    def admit(self, sides: Sides) -> None:
        """Until the server has logged on to the venue and takes the client. Raises ServerError."""
        try:
            self._hub.wait_until(
                lambda: sides.venue.is_logged_on or self._process.poll() is not None,
                _START_LIMIT_S,
                f"logon of the server to the venue of {sides.dialect.version}",
            )
            if self._process.poll() is not None:
                raise ConnectionError(f"the server ended with code {self._process.returncode}")
            sides.client.logon(_START_LIMIT_S)
        except OSError as error:  # TimeoutError among them
            said = self._log.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]
            raise ServerError(f"{error}. The server said:\n{said}") from None

    def stop(self) -> None:
        """In order; its peers answer the Logout meanwhile."""
        self._process.terminate()
        with contextlib.suppress(TimeoutError):
            self._hub.wait_until(
                lambda: self._process.poll() is not None, _STOP_LIMIT_S, "the server's end"
            )
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(_STOP_LIMIT_S)


@contextlib.contextmanager
def _core(directory: Path, config: Path, hub: Hub) -> Iterator[_Server]:
    log = directory / "core.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "oms", "core", "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # The file says everything: the user's variables are not about this server.
            env=environment_without_settings(),
            # A Ctrl-C is for us: we stop the server, in order.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread starts it
        )
    server = _Server(process, log, hub)
    try:
        yield server
    finally:
        server.stop()
