"""Operators' commands that cannot be carried out end with one line and their exit code."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from oms.app import operate
from oms.app.exits import Exit, Stop
from oms.domain.commands import ReleaseKillSwitch
from oms.jobs.once import jobs_engine
from oms.settings.load import load
from oms.store.codec import decode
from oms.store.postgres_urls import APP_ROLE, role_url
from oms.store.tables import command_inbox
from tests.support.processes import ROOT

TIMEOUT_S = 60.0


def config_for(directory: Path, url: str) -> Path:
    config = directory / "oms.toml"
    app_url = role_url(url, APP_ROLE)
    config.write_text(f'[database]\nurl = "{app_url}"\nowner_url = "{url}"\n')
    return config


def run_oms(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oms", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def oms(*arguments: str) -> tuple[int, str]:
    """Exit code and standard error."""
    done = run_oms(*arguments)
    return done.returncode, done.stderr


def test_a_core_that_is_away_finds_the_command_later(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operate, "ANSWER_WAIT_S", 0.1)
    settings = load(config_for(tmp_path, database_url))
    with pytest.raises(Stop) as stopped:
        operate.release_kill(settings, "firm", "*", " the drill is over ")
    assert stopped.value.code == Exit.NO_ANSWER
    assert str(stopped.value) == "the core does not answer; the command is queued as 1"
    engine = jobs_engine(database_url)
    with engine.begin() as connection:
        row = connection.execute(command_inbox.select()).mappings().one()
    command = decode(row["command_type"], row["body"])
    assert isinstance(command, ReleaseKillSwitch)
    assert (command.level, command.reason) == ("FIRM", "the drill is over")
    assert command.origin.counterparty == f"cli:{command.origin.user}" == row["counterparty"]
    assert command.origin.channel == "OPERATOR"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["recon", "run", "--date", "today"], 2, "date = today: must be a date like 2026-01-31"),
        (["recon", "run", "--date", "2026-01-02"], 2, "venues: none is configured"),
        (
            ["recon", "run", "--date", "1999-12-31"],
            2,
            f"date = 1999-12-31: must be from 2000-01-01 to today, {datetime.now(UTC):%F} (UTC)",
        ),
        (
            ["recon", "run", "--date", "2026-01-02", "--venue", "X"],
            2,
            "venue = X: must be one of none is configured",
        ),
        (
            ["recon", "run", "--date", "2026-01-02", "--source", "x.csv"],
            2,
            "venue: say with --venue whose file x.csv is (none is configured)",
        ),
        (["recon", "show", "one"], 2, "run_id = one: must be a run's number"),
        (["recon", "show", "-1"], 2, "run_id = -1: must be a run's number"),
        (["audit", "order", "-x"], 1, "-x: no order has this OrderID or ClOrdID"),
        (["audit", "order", ""], 2, "order_id = : must be 1 to 256 printable characters"),
        (["audit", "order", "a\nb"], 2, "order_id = a\\nb: must be 1 to 256 printable characters"),
        (
            ["audit", "export", "2026-01-02", "--out", "/nowhere/x"],
            1,
            "/nowhere/x: cannot be written: No such file or directory",
        ),
        (
            ["risk", "set", "MAX_ORDER_QTY", "FIRM", "*", "-1", "--reason", "r"],
            2,
            "value = -1: must not be negative; none removes the limit",
        ),
        (
            ["risk", "set", "MAX_ORDER_QTY", "FIRM", "*", "-1e5", "--reason", "r"],
            2,
            "value = -1e5: must be a decimal number without exponent, or none",
        ),
        (
            *(["orphans", "adopt", "7", "--account", "-x", "--reason", " "], 2),
            "reason: must not be empty; it stands in the audit trail",
        ),
        (
            [
                *("corporate-action", "preview", "-CA", "--symbol", "AAPL", "--ratio", "2:1"),
                *("--effective", "soon", "--reason", "r"),
            ],
            2,
            "effective = soon: must be a date as YYYY-MM-DD",
        ),
        (["recon", "show", "7"], 1, "run_id = 7: there is no such run"),
        (
            ["order", "resolve", "X", "FILLED", "--reason", "r"],
            2,
            "outcome = FILLED: must be one of CANCELED, REJECTED, NEW",
        ),
        (
            ["kill", "engage", "FIRM", "*", "--reason", " "],
            2,
            "reason: must not be empty; it stands in the audit trail",
        ),
    ],
)
def test_what_cannot_be_asked(
    tmp_path: Path, database_url: str, arguments: list[str], code: int, line: str
) -> None:
    config = config_for(tmp_path, database_url)
    assert oms(*arguments, "--config", str(config)) == (code, f"oms: {line}\n")


def test_a_schema_that_is_missing_and_a_database_that_is_down(
    tmp_path: Path, empty_database_url: str
) -> None:
    config = config_for(tmp_path, empty_database_url)
    code, said = oms("risk", "show", "--config", str(config))
    assert code == Exit.SCHEMA
    assert said.startswith("oms: database schema version none: must be ")
    config.write_text(f'[database]\nurl = "postgresql://nobody@/nowhere?host={tmp_path}"\n')
    code, said = oms("risk", "show", "--config", str(config))
    assert code == Exit.DATABASE_DOWN
    assert said.startswith("oms: database: cannot be reached: ")
    assert said.count("\n") == 1


def test_a_reconciliation_that_fails_says_so_once(tmp_path: Path, database_url: str) -> None:
    config = config_for(tmp_path, database_url)
    venue = '[[venues]]\nname = "X"\nhost = "127.0.0.1"\nport = 1\nsender_comp_id = "S"\n'
    config.write_text(f'{config.read_text()}{venue}target_comp_id = "X"\n')
    done = run_oms("recon", "run", "--date", "2026-01-02", "--config", str(config))
    assert done.returncode == Exit.NO_STATEMENT
    assert done.stderr == ""
    assert done.stdout == (
        "Run 1: X 2026-01-02, failed: venues.X.trade_file_dir: is not set: there is no statement\n"
    )


def test_an_export_that_was_touched(tmp_path: Path) -> None:
    file = tmp_path / "day.jsonl"
    file.write_text('{"date":"2026-01-02","previous_hash":""}\n')
    code, said = oms("audit", "check", str(file))
    assert code == 1
    assert said == (f"oms: {file}: line 1: the last line counts the entries: the file is cut off\n")
    assert oms("audit", "check", str(tmp_path / "none"))[0] == 1
    code, said = oms("audit", "check", "/dev/zero")
    assert (code, said) == (1, "oms: /dev/zero: line 1: must have at most 67108864 characters\n")


def test_a_new_key_is_known_by_its_hash() -> None:
    from hashlib import sha256

    from oms.app.keys import new_key

    key, key_hash = new_key()
    assert sha256(key.encode()).hexdigest() == key_hash
    assert key != new_key()[0]


WARNS = """
import sys
import structlog
import oms.{name}.run
from oms.cli import app

