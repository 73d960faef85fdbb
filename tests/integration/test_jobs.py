"""Jobs in real processes beside a real core: once each, taken over, made up for, never hidden."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from oms.app.free_ports import free_port
from oms.domain.commands import SYSTEM, CoreStarted
from oms.domain.values import micros
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.migrate import upgrade
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.book import Book
from tests.support.desk import Desk
from tests.support.processes import ROOT, eventually

MISSED = 2
TRADES = "exec_id,cl_ord_id,order_id,symbol,side,last_qty,last_px,transact_time,status\nTRAILER,0\n"
ORDERS = "cl_ord_id,order_id,symbol,side,order_qty,price,cum_qty,leaves_qty,ord_status\nTRAILER,0\n"
PATIENCE_S = 60.0


class JobsDesk(Desk):
    """A desk with one venue that is away, whose journal began some days ago; and its jobs."""

    def __init__(self, directory: Path, database_url: str) -> None:
        super().__init__(directory, database_url, {"XSIM": free_port()})
        self.files = directory / "files"
        self.files.mkdir()
        self.jobs: list[subprocess.Popen[bytes]] = []
        text = self.config.read_text().replace(
            "ack_timeout_ms = 1000\n",
            f'ack_timeout_ms = 1000\ntrade_file_dir = "{self.files}"\n',
        )
        day = "[trading_day]\nend_of_day = 00:00:00\ncut_off = 23:59:59\n"
        self.config.write_text(f"{text}{day}[jobs]\nmetrics_port = 0\n")

    def begin_days_ago(self, missed: int = MISSED) -> list[date]:
        """The journal's first entry, some days back; the dates from then to today."""
        today = datetime.now(UTC).date()
        first = today - timedelta(days=missed)
        noon = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)
        app_url = role_url(self.database_url, APP_ROLE)
        with acquire_leadership(app_url, shard="main", wait=True, timeout_s=10) as leadership:
            book = Book(leader_epoch=leadership.epoch, at=micros(noon))
            started = {"version": "1", "trade_date": first.isoformat()}
            book.take(CoreStarted(origin=SYSTEM, leader_epoch=leadership.epoch, **started))
            PostgresJournal(leadership).append(book.seal())
        return [first + timedelta(days=n) for n in range(missed + 1)]

    def write_files(self, days: list[date]) -> None:
        for day in days:
            (self.files / f"XSIM-{day}.csv").write_text(TRADES)
            (self.files / f"XSIM-{day}-orders.csv").write_text(ORDERS)

    def start_jobs(
        self, *, attempts: int = 1_000, pause_s: float = 0.1, **variables: str
    ) -> subprocess.Popen[bytes]:
        arguments = [str(self.config), str(attempts), str(pause_s)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.jobs_process", *arguments],
            cwd=ROOT,
            env=os.environ | variables,
            stderr=self._log,
        )
        self.jobs.append(process)
        return process

    def done(self, job: str) -> set[date]:
        query = "SELECT business_date FROM job_runs WHERE job = %s AND state = 'done'"
        return {row[0] for row in self.rows(query, job)}  # type: ignore[misc]

    def await_done(self, job: str, days: list[date]) -> None:
        def look() -> bool:
            return self.done(job).issuperset(days)

        try:
            eventually(look, f"{job} for {days}", timeout_s=PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-6000:]}") from None

    def log(self) -> str:
        return (self.directory / "core.log").read_text()

    def close(self) -> None:
        for process in self.jobs:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE_S)
        super().close()

    def oms(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "oms", *arguments, "--config", str(self.config)]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[JobsDesk]:
    found = JobsDesk(tmp_path, database_url)
    yield found
    found.close()


def metrics(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10, trust_env=False).text


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    return process.wait(PATIENCE_S)


