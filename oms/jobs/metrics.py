"""What the scheduler's process counts (prometheus-client), and what it reads off the database."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import Connection, func, select

from oms.jobs.reconcile import Run
from oms.store.tables import job_runs, recon_runs, trading_calendar


class JobMetrics:
    """Every metric of the process; names begin with plumbline_."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"plumbline_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"plumbline_{name}", text, labels, registry=registry)

        self._outcomes = counter("job_attempts", "Attempts at jobs by what they came to", "outcome")
        self._runs = counter("recon_runs", "Reconciliations complete", "venue")
        self._failed_runs = counter(
            "recon_failed_runs", "Reconciliations without a statement", "venue"
        )
        self._breaks = gauge("recon_breaks", "Breaks of a venue's latest complete run", "venue")
        self._unfinished = gauge("jobs_unfinished", "Jobs not done yet, by state", "state")
        self._last_done = gauge("job_last_done_timestamp_seconds", "When it was last done", "job")
        self._calendar = gauge("calendar_days_ahead", "Days of the calendars that are loaded")
        self.chain_ok = gauge("audit_chain_ok", "1 while the last verification found it whole")
        self.verified_seq = gauge("audit_verified_seq", "The entry up to which it was verified")
        self.faults = counter("jobs_faults", "Rounds that ended in an error, the database's too")

    def attempt(self, outcome: str) -> None:
        """An attempt at a job ended so."""
        self._outcomes.labels(outcome).inc()

    def run(self, run: Run) -> None:
        """A reconciliation ended."""
        (self._failed_runs if run.error else self._runs).labels(run.venue).inc()

    def known_venues(self, venues: list[str]) -> None:
        """Show every venue's counters from the start, so that a first failure is an increase."""
        for venue in venues:
            self._runs.labels(venue)
            self._failed_runs.labels(venue)

    def refresh(self, connection: Connection) -> None:
        """Set the gauges that follow from the database, the same in every process."""
        run = recon_runs.c
        latest = (
            select(run.venue, func.max(run.run_id).label("run_id"))
            .where(run.state == "done")
            .group_by(run.venue)
            .subquery()
        )
        query = select(run.venue, run.breaks).join(latest, latest.c.run_id == run.run_id)
        for venue, breaks in connection.execute(query):
            self._breaks.labels(venue).set(breaks)
        job = job_runs.c
        counts = select(job.state, func.count()).where(job.state != "done").group_by(job.state)
        found: dict[str, int] = dict(connection.execute(counts).all())
        for state in ("running", "failed"):
            self._unfinished.labels(state).set(found.get(state, 0))
        done = select(job.job, func.max(job.finished_at)).where(job.state == "done")
        for name, at in connection.execute(done.group_by(job.job)):
            self._last_done.labels(name).set(at.timestamp())
        last = connection.execute(select(func.max(trading_calendar.c.session_date))).scalar_one()
        if last is not None:
            self._calendar.set((last - datetime.now(UTC).date()).days)
