import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import logging, sys, threading
import structlog
from oms import logs
from oms.settings import LoggingSettings
logs.configure(LoggingSettings(format=sys.argv[1], level="info"), process="core")
structlog.get_logger("a").info("order.accepted", order_id="O-1", cause="line\\nbreak")
threading.Thread(target=logging.getLogger("b").warning, args=("from %s", "a library")).start()
structlog.get_logger("a").debug("not.shown")
logging.getLogger("alembic").info("not shown")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("a").exception("fault")
"""


def logged(kind: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not done.stdout
    return done.stderr.splitlines()


def test_json_is_one_object_a_line_whoever_logs() -> None:
    records = [json.loads(line) for line in logged("json")]
    assert [one["event"] for one in records] == ["order.accepted", "from a library", "fault"]
    assert {one["process"] for one in records} == {"core"}
    assert [one["level"] for one in records] == ["info", "warning", "error"]
    assert records[0]["order_id"] == "O-1"
    assert records[0]["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in records[2]["exception"]


def test_the_console_shows_the_same() -> None:
    text = "\n".join(logged("console"))
    for word in ("order.accepted", "O-1", "from a library", "ZeroDivisionError"):
        assert word in text
    assert "not.shown" not in text
