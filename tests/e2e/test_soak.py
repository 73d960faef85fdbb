"""`oms soak`, bounded: every kind of fault once, the checkers after; and nothing is left of it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from oms.soak.faults import FAULTS
from oms.soak.lies import LIES
from oms.store.postgres_process import process_facts
from tests.support.processes import ROOT, eventually

LIMIT_S = 400.0


def start(report: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with report.with_suffix(".out").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "oms", "soak", "--report", str(report), *arguments],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )


def events(report: Path) -> list[dict[str, object]]:
    file = report / "soak.jsonl"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(one) for one in lines if one.endswith("\n")]


def left_behind(report: Path) -> list[int]:
    """Processes that were started with, or work in, the directory; and mounts would keep those."""
    found = []
    for one in Path("/proc").iterdir():
        if one.name.isdecimal() and int(one.name) != os.getpid():
            try:
                said = (one / "cmdline").read_bytes() + bytes((one / "cwd").readlink())
            except OSError:
                continue
            if os.fsencode(report) in said and process_facts(int(one.name)) is not None:
                found.append(int(one.name))
    return found


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_every_kind_of_fault_and_every_invariant_holds(tmp_path: Path) -> None:
    report = tmp_path / "soak"
    process = start(report, "--minutes", "1", "--seed", "1", "--rate", "24")
    try:
        code = process.wait(LIMIT_S)
    finally:
        process.kill()
        process.wait()
    said = report.with_suffix(".out").read_text()
    assert code == 0, said[-6000:]
    happened = events(report)
    allowed = [one["fault"] for one in happened if one["event"] == "not allowed"]
    dealt = Counter(str(one["kind"]) for one in happened if one["event"] == "fault")
    assert set(dealt) == set(FAULTS) - set(allowed), dealt
    held = [one for one in happened if one["event"] == "all hold"]
    assert [one["closed"] for one in held] == [False, True]
    assert int(str(held[-1]["orders"])) >= 100, held
    assert int(str(held[-1]["trades"])) > 0, held
    assert any(one["event"] == "verified" and one["code"] == 0 for one in happened)
    found = {lie for one in happened if one["event"] == "lies found" for lie in one}
    lies = {one.replace(" ", "_") for one in (*LIES, "a row of orders is another")}
    assert found - {"event", "t"} == lies
    assert "every invariant held" in (report / "report.md").read_text()
    kept = {one.name for one in report.rglob("*")}
    assert {"journal.jsonl.gz", "ALPHA.jsonl.gz", "serve.log.gz"} <= kept
    assert "clients.json" not in kept, "passwords are not kept"
    eventually(lambda: not left_behind(report), "all processes to be gone")


@pytest.mark.timeout(180)
def test_nothing_is_left_of_a_soak_that_is_killed(tmp_path: Path) -> None:
    report = tmp_path / "soak"
    process = start(report, "--minutes", "5", "--seed", "2")

    def struck() -> bool:
        assert process.poll() is None, report.with_suffix(".out").read_text()[-3000:]
        return any(one["event"] == "fault" for one in events(report))

    try:
        eventually(struck, "a fault", timeout_s=120)
        assert left_behind(report)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    eventually(lambda: not left_behind(report), "all processes to be gone")
    assert str(report) not in Path("/proc/self/mounts").read_text()


def test_a_report_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    command = [sys.executable, "-m", "oms", "soak", "--report", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert re.search(rb"report = .*: must be an empty directory", done.stderr)
