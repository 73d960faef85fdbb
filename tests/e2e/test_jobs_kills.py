"""Reconciliation by schedule while the core, the database or the jobs die at each of its steps.

Seven days are due. On each, the jobs are caught at another step by a trigger that waits while a
file is there, so that what is struck is struck in the middle of it; a file outlives the database.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import psycopg
import pytest

from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.migrate import upgrade
from oms.store.postgres_urls import SUPERUSER, role_url
from tests.integration.test_jobs import ORDERS, PATIENCE_S, JobsDesk, end
from tests.support.postgres import scratch_directory
from tests.support.processes import eventually

# The steps of a day in their order: the core is told that it is over, its reconciliation is planned
# and begun, the run is written, its breaks, its end, and all of it committed.
STEPS = ("close", "plan", "begin", "run", "breaks", "done", "commit")
TRADES = (
    "exec_id,cl_ord_id,order_id,symbol,side,last_qty,last_px,transact_time,status\n"
    "X-{day},C-1,V-1,ACME,1,10,100,{day}T12:00:00Z,NEW\nTRAILER,1\n"
)
_GATES = """
CREATE FUNCTION wait_at_gate() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
DECLARE
    gate text := TG_ARGV[0] || '-' || (CASE TG_TABLE_NAME
        WHEN 'command_inbox' THEN to_jsonb(NEW) ->> 'scope'
        WHEN 'job_runs' THEN to_jsonb(NEW) ->> 'business_date'
        WHEN 'recon_runs' THEN to_jsonb(NEW) ->> 'trade_date'
        ELSE (SELECT trade_date::text FROM recon_runs
              WHERE run_id = (to_jsonb(NEW) ->> 'run_id')::bigint) END);
BEGIN
    WHILE (pg_stat_file('gate-' || gate, true)).size IS NOT NULL LOOP
        PERFORM set_config('application_name', 'waits at ' || gate, false);
        PERFORM pg_sleep(0.02);
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER a BEFORE INSERT ON command_inbox FOR EACH ROW
    WHEN (NEW.command_type = 'CloseTradingDay') EXECUTE FUNCTION wait_at_gate('close');
CREATE TRIGGER a BEFORE INSERT ON job_runs FOR EACH ROW
    WHEN (NEW.job LIKE 'recon:%' AND NEW.attempts = 0) EXECUTE FUNCTION wait_at_gate('plan');
CREATE TRIGGER b BEFORE INSERT ON job_runs FOR EACH ROW
    WHEN (NEW.job LIKE 'recon:%' AND NEW.attempts = 1) EXECUTE FUNCTION wait_at_gate('begin');
CREATE TRIGGER c BEFORE UPDATE ON job_runs FOR EACH ROW
    WHEN (NEW.job LIKE 'recon:%' AND NEW.state = 'done') EXECUTE FUNCTION wait_at_gate('done');
