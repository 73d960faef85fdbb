"""oms conformance as a user runs it: a fresh server, a running one, the certificate in docs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oms.app.free_ports import free_port
from oms.conformance.dialect import DIALECTS
from oms.conformance.matrix import scenarios
from oms.conformance.scope import Role
from tests.support.desk import PASSWORD, Desk
from tests.support.processes import ROOT

LIMIT_S = 240
# Half a minute on a quiet machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S + 30)]
CERTIFICATE = ROOT / "docs" / "conformance.md"
AGAIN = "make it again: oms conformance --markdown docs/conformance.md"


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oms", "conformance", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def without_date(certificate: str) -> str:
    return re.sub(r"Plumbline \S+ \S+ Played", "Plumbline Played", " ".join(certificate.split()))


def results(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["results"]
    return found


def test_all_scenarios_on_a_fresh_server_and_the_certificate_in_docs(tmp_path: Path) -> None:
    markdown, data = tmp_path / "c.md", tmp_path / "c.json"
    done = conformance("--markdown", str(markdown), "--json", str(data))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    places = {(one["version"], one["role"], one["scenario"]) for one in results(data)}
    assert places == {
        (dialect.version, role.value, scenario)
        for dialect in DIALECTS
        for role in Role
        for scenario in scenarios()
    }
    outcomes = {(one["outcome"], one["paths"] > 0) for one in results(data)}
    assert outcomes == {("pass", True), ("not applicable", False)}, "nothing is left out"
    assert without_date(markdown.read_text()) == without_date(CERTIFICATE.read_text()), AGAIN


def test_a_running_server_again_and_again(tmp_path: Path, database_url: str) -> None:
    """Sequence numbers go on where the server is, though every run is a peer without memory."""
    desk = Desk(tmp_path, database_url, {"XA": free_port()})
    patient = desk.config.read_text().replace("ack_timeout_ms = 1000", "ack_timeout_ms = 60000")
    desk.config.write_text(patient)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    try:
        desk.start_core()
        for _ in range(2):
            done = conformance(
                *("B.1.b", "C.3.c", "E.1.e", "J.1.a", "--server", str(desk.config)),
                *("--password-file", str(password), "--json", str(tmp_path / "c.json")),
            )
            assert done.returncode == 0, done.stdout + done.stderr + desk.log()
            outcomes = [one["outcome"] for one in results(tmp_path / "c.json")]
            unable = ["not applicable"] * 2  # its venue follows no such instruction
            passed = ["pass", "pass"]
            assert outcomes == [*passed, "not applicable", "pass", *unable, *passed]
            [(at_work,)] = desk.rows("SELECT count(*) FROM orders WHERE leaves_qty > 0")
            assert at_work == 0
    finally:
        desk.close()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("Z.9.z",), "scenario Z.9.z: must be one of A.1.a, "),
        (("--fix", "4.3"), "FIX version 4.3: must be one of 4.4, "),
        (("--server", "config/oms.toml"), "password-file: needed with --server"),
    ],
)
def test_what_does_not_exist_is_named(arguments: tuple[str, ...], line: str) -> None:
    done = conformance(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"oms: {line}")