def main(options: object) -> int:
    structlog.get_logger("some.part").warning("part.odd", value=7)
    return 0

oms.{name}.run.main = main
sys.argv = ["oms", "{name}"]
app()
"""


@pytest.mark.parametrize("name", ["demo", "bench"])
def test_what_a_command_without_configuration_logs_goes_to_standard_error(name: str) -> None:
    command = [sys.executable, "-c", WARNS.format(name=name)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == 1
    for word in ("part.odd", f"process={name}", "value=7", "warning"):
        assert word in done.stderr


def test_an_argument_that_is_no_text() -> None:
    command = [sys.executable, "-m", "oms", "audit", "order", b"order-\xff"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    told = "oms: argument order-\\xff: must be text in UTF-8\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


@pytest.mark.parametrize(
    ("redirection", "told"),
    [
        (">&-", (0, "")),
        ("2>&-", (0, "")),
        (">/dev/full", (1, "oms: the output cannot be written: No space left on device\n")),
        ("| true", (1, "")),
    ],
)
@pytest.mark.parametrize("arguments", ["risk show", "audit export 2026-01-02"])
def test_an_output_that_takes_nothing(
    tmp_path: Path, database_url: str, arguments: str, redirection: str, told: tuple[int, str]
) -> None:
    config = config_for(tmp_path, database_url)
    oms = f"{sys.executable} -m oms {arguments} --config {config} {redirection}"
    done = subprocess.run(
        ["/bin/bash", "-c", f"{oms}; exit ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == told


def test_an_export_of_a_date_that_is_not_over_says_so(tmp_path: Path, database_url: str) -> None:
    config = str(config_for(tmp_path, database_url))
    far = "2999-01-02"
    code, said = oms("audit", "export", far, "--out", str(tmp_path / "far"), "--config", config)
    assert (code, said) == (
        0,
        f"oms: date = {far}: is not over in UTC; what comes yet is not in the export\n",
    )
    past = ("audit", "export", "2026-01-02", "--out", str(tmp_path / "past"), "--config", config)
    assert oms(*past) == (0, "")


def test_an_export_into_a_pipe_leaves_the_pipe_there(tmp_path: Path, database_url: str) -> None:
    config = config_for(tmp_path, database_url)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    arguments = ["audit", "export", "2026-01-02", "--out", str(pipe), "--config", str(config)]
    writer = subprocess.Popen([sys.executable, "-m", "oms", *arguments], cwd=ROOT)
    try:
        assert pipe.read_text().count("\n") == 2
        assert writer.wait(TIMEOUT_S) == 0
    finally:
        writer.kill()
        writer.wait()
    assert pipe.is_fifo()
    assert not list(tmp_path.glob("*.part"))


def test_a_bench_that_could_not_be_kept_is_not_run() -> None:
    code, said = oms("bench", "--json", "/nowhere/x.json")
    assert (code, said) == (2, "oms: json = /nowhere/x.json: must be in a directory that exists\n")


def test_a_core_does_not_lead_on_a_server_that_may_lose_what_it_has_committed(
    tmp_path: Path, database_url: str
) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    rule = "must be on: what is acknowledged has to survive a power cut"
    code, line = oms("core", "--config", str(config_for(tmp_path, database_url)))
    assert code == Exit.CONFIG
    assert line.splitlines()[-1] == f"oms: database: synchronous_commit = off: {rule}"