CREATE TRIGGER a BEFORE INSERT ON recon_runs FOR EACH ROW EXECUTE FUNCTION wait_at_gate('run');
CREATE TRIGGER a BEFORE INSERT ON recon_breaks FOR EACH ROW EXECUTE FUNCTION wait_at_gate('breaks');
CREATE CONSTRAINT TRIGGER b AFTER INSERT ON recon_runs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_at_gate('commit');
"""


class Night:
    """A desk with days to make up for, a database of its own, and a gate on each day."""

    def __init__(self, directory: Path, server: EmbeddedPostgres) -> None:
        self.server = server
        self.desk = JobsDesk(directory, server.url)
        self.days = self.desk.begin_days_ago(len(STEPS) - 1)
        for day in self.days:
            (self.desk.files / f"XSIM-{day}.csv").write_text(TRADES.format(day=day))
            (self.desk.files / f"XSIM-{day}-orders.csv").write_text(ORDERS)
        with self._admin() as admin:
            admin.execute(_GATES)
            [(where,)] = admin.execute("SHOW data_directory").fetchall()
        self.gates = {
            f"{step}-{day}": Path(str(where)) / f"gate-{step}-{day}"
            for step, day in zip(STEPS, self.days, strict=True)
        }
        for gate in self.gates.values():
            gate.touch()

    def run(self) -> None:
        self.desk.start_core()
        self.desk.start_jobs()

    def until_caught_at(self, gate: str) -> None:
        def look() -> bool:
            with self._admin() as admin:
                query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
                return admin.execute(query, [f"waits at {gate}"]).fetchall() == [(1,)]

        try:
            eventually(look, f"the jobs at {gate}", timeout_s=PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.desk.log()[-6000:]}") from None

    def kill_core(self) -> None:
        """And start it again."""
        self.desk.kill_core()
        self.desk.start_core()

    def kill_jobs(self) -> None:
        """And start others."""
        assert end(self.desk.jobs[-1], signal.SIGKILL) == -signal.SIGKILL
        self.desk.start_jobs()

    def kill_database(self) -> None:
        """And start it again, and the core, which ends with its database."""
        os.kill(self.server.pid, signal.SIGKILL)
        assert self.desk.core is not None
        self.desk.core.wait(PATIENCE_S)
        self.server.start()
        self.desk.start_core()

    def freeze_database(self) -> None:
        """Jobs die beside the frozen one, others find that it does not answer; then it goes on."""
        postmaster = self.server.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        frozen = [postmaster, *map(int, children)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        seen = self.desk.log().count('"event": "jobs.database_away"')
        try:
            self.kill_jobs()
            if not seen:  # 5 s; one day of seven is enough
                eventually(lambda: "jobs.database_away" in self.desk.log(), "the jobs to say so")
        finally:
            for pid in frozen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        self.revive_core()

    def revive_core(self) -> None:
        """A core that lost the lead over the freeze has ended, or does soon."""

        def leads() -> bool:
            assert self.desk.core is not None
            if self.desk.core.poll() is not None:
                self.desk.start_core()
            with self._admin() as admin:
                query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
                return admin.execute(query, ["plumbline leader%"]).fetchall() == [(1,)]

        eventually(leads, "a core that leads", timeout_s=PATIENCE_S)

    def check(self) -> None:
        """One complete run of each day, with its one break; told of once, and of nothing else."""
        desk = self.desk
        for job in ("recon:XSIM", "verify"):
            self.until_done(job)
        # Of a date that has begun meanwhile there is no statement.
        runs = desk.rows(
            "SELECT run_id, trade_date, venue, state, breaks FROM recon_runs"
            " WHERE trade_date = ANY(%s)",
            self.days,
        )
        told = [(day, "XSIM", "done", 1) for day in self.days]
        assert sorted(row[1:] for row in runs) == told
        breaks = desk.rows("SELECT run_id, kind, exec_id FROM recon_breaks ORDER BY 1")
        expected = [(row[0], "UNKNOWN_ORDER", f"X-{row[1]}") for row in sorted(runs)]
        assert breaks == expected
        lines = [json.loads(one) for one in desk.log().splitlines() if '"recon.' in one]
        ours = {day.isoformat() for day in self.days}
        said = sorted((one["run_id"], one["date"]) for one in lines if one["date"] in ours)
        kept = sorted((row[0], row[1].isoformat()) for row in runs if isinstance(row[1], date))
        assert set(said) <= set(kept), "told of a run that is not kept"
        assert len(set(said)) == len(said), "told of twice"
        self.untold = [day for one, day in kept if (one, day) not in said]
        closed = desk.rows(
            "SELECT payload ->> 'trade_date', count(*) FROM journal_json"
            " WHERE type = 'TradingDayClosed' GROUP BY 1 ORDER BY 1"
        )
        assert closed[: len(self.days)] == [(day.isoformat(), 1) for day in self.days]

    def until_done(self, job: str) -> None:
        def look() -> bool:
            assert self.desk.core is not None
            if self.desk.core.poll() is not None:
                self.desk.start_core()
            return self.desk.done(job).issuperset(self.days)

        try:
            eventually(look, f"{job} of every day", timeout_s=PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.desk.log()[-6000:]}") from None

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(role_url(self.server.url, SUPERUSER), autocommit=True)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with scratch_directory() as directory:
        server = EmbeddedPostgres(directory / "data")
        upgrade(server.start())
        found = None
        try:
            found = Night(tmp_path, server)
            yield found
        finally:
            if found is not None:
                found.desk.close()
            server.stop()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("strike", [Night.kill_core, Night.kill_database, Night.freeze_database])
def test_one_result_of_each_day_whatever_dies_at_any_step(night: Night, strike: object) -> None:
    assert callable(strike)
    night.run()
    for name, gate in night.gates.items():
        night.until_caught_at(name)
        strike(night)
        gate.unlink()
    night.check()


@pytest.mark.timeout(240)
def test_one_result_of_each_day_though_the_jobs_die_at_every_step(night: Night) -> None:
    night.run()
    for name, gate in night.gates.items():
        night.until_caught_at(name)
        night.kill_jobs()
        gate.unlink()
    night.check()
    assert set(night.untold) <= {night.days[-1].isoformat()}, "all but what died in its commit"
