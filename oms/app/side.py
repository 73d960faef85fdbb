"""The processes beside the core: the API, the jobs, and simulated venues."""

import signal
import time
from pathlib import Path
from types import FrameType

import structlog

from fix_sessions import exchange
from fix_sessions.exchange_config import ExchangeConfigError, config_from
from oms.api import server
from oms.app.database import Urls, database, require_schema
from oms.app.exits import Exit, Stop
from oms.app.on_request import reconciler
from oms.app.session_changes import changes_between
from oms.queries.reloads import Reread
from oms.settings.drop_copies import DropCopySettings
from oms.settings.load import load
from oms.settings.model import Settings, VenueSettings

log = structlog.get_logger()

SCHEMA_WAIT_S = 60.0
SCHEMA_LOOK_S = 0.1


def run_api(settings: Settings, config: Path) -> int:
    """The REST API, once the core has made the schema. Raises Stop."""
    with database(settings.database) as urls:
        _await_schema(urls)
        return server.run(settings, urls.app, reconciler(urls.app), rereading(config))


def run_jobs(settings: Settings, config: Path) -> int:
    """The scheduler, once the core has made the schema. Raises Stop."""
    from oms.jobs import run as jobs  # noqa: PLC0415 - the calendars take a second to import

    with database(settings.database) as urls:
        _await_schema(urls)
        try:
            return jobs.run(settings, urls.app, reread=rereading(config))
        except OSError as error:
            where = f"{settings.jobs.metrics_host}:{settings.jobs.metrics_port}"
            text = f"jobs.metrics_host, jobs.metrics_port = {where}: {error.strerror}"
            raise Stop(Exit.PORT_IN_USE, text) from None


def rereading(config: Path) -> Reread:
    """What a reload of the core takes over, of the file as it is then; and the API's keys."""

    def reread(running: Settings) -> Settings:
        wanted = load(config)
        settings = changes_between(running, wanted).settings
        api = settings.api.model_copy(update={"keys": wanted.api.keys})
        return settings.model_copy(update={"api": api})

    return reread


def _await_schema(urls: Urls) -> None:
    """The core migrates at its start: wait for it, not for ever. A stop meanwhile is orderly."""
    deadline = time.monotonic() + SCHEMA_WAIT_S
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    told = False
    while True:
        try:
            require_schema(urls)
        except Stop as stop:
            if time.monotonic() >= deadline:
                raise
            if not told:
                log.warning("side.waits_for_schema", found=str(stop))
            told = True
            time.sleep(SCHEMA_LOOK_S)
        else:
            return


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise SystemExit(Exit.OK)


def run_exchange(
    settings: Settings,
    name: str,
    *,
    data_dir: Path,
    control_port: int,
    seed: int,
    tls: Path | None = None,
) -> int:
    """The simulated venue in the place of a configured one; tls: a directory. Raises Stop."""
    venue = next((one for one in settings.venues if one.name == name), None)
    if venue is None:
        known = ", ".join(one.name for one in settings.venues)
        raise Stop(Exit.CONFIG, f"venue = {name}: must be one of {known}")
    try:
        values = _exchange_values(settings, venue, data_dir, control_port, seed)
        config = config_from(values | ({"tls": _tls_values(tls)} if tls is not None else {}))
    except ExchangeConfigError as error:
        raise Stop(Exit.CONFIG, f"venue {name}: {error}") from None
    return exchange.run(config)


def _tls_values(directory: Path) -> dict[str, str]:
    """Files by their names; who connects needs a certificate where client_ca.pem is there."""
    clients = directory / "client_ca.pem"
    return {
        "certificate_file": str(directory / "certificate.pem"),
        "key_file": str(directory / "key.pem"),
        "client_ca_file": str(clients) if clients.exists() else "",
    }


def _same_place(copy: DropCopySettings, venue: VenueSettings) -> bool:
    """Whether the venue's own acceptor is where the drop copy comes from."""
    ours = (copy.host, copy.port, copy.target_comp_id, copy.begin_string)
    return ours == (venue.host, venue.port, venue.target_comp_id, venue.begin_string)


def _exchange_values(
    settings: Settings, venue: VenueSettings, data_dir: Path, control_port: int, seed: int
) -> dict[str, object]:
    symbols = [
        {
            "symbol": one.symbol,
            "reference_price": str(one.reference_px or 100),
            "tick": str(one.tick),
            "lot": str(one.lot),
        }
        for one in settings.instruments
        if not one.venues or venue.name in one.venues
    ]
    files = venue.trade_file_dir
    names = {"trade_file": venue.trade_file}
    if venue.order_file:
        names["order_file"] = venue.order_file
    return {
        "name": venue.name,
        "begin_string": venue.begin_string,
        "sender_comp_id": venue.target_comp_id,
        "target_comp_ids": [venue.sender_comp_id],
        "drop_copies": {
            one.sender_comp_id: venue.sender_comp_id
            for one in settings.drop_copies
            if one.venue == venue.name and _same_place(one, venue)
        },
        "host": venue.host,
        "port": venue.port,
        "control_port": control_port,
        "data_dir": str(data_dir / venue.name),
        "trade_file_dir": str(files) if files else None,
        "seed": seed,
        "symbols": symbols,
        **names,
    }
