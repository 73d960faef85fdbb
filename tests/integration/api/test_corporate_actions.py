"""Splits over REST and by the command line, with a venue that splits too, and the record after."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from oms.app.exits import Stop
from oms.audit.verify import verify
from oms.cli import commands
from oms.jobs.once import jobs_engine
from oms.jobs.reconcile import reconcile
from oms.jobs.venue_files import Source
from oms.queries.calendars import FIRM
from oms.settings.trading_date import trade_date_of
from oms.store.postgres_urls import APP_ROLE, role_url
from oms.store.tables import recon_breaks, trading_calendar
from tests.integration.api.core_rig import PATIENCE_S, Server, whole_server
from tests.integration.api.rig import problem
from tests.support.postgres import Databases

GTC = 'times_in_force = ["DAY", "GTC", "IOC"]'
SPLIT = {
    "action_id": "ACME-2FOR1",
    "symbol": "ACME",
    "new_shares": 2,
    "old_shares": 1,
    "reason": "announced",
}


_HOURS = {
    "opens_at": datetime(2026, 1, 1, 9, tzinfo=UTC),
    "closes_at": datetime(2026, 1, 1, 17, tzinfo=UTC),
}


class Rig:
    """The server, its record, and its trading date, which tests move on."""

    def __init__(self, server: Server, config: Path, url: str) -> None:
        self.server = server
        self.config = config
        self.url = url
        self.today = trade_date_of(server.settings.trading_day, datetime.now(UTC))

    @property
    def tomorrow(self) -> str:
        """The next trading date."""
        return (self.today + timedelta(days=1)).isoformat()

    def close(self) -> None:
        """The trading day is over."""
        self._tell("close")

    def open(self) -> None:
        """The next one begins."""
        self.today += timedelta(days=1)
        self._tell("open")

    def _tell(self, what: str) -> None:
        body = {"trade_date": self.today.isoformat()}
        answer = self.server.api.operations.post(f"/v1/trading-day/{what}", json=body)
        assert answer.status_code == 200, answer.text

    def command(self, *arguments: str) -> str:
        """What `oms corporate-action ...` prints."""
        told = ["corporate-action", *arguments, "--config", str(self.config)]
        done = CliRunner().invoke(commands, told)
        if isinstance(done.exception, Stop):
            raise done.exception
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout


@pytest.fixture(scope="module")
def rig(migrated_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    url = migrated_databases.take()
    directory = Path(tmp_path_factory.mktemp("server"))
    with whole_server(url, directory, venue_config=GTC) as server:
        yield Rig(server, directory / "oms.toml", url)
    migrated_databases.drop(url)


@pytest.fixture(scope="module")
def client(rig: Rig) -> Iterator[LightPeer]:
    """ALPHA's session, one for all tests: its numbers go on."""
    with rig.server.fix_client() as found:
        yield found


def fields(cl_ord_id: str, side: str, qty: str, price: str, tif: str = "0") -> list[Any]:
    """A purchase for ALPHA-1, a sale for ALPHA-2."""
    account = "ALPHA-1" if side == "1" else "ALPHA-2"
    return [
        *((11, cl_ord_id), (1, account), (55, "ACME"), (54, side)),
        *((60, "20260101-00:00:00.000"), (38, qty), (40, "2"), (44, price), (59, tif)),
    ]


def told(client: LightPeer, cl_ord_id: str, exec_type: str) -> Message:
    return client.wait_for(
        lambda m: m.msg_type == "8" and m.get(11) == cl_ord_id and m.get(150) == exec_type,
        PATIENCE_S,
    )


def breaks_of(rig: Rig, source: Source) -> list[Any]:
    """What reconciliation finds wrong on this UTC date."""
    engine = jobs_engine(role_url(rig.url, APP_ROLE))
    try:
        with engine.begin() as connection:
            run = reconcile(connection, "XSIM", datetime.now(UTC).date(), source)
            assert run.error == ""
            return list(connection.execute(select(recon_breaks)))
    finally:
        engine.dispose()