def test_missed_days_are_made_up_for_once_by_however_many_processes(desk: JobsDesk) -> None:
    days = desk.begin_days_ago()
    desk.write_files(days)
    desk.start_core()
    processes = [desk.start_jobs() for _ in range(6)]
    for job in ("close_day", "recon:XSIM", "verify"):
        desk.await_done(job, days)
    assert [end(one, number) for one, number in zip(processes, [2, 15] * 3, strict=True)] == [0] * 6
    runs = desk.rows(
        "SELECT trade_date, count(*), min(state) FROM recon_runs GROUP BY 1 ORDER BY 1"
    )
    assert [row for row in runs if row[0] in days] == [(day, 1, "done") for day in days]
    closed = desk.rows(
        "SELECT payload ->> 'trade_date' FROM journal_json"
        " WHERE type = 'TradingDayClosed' ORDER BY seq"
    )
    assert [row[0] for row in closed][: len(days)] == [day.isoformat() for day in days]
    once = desk.rows(
        "SELECT DISTINCT attempts FROM job_runs"
        " WHERE job IN ('close_day', 'recon:XSIM', 'verify') AND business_date = ANY(%s)",
        days,
    )
    assert once == [(1,)]
    calendar = desk.rows(
        "SELECT opens_at, closes_at FROM trading_calendar"
        " WHERE venue = 'XSIM' AND session_date = %s",
        days[0],
    )
    midnight = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    assert calendar == [(midnight, midnight + timedelta(days=1))]


def test_a_killed_runner_is_followed_by_the_next(desk: JobsDesk) -> None:
    days = desk.begin_days_ago()
    desk.write_files(days)
    stuck = desk.files / f"XSIM-{days[0]}.csv"
    stuck.unlink()
    os.mkfifo(stuck)  # whoever reads it waits for a writer
    desk.start_core()
    first = desk.start_jobs()
    running = (
        "SELECT holder FROM job_runs"
        " WHERE job = 'recon:XSIM' AND state = 'running' AND attempts = 1"
    )
    holder = eventually(lambda: desk.rows(running), "a run under way", timeout_s=PATIENCE_S)
    assert str(holder[0][0]).endswith(f":{first.pid}")
    second = desk.start_jobs()
    desk.await_done("recon:XSIM", days[1:])
    assert days[0] not in desk.done("recon:XSIM")
    assert end(first, signal.SIGKILL) == -signal.SIGKILL
    whole = desk.files / "whole"
    whole.write_text(TRADES)
    whole.rename(stuck)
    desk.await_done("recon:XSIM", days)
    row = desk.rows(
        "SELECT attempts, holder FROM job_runs WHERE job = 'recon:XSIM' AND business_date = %s",
        days[0],
    )
    assert row[0][0] == 2
    assert str(row[0][1]).endswith(f":{second.pid}")
    assert desk.rows("SELECT count(*) FROM recon_runs WHERE trade_date = %s", days[0]) == [(1,)]
    assert end(second) == 0


def test_a_run_without_a_statement_fails_aloud_until_it_is_given_up(desk: JobsDesk) -> None:
    days = desk.begin_days_ago()
    desk.write_files(days[1:])
    desk.start_core()
    port = free_port()
    process = desk.start_jobs(attempts=3, pause_s=0.05, OMS_JOBS__METRICS_PORT=str(port))
    eventually(lambda: '"event": "job.given_up"' in desk.log(), "given up", timeout_s=PATIENCE_S)
    desk.await_done("recon:XSIM", days[1:])
    runs = desk.rows(
        "SELECT state, error, breaks FROM recon_runs WHERE trade_date = %s ORDER BY run_id", days[0]
    )
    error = f"{desk.files}/XSIM-{days[0]}.csv: cannot be read: No such file or directory"
    assert runs == [("failed", error, 0)] * 3
    row = "SELECT state, attempts, error FROM job_runs WHERE job = %s AND business_date = %s"
    assert desk.rows(row, "recon:XSIM", days[0]) == [("failed", 3, error)]
    failed = [line for line in desk.log().splitlines() if '"event": "recon.failed"' in line]
    assert {json.loads(line)["level"] for line in failed} == {"error"}
    told = (
        'plumbline_recon_failed_runs_total{venue="XSIM"} 3.0\n',
        'plumbline_jobs_unfinished{state="failed"} 1.0\n',
        'plumbline_job_attempts_total{outcome="given up"} 1.0\n',
        'plumbline_recon_breaks{venue="XSIM"} 0.0\n',
        "plumbline_audit_chain_ok 1.0\n",
    )
    eventually(lambda: all(one in metrics(port) for one in told), f"{told} in metrics")
    assert end(process) == 0

    again = desk.oms("recon", "run", "--date", days[0].isoformat())
    assert again.returncode == 10, again.stderr
    desk.write_files(days[:1])
    again = desk.oms("recon", "run", "--date", days[0].isoformat())
    assert again.returncode == 0, again.stderr
    assert desk.rows(row, "recon:XSIM", days[0])[0][0] == "done"


