"""The scheduler's process: APScheduler as the clock, job_runs as the memory of what is done.

Every trigger calls the same sweep, which does whatever is due: at the cut-off and at the day's end
it is prompt, and in between it retries what failed and takes over what another process left behind.
"""

import logging
import os
import signal
import socket
from types import FrameType
from typing import Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import CollectorRegistry, start_http_server
from sqlalchemy.exc import OperationalError

from oms.jobs.metrics import JobMetrics
from oms.jobs.once import Interrupted
from oms.jobs.stopping import Stopping
from oms.jobs.trading_day import Pace, TradingDay
from oms.queries.reloads import Reread
from oms.settings.model import Settings

log = structlog.get_logger(__name__)

DEFAULT_PACE: Final = Pace()


def run(
    settings: Settings, url: str, *, pace: Pace = DEFAULT_PACE, reread: Reread | None = None
) -> int:
    """Do the jobs until SIGTERM or SIGINT; 0 after an orderly stop.

    url: the database in libpq's form, for the application's role. A job under way at the stop
    begins again at the next start. reread: what reads the configuration after a reload of the
    sessions; without it the settings stay as they are. Raises OSError where the metrics' port
    cannot be had.
    """
    stopping = Stopping()
    _stop_on_signals(stopping)
    registry = CollectorRegistry()
    metrics = JobMetrics(registry)
    if settings.jobs.metrics_port:
        start_http_server(settings.jobs.metrics_port, settings.jobs.metrics_host, registry=registry)
    day = TradingDay(
        settings,
        url,
        metrics,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        pace=pace,
        stopping=stopping,
        reread=reread,
    )
    scheduler = _scheduler(settings, _Round(day, metrics, stopping), pace)
    scheduler.start()
    log.info("jobs.started", metrics_port=settings.jobs.metrics_port)
    stopping.wait()
    log.info("jobs.stops")
    scheduler.shutdown(wait=True)
    return 0


class _Round:
    """One sweep, with a barrier around it: a fault is told and the next round tries again."""

    def __init__(self, day: TradingDay, metrics: JobMetrics, stopping: Stopping) -> None:
        self._day = day
        self._metrics = metrics
        self._stopping = stopping

    def __call__(self) -> None:
        if self._stopping.asked:
            return
        try:
            self._day.sweep()
        except Interrupted:
            log.info("jobs.interrupted")
        except OperationalError as error:
            self._metrics.faults.inc()
            reason = str(error.orig or error).strip().partition("\n")[0]
            log.warning("jobs.database_away", error=reason)
        except Exception:
            self._metrics.faults.inc()
            log.exception("jobs.fault")


def _scheduler(settings: Settings, sweep: _Round, pace: Pace) -> BackgroundScheduler:
    """One worker: rounds never overlap. A moment that was missed is made up for, once."""
    day = settings.trading_day
    # A sweep longer than the interval is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone=day.time_zone,
    )
    triggers = {
        "cut_off": CronTrigger(
            hour=day.cut_off.hour,
            minute=day.cut_off.minute,
            second=day.cut_off.second,
            timezone=day.time_zone,
        ),
        "end_of_day": CronTrigger(
            hour=day.end_of_day.hour,
            minute=day.end_of_day.minute,
            second=day.end_of_day.second,
            timezone=day.time_zone,
        ),
        "sweep": IntervalTrigger(seconds=pace.poll_s),
    }
    for name, trigger in triggers.items():
        scheduler.add_job(sweep, trigger, id=name, replace_existing=True)
    scheduler.add_job(sweep, id="start", replace_existing=True)
    return scheduler


def _stop_on_signals(stopping: Stopping) -> None:
    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stopping.ask()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
