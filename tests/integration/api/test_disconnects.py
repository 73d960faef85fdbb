"""The report of cancel-on-disconnect over REST and by the command line."""

from pathlib import Path
from typing import Any

import psycopg
from typer.testing import CliRunner

from oms.cli import commands
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.integration.api.rig import add_order
from tests.support.api import EXAMPLE, Api

LOST, FIRED = "2026-11-20T10:00:00Z", "2026-11-20T10:00:10Z"


def test_each_order_that_was_open_has_its_outcome(
    api: Api,
    rows: psycopg.Connection[tuple[Any, ...]],
    module_url: str,
    tmp_path: Path,
) -> None:
    add_order(rows, "O-1", status="CANCELED", is_open=False)
    add_order(rows, "O-2", status="FILLED", is_open=False, cum_qty="10", leaves_qty="0")
    add_order(rows, "O-3", status="PENDING_CANCEL")
    for order_id, asked in (("O-1", True), ("O-2", True), ("O-3", False)):
        rows.execute(
            "INSERT INTO disconnect_cancels (seq, order_id, session, lost_at, at, asked)"
            " VALUES (7, %s, 'ALPHA', %s, %s, %s)",
            (order_id, LOST, FIRED, asked),
        )
    items = api.alpha.get("/v1/sessions/ALPHA/disconnects").json()["items"]
    assert [(one["order_id"], one["asked"], one["outcome"]) for one in items] == [
        ("O-1", True, "CANCELED"),
        ("O-2", True, "NOT CANCELED: FILLED"),
        ("O-3", False, "STILL OPEN"),
    ]
    assert items[1]["cum_qty"] == "10"
    assert items[0]["lost_at"] == LOST

    config = tmp_path / "oms.toml"
    text = EXAMPLE.read_text()
    url = role_url(module_url, APP_ROLE)
    config.write_text(text.replace('data_dir = "var/postgres"', f'url = "{url}"'))
    done = CliRunner().invoke(commands, ["session", "disconnects", "ALPHA", "-c", str(config)])
    assert done.exit_code == 0, (done.output, done.exception)
    [line] = [one for one in done.stdout.splitlines() if "O-3" in one]
    assert "was pending" in line
    assert "STILL OPEN" in line