def test_a_split_from_the_preview_to_the_next_mornings_report(rig: Rig, client: LightPeer) -> None:
    server, api = rig.server, rig.server.api
    body = SPLIT | {"effective_date": rig.tomorrow}
    with server.venue.control() as venue:
        client.send("D", fields("gtc-1", "1", "100", "95", "1"))
        told(client, "gtc-1", "0")
        client.send("D", fields("sell-1", "2", "40", "95"))
        told(client, "gtc-1", "F")
        told(client, "sell-1", "F")
        early = api.operations.post("/v1/corporate-actions/preview", json=body)
        assert early.status_code == 200, early.text
        assert "must be closed first" in early.json()["faults"][0]
        rig.close()
        files = venue.write_trade_file()
        source = Source(trades=Path(files["trades"]), orders=Path(files["orders"]))
        assert breaks_of(rig, source) == []

        shown = api.operations.post("/v1/corporate-actions/preview", json=body).json()
        assert shown["faults"] == []
        assert [one["after"]["order_qty"] for one in shown["orders"]] == ["200", "200"]
        asked = {"action_id": SPLIT["action_id"], "preview": shown["preview"], "reason": "checked"}
        alone = api.operations.post("/v1/corporate-actions/apply", json=asked)
        assert "must be somebody else" in problem(alone, 422, "refused:unsupported-value")["detail"]
        applied = api.admin.post("/v1/corporate-actions/apply", json=asked)
        assert applied.status_code == 200, applied.text
        assert applied.json()["approved_by"] == "admin"
        again = api.admin.post("/v1/corporate-actions/apply", json=asked)
        assert again.json() == applied.json()
        # The venue's files are of the day before, in the shares of that.
        assert breaks_of(rig, source) == []
        venue.split("ACME", 2, 1)
        rig.open()
        restated = told(client, "gtc-1", "D")
        assert restated.get(378) == "0"
        figures = {tag: restated.get(tag) for tag in (38, 44, 14, 151, 424, 425)}
        assert figures == {38: "200", 44: "47.5", 14: "80", 151: "120", 424: "120", 425: "0"}
        client.send("D", fields("sell-2", "2", "120", "47.50"))
        done = client.wait_for(lambda m: m.get(11) == "gtc-1" and m.get(39) == "2", PATIENCE_S)
        assert [done.get(tag) for tag in (14, 32, 425, 6)] == ["200", "120", "120", "47.5"]
        told(client, "sell-2", "F")
    check_the_record(rig)


def check_the_record(rig: Rig) -> None:
    """Positions, the read tables against the journal, and what the client may read again."""
    api = rig.server.api
    positions = api.operations.get("/v1/positions", params={"symbol": "ACME"}).json()["items"]
    assert {one["account"]: (one["quantity"], one["avg_px"]) for one in positions} == {
        "ALPHA-1": ("200", "47.5"),
        "ALPHA-2": ("-200", "47.5"),
    }
    report = verify(role_url(rig.url, APP_ROLE))
    assert report.ok, (report.faults, report.differences)
    assert report.rows["discrepancies"] == 0
    printed = rig.command("show", "ACME-2FOR1")
    assert "1 ACME become 2 on" in printed
    assert "100 -> 200" in printed
    reports = api.alpha.get("/v1/reports", params={"after": 0, "limit": 500}).json()["items"]
    mine = [one for one in reports if one["cl_ord_id"] == "gtc-1"]
    assert [(one["exec_type"], one["order_qty"], one["cum_qty"]) for one in mine] == [
        ("NEW", "100", "0"),
        ("TRADE", "100", "40"),
        ("RESTATED", "200", "80"),
        ("TRADE", "200", "200"),
    ]


def test_a_limit_that_the_venue_restates_is_told_and_verifies(rig: Rig, client: LightPeer) -> None:
    with rig.server.venue.control() as venue:
        client.send("D", fields("priced-1", "1", "10", "40", "1"))
        told(client, "priced-1", "0")
        venue.reprice(Decimal("39.5"))
        restated = told(client, "priced-1", "D")
        assert [restated.get(tag) for tag in (378, 44, 38, 39)] == ["3", "39.5", "10", "0"]
        assert verify(role_url(rig.url, APP_ROLE)).ok


def test_a_core_that_is_killed_in_the_night_has_the_split_once(rig: Rig, client: LightPeer) -> None:
    server, api = rig.server, rig.server.api
    client.send("D", fields("night-1", "1", "30", "30", "1"))
    told(client, "night-1", "0")
    rig.close()
    body = SPLIT | {"action_id": "ACME-3FOR1", "new_shares": 3, "effective_date": rig.tomorrow}
    shown = api.operations.post("/v1/corporate-actions/preview", json=body).json()
    asked = {"action_id": "ACME-3FOR1", "preview": shown["preview"], "reason": "checked"}
    applied = api.admin.post("/v1/corporate-actions/apply", json=asked)
    assert applied.status_code == 200, applied.text
    with server.venue.control() as venue:
        venue.split("ACME", 3, 1)
    server.core.kill()
    server.core.start()
    server.wait_ready()
    again = api.admin.post("/v1/corporate-actions/apply", json=asked).json()
    assert again["applied"] == applied.json()["applied"]
    client.reconnect()
    seen = len(client.messages)
    rig.open()
    restated = client.wait_for(
        lambda m: m.get(11) == "night-1" and m.get(150) == "D", PATIENCE_S, seen
    )
    assert [restated.get(tag) for tag in (378, 38, 44, 151)] == ["0", "90", "10", "90"]
    [order] = api.alpha.get("/v1/orders", params={"cl_ord_id": "night-1"}).json()["items"]
    assert (order["order_qty"], order["in_doubt"]) == ("90", False)
    assert verify(role_url(rig.url, APP_ROLE)).ok