def test_a_statement_that_comes_late_is_taken(desk: JobsDesk) -> None:
    days = desk.begin_days_ago()
    desk.start_core()
    desk.start_jobs()
    failed = "SELECT count(*) > 0 FROM recon_runs WHERE state = 'failed' AND trade_date = %s"
    eventually(lambda: desk.rows(failed, days[-1])[0][0], "a failed run", timeout_s=PATIENCE_S)
    desk.write_files(days)
    desk.await_done("recon:XSIM", days)


def test_the_day_is_closed_when_the_core_is_back(desk: JobsDesk) -> None:
    days = desk.begin_days_ago()
    desk.write_files(days)
    first = desk.start_jobs()
    queued = "SELECT count(*) FROM command_inbox WHERE command_type = 'OpenTradingDate'"
    eventually(lambda: desk.rows(queued)[0][0], "a command", timeout_s=PATIENCE_S)
    assert end(first) == 0  # in the middle of its wait for the core
    desk.start_core()
    second = desk.start_jobs()
    desk.await_done("verify", days)
    assert end(second) == 0
    counted = desk.rows(
        "SELECT count(*), count(DISTINCT payload ->> 'trade_date') FROM journal_json"
        " WHERE type = 'CloseTradingDay'"
    )
    assert counted[0][0] == counted[0][1]


def test_the_core_is_told_the_next_trading_date_at_the_cut_off(desk: JobsDesk) -> None:
    days = desk.begin_days_ago()
    desk.start_core()
    desk.start_jobs(OMS_TRADING_DAY__CUT_OFF="00:00:00")
    opened = (
        "SELECT payload ->> 'trade_date' FROM journal_json WHERE type = 'TradingDateOpened'"
        " AND seq - 1 IN (SELECT seq FROM journal_json WHERE type = 'OpenTradingDate'"
        " AND payload -> 'origin' ->> 'counterparty' = 'jobs')"
    )
    found = eventually(lambda: desk.rows(opened), "the next date", timeout_s=PATIENCE_S)
    assert found == [((days[-1] + timedelta(days=1)).isoformat(),)]


def test_a_port_in_use_and_a_schema_that_never_comes(
    tmp_path: Path, empty_database_url: str
) -> None:
    config = tmp_path / "oms.toml"
    config.write_text(f'[database]\nurl = "{empty_database_url}"\n')
    command = [sys.executable, "-m", "oms", "jobs", "--config", str(config)]
    waiting = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert waiting.stderr is not None
        assert b"side.waits_for_schema" in waiting.stderr.readline()
        assert end(waiting) == 0
    finally:
        waiting.kill()
        waiting.wait(PATIENCE_S)
        waiting.stderr.close()
    upgrade(empty_database_url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        variables = os.environ | {"OMS_JOBS__METRICS_PORT": str(port)}
        refused = subprocess.run(
            command, cwd=ROOT, env=variables, capture_output=True, timeout=PATIENCE_S, check=False
        )
    assert refused.returncode == 4
    last = refused.stderr.decode().splitlines()[-1]
    where = f"127.0.0.1:{port}"
    assert last == f"oms: jobs.metrics_host, jobs.metrics_port = {where}: Address already in use"