def test_the_command_line_shows_it_and_asks(rig: Rig) -> None:
    day = rig.tomorrow
    asked = ("--symbol", "ACME", "--effective", day, "--reason", "test")
    done = rig.command("preview", "CLI-1", "--ratio", "3:2", *asked)
    assert "done: journal entry" in done
    assert f"CLI-1: 2 ACME become 3 on {day}; preview" in done
    assert "cannot be applied now" in done
    line = next(one for one in rig.command("list").splitlines() if "CLI-1" in one)
    assert "3:2" in line
    document = json.loads(rig.command("show", "CLI-1", "--json"))
    assert document["shown"]["split"]["effective_date"] == day
    for wrong in ("3", "3:", "0:x"):
        with pytest.raises(Stop, match=f"ratio = {wrong}: must be new:old"):
            rig.command("preview", "CLI-2", "--ratio", wrong, *asked)
    with pytest.raises(Stop, match="no such action"):
        rig.command("apply", "CLI-2", "1", "--reason", "test", "--yes")
    with pytest.raises(Stop, match="must be the latest one"):
        rig.command("apply", "CLI-1", "1", "--reason", "test", "--yes")
    number = str(document["preview"])
    with pytest.raises(Stop, match="refused: user = "):
        rig.command("apply", "CLI-1", number, "--reason", "test", "--yes")


def test_only_the_trading_date_that_opens_next_is_taken(rig: Rig) -> None:
    """The calendar's next dates after tomorrow's are in 3 and 4 days."""
    rig.close()
    after = [(rig.today + timedelta(days=n)).isoformat() for n in (1, 2, 3, 4)]
    engine = jobs_engine(rig.url)
    dates = [rig.today, *(date.fromisoformat(after[n]) for n in (0, 2, 3))]
    rows = [{"venue": FIRM, "session_date": day, **_HOURS} for day in dates]
    with engine.begin() as connection:
        connection.execute(trading_calendar.insert(), rows)
    try:
        api = rig.server.api
        body = SPLIT | {"action_id": "DATED", "effective_date": after[1]}
        answer = api.operations.post("/v1/corporate-actions/preview", json=body)
        told = problem(answer, 422, "refused:unsupported-value")["detail"]
        rule = f"effective_date = {after[1]}: must be a trading date of the calendar"
        assert told == f"{rule}, as {after[0]} or {after[2]}"
        with pytest.raises(Stop, match=rule):
            rig.command(
                *("preview", "DATED", "--symbol", "ACME", "--ratio", "2:1"),
                *("--effective", after[1], "--reason", "r"),
            )
        shown = api.operations.post(
            "/v1/corporate-actions/preview", json=body | {"effective_date": after[2]}
        ).json()
        rule = f"effective_date = {after[2]}: must be the trading date that opens next, {after[0]}"
        assert shown["faults"] == [rule]
        asked = {"action_id": "DATED", "preview": shown["preview"], "reason": "checked"}
        answer = api.admin.post("/v1/corporate-actions/apply", json=asked)
        assert rule in problem(answer, 409, "refused:too-late")["detail"]
        number = str(shown["preview"])
        with pytest.raises(Stop, match=rule):
            rig.command("apply", "DATED", number, "--reason", "r", "--yes")
    finally:
        with engine.begin() as connection:
            connection.execute(trading_calendar.delete())
        engine.dispose()


@pytest.mark.parametrize("name", ["alpha", "compliance"])
def test_it_is_for_operators(rig: Rig, name: str) -> None:
    client = getattr(rig.server.api, name)
    body = SPLIT | {"effective_date": rig.tomorrow}
    problem(client.post("/v1/corporate-actions/preview", json=body), 403, "forbidden")
    told = {"action_id": "X", "preview": 1, "reason": "r"}
    problem(client.post("/v1/corporate-actions/apply", json=told), 403, "forbidden")
