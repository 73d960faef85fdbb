"""Sessions handled over REST and by the command line, seen from the client's end of the wire."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub, LightPeer
from oms.app.exits import Exit, Stop
from oms.cli import commands
from tests.integration.api.core_rig import PATIENCE_S, Server, whole_server
from tests.integration.api.rig import problem
from tests.integration.api.test_core import ORDER, order_fields
from tests.support.postgres import Databases
from tests.support.processes import eventually

NO_VENUE = "refused:no-venue-connected"
WHY = {"reason": "their change of systems"}


class Rig:
    """The server, its configuration's file, and ALPHA's end of its session."""

    def __init__(self, server: Server, config: Path) -> None:
        self.server = server
        self.config = config
        self.hub = Hub()
        self.client = self.fresh_client()

    def fresh_client(self) -> LightPeer:
        """ALPHA, with sequence numbers from 1."""
        settings = LightSettings(
            sender_comp_id="ALPHA",
            target_comp_id="PLUMBLINE",
            username="alpha",
            password="alpha-example",
            heartbeat_s=10,
        )
        return self.hub.client("127.0.0.1", self.server.settings.acceptor.port, settings)

    def session(self) -> dict[str, Any]:
        answer = self.server.api.operations.get("/v1/sessions/ALPHA")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def until(self, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The session once that holds; the peers are served meanwhile."""

        def look() -> dict[str, Any] | None:
            self.hub.pump(0.01)
            shown = self.session()
            return shown if holds(shown) else None

        found = eventually(look, what)
        assert found is not None
        return found

    def command(self, *arguments: str) -> str:
        """What `oms session ...` prints."""
        done = CliRunner().invoke(commands, ["session", *arguments, "--config", str(self.config)])
        if isinstance(done.exception, Stop):
            raise done.exception
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    def close(self) -> None:
        self.hub.close()


@pytest.fixture(scope="module")
def rig(migrated_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    url = migrated_databases.take()
    directory = Path(tmp_path_factory.mktemp("server"))
    with whole_server(url, directory) as server:
        found = Rig(server, directory / "oms.toml")
        yield found
        found.close()
    migrated_databases.drop(url)


def logged_on(rig: Rig) -> LightPeer:
    if not rig.client.is_logged_on:
        rig.client.reconnect()
    return rig.client


def log_on_afresh(rig: Rig) -> None:
    """With numbers from 1. The record knows of a reset before the session is let in again: until
    then a Logon is dropped without a word.
    """

    def logged_on() -> bool:
        rig.client.kill()
        rig.client = rig.fresh_client()
        try:
            rig.client.logon()
        except ConnectionError:
            return False
        return True

    eventually(logged_on, "a Logon with new numbers to be taken")


def working_order(rig: Rig, name: str) -> None:
    client = logged_on(rig)
    client.send("D", order_fields(name))
    client.wait_for(
        lambda m: m.msg_type == "8" and m.get(11) == name and m.get(150) == "0", PATIENCE_S
    )


def test_a_session_is_stopped_and_started(rig: Rig) -> None:
    api = rig.server.api
    logged_on(rig)
    rig.until(lambda one: one["status"] == "UP", "the session to be up")
    stopped = api.operations.post("/v1/sessions/ALPHA/stop", json=WHY)
    assert stopped.status_code == 200, stopped.text
    rig.client.wait_until(lambda: not rig.client.is_connected, PATIENCE_S)
    assert rig.client.session.close_reason == "Logout: the session is stopped by an operator"
    shown = rig.until(lambda one: one["closed_cause"] == "OURS", "the logout in the record")
    assert (shown["status"], shown["stopped_by"]) == ("STOPPED", "operations")
    problem(api.operations.post("/v1/sessions/ALPHA/stop", json=WHY), 409, "refused:too-late")
    with pytest.raises((ConnectionError, TimeoutError)):
        rig.client.reconnect(timeout_s=1.0)
    line = next(one for one in rig.command("list").splitlines() if "ALPHA" in one)
    assert "stopped by operations: their change of systems" in line

    assert "done: journal entry" in rig.command("start", "ALPHA", "--reason", "it is done")
    logged_on(rig)
    rig.until(lambda one: one["status"] == "UP", "the session to be up again")


def test_only_operations_handle_sessions(rig: Rig) -> None:
    api = rig.server.api
    for client in (api.alpha, api.compliance):
        problem(client.post("/v1/sessions/ALPHA/stop", json=WHY), 403, "forbidden")
    problem(api.operations.post("/v1/sessions/NONE/stop", json=WHY), 404, "not-found")
    problem(api.alpha.get("/v1/sessions/BETA"), 404, "not-found")
    problem(api.beta.get("/v1/sessions/BETA/resend"), 404, "not-found")
    assert api.alpha.get("/v1/sessions/ALPHA").json()["name"] == "ALPHA"
    problem(
        api.operations.post("/v1/sessions/ALPHA/stop", json={"reason": ""}), 422, "invalid-request"
    )


def test_the_sessions_of_the_file_are_taken_over(rig: Rig) -> None:
    api = rig.server.api
    url = "/v1/sessions/reload"
    for client in (api.alpha, api.compliance):
        problem(client.post(url, json=WHY), 403, "forbidden")
    problem(api.operations.post(url, json={"reason": ""}), 422, "invalid-request")
    before = rig.config.read_text()
    venue = '[[venues]]\nname = "XSIM"\n'
    assert before.count(venue) == 1
    rig.config.write_text(before.replace(venue, venue + "max_messages_per_second = 500\n"))
    told = api.operations.post(url, json=WHY | {"dry_run": True})
    assert (told.status_code, told.json()["text"]) == (200, "changed: XSIM")
    told = api.operations.post(url, json=WHY)
    assert (told.status_code, told.json()["text"]) == (200, "changed: XSIM")
    rig.config.write_text(before.replace(venue, venue + "ack_timeout_ms = 0\n"))
    refused = api.operations.post(url, json=WHY)
    problem(refused, 422, "refused:unsupported-value")
    assert "venues[0].ack_timeout_ms = 0: must be >= 1" in refused.text
    rig.config.write_text(before)
    told = api.operations.post(url, json=WHY)
    assert (told.status_code, told.json()["text"]) == (200, "changed: XSIM")


def test_the_answer_to_a_resend_request_is_foretold(rig: Rig) -> None:
    working_order(rig, "resend-1")
    client = rig.client
    told = [int(m.get(34) or "0") for m in client.messages if m.msg_type == "8"]
    last = max(told)
    rig.until(lambda one: one["outbound"] == last, "the last report to be noted")
    foretold = rig.server.api.alpha.get("/v1/sessions/ALPHA/resend").json()["items"]
    assert foretold[0]["begin_seq_no"] == 1
    assert foretold[-1]["end_seq_no"] == last
    for one, other in itertools.pairwise(foretold):
        assert other["begin_seq_no"] == one["end_seq_no"] + 1
    assert [one["begin_seq_no"] for one in foretold if one["msg_type"] == "8"] == told
    lines = rig.command("resend", "ALPHA", "--dry-run", "--begin", str(last), "--json")
    [only] = [json.loads(line) for line in lines.splitlines()]
    assert (only["begin_seq_no"], only["msg_type"]) == (last, "8")
    assert f"{last} " in rig.command("resend", "ALPHA", "--dry-run", "--end", "0")
    with pytest.raises(Stop) as refused:
        rig.command("resend", "ALPHA")
    assert refused.value.code == Exit.USAGE

    # It asks indeed: the same numbers come again, and the gap is told in plain words.
    client.kill()
    client.session.next_in = told[0]
    seen = len(client.messages)
    client.reconnect()
    client.wait_for(lambda m: int(m.get(34) or "0") == last, PATIENCE_S, seen)
    again = [m for m in client.messages[seen:] if m.msg_type == "8" and m.poss_dup]
    assert [int(m.get(34) or "0") for m in again] == told
    gap = rf"ALPHA lacked messages? {told[0]}( to \d+)? of ours, and asked for them again"
    # We may have lacked some of its too: the last gap of both is told.
    rig.until(lambda one: re.fullmatch(gap, one["gap"]) is not None, "the gap in the record")


def test_a_reset_takes_two_people_and_shows_what_is_at_risk(rig: Rig) -> None:
    api = rig.server.api
    working_order(rig, "reset-1")
    preview = api.operations.get("/v1/sessions/ALPHA/reset").json()
    assert "reset-1" in [one["cl_ord_id"] for one in preview["orders_at_risk"]]
    assert preview["reset_request"] is None

    printed = rig.command("reset", "ALPHA", "--reason", "we are out of step", "--yes")
    assert "open orders at risk" in printed
    assert "reset-1" in printed
    waiting = rig.session()
    number = waiting["reset_request"]
    assert f"request {number}: somebody else than" in printed
    assert waiting["reset_reason"] == "we are out of step"
    with pytest.raises(Stop) as refused:
        rig.command("approve", "ALPHA", str(number), "--reason", "me again", "--yes")
    assert "must be somebody else than who asked for the reset" in str(refused.value)
    approve = {"request": number, "reason": "agreed with their desk"}
    url = "/v1/sessions/ALPHA/reset/approve"
    problem(api.compliance.post(url, json=approve), 403, "forbidden")
    problem(
        api.admin.post(url, json=approve | {"request": number + 1}),
        422,
        "refused:unsupported-value",
    )
    epoch = waiting["epoch"]
    assert api.admin.post(url, json=approve).status_code == 200

    rig.client.wait_until(lambda: not rig.client.is_connected, PATIENCE_S)
    rig.until(lambda one: one["epoch"] == epoch + 1, "the reset")
    log_on_afresh(rig)
    # The numbers begin again, with what the client may not have had of the last seconds.
    logon = next(int(m.get(34) or 0) for m in rig.client.messages if m.msg_type == "A")
    assert logon < 10
    repeated = {str(number) for number in range(1, logon)}
    rig.client.wait_until(
        lambda: repeated <= {m.get(34) for m in rig.client.messages if m.get(97) == "Y"}, PATIENCE_S
    )
    working_order(rig, "reset-2")
    shown = rig.until(lambda one: one["status"] == "UP", "the session to be up")
    assert shown["reset_request"] is None
    still = api.alpha.get("/v1/orders", params={"cl_ord_id": "reset-1"}).json()["items"]
    assert [one["is_open"] for one in still] == [True]
    assert "reset-1" in rig.command("show", "ALPHA")
    assert json.loads(rig.command("show", "ALPHA", "--json"))["epoch"] == epoch + 1


def test_a_client_whose_orders_outlive_its_session_has_no_report_of_cancels(rig: Rig) -> None:
    assert rig.server.api.alpha.get("/v1/sessions/ALPHA/disconnects").json()["items"] == []
    assert rig.command("disconnects", "ALPHA", "--json") == ""
    assert "No open order of ALPHA has met a lost session." in rig.command("disconnects", "ALPHA")


def test_what_is_sent_to_a_client_that_is_away_waits(rig: Rig) -> None:
    api = rig.server.api
    working_order(rig, "away-1")
    rig.client.kill()
    rig.until(lambda one: one["status"] == "DOWN", "the session to be down")
    [order] = api.alpha.get("/v1/orders", params={"cl_ord_id": "away-1"}).json()["items"]
    canceled = api.operations.post(
        f"/v1/orders/{order['order_id']}/cancel", json={"cl_ord_id": "away-2"}
    )
    assert canceled.status_code == 200, canceled.text
    shown = rig.until(lambda one: one["waiting"] >= 1, "a report to wait")
    assert shown["closed_cause"] == "LOST"
    assert shown["waiting_since"] >= shown["changed_at"]
    logged_on(rig)
    rig.until(lambda one: one["waiting"] == 0, "nothing to wait any more")


def test_a_refusal_that_may_pass_later_is_final_for_its_cl_ord_id(rig: Rig) -> None:
    """HTTP clients repeat what is 429 or 503 by themselves, and would be told the same for ever."""
    api = rig.server.api
    assert api.operations.post("/v1/sessions/XSIM/stop", json=WHY).status_code == 200
    order = ORDER | {"cl_ord_id": "nowhere", "time_in_force": "IOC"}

    def no_venue() -> dict[str, Any] | None:
        order["cl_ord_id"] += "-"
        answer = api.alpha.post("/v1/orders", json=order)
        return None if answer.status_code == 201 else problem(answer, 422, NO_VENUE)

    first = eventually(no_venue, "the venue is gone")
    assert first["transient"]
    assert api.operations.post("/v1/sessions/XSIM/start", json=WHY).status_code == 200
    rig.server.wait_ready()
    again = api.alpha.post("/v1/orders", json=order)
    assert problem(again, 422, NO_VENUE) == first
    assert "retry-after" not in again.headers
    answer = api.alpha.post("/v1/orders", json=order | {"cl_ord_id": "somewhere"})
    assert answer.status_code == 201, answer.text


def test_what_waits_for_a_client_that_left_is_discarded_by_two_people(rig: Rig) -> None:
    api = rig.server.api
    url = "/v1/sessions/GAMMA/discard"
    with_a_report_that_waits(rig)
    for client in (api.alpha, api.compliance):
        problem(client.post(url, json=WHY), 403, "forbidden")
    configured = api.operations.post("/v1/sessions/ALPHA/discard", json=WHY)
    problem(configured, 422, "refused:unsupported-value")
    assert "session = ALPHA: is configured" in configured.text
    problem(api.operations.post("/v1/sessions/NONE/discard", json=WHY), 409, "refused:too-late")

    asked = api.operations.post(url, json=WHY)
    assert asked.status_code == 200, asked.text
    found = re.match("request ([0-9]+): somebody else than operations", asked.json()["text"])
    assert found, asked.text
    approve = {"request": int(found[1]), "reason": "their desk has it by mail"}
    mine = api.operations.post(f"{url}/approve", json=approve)
    problem(mine, 422, "refused:unsupported-value")
    assert "must be somebody else than who asked for it" in mine.text
    done = api.admin.post(f"{url}/approve", json=approve)
    assert done.status_code == 200, done.text
    assert done.json()["text"] == "2 messages that waited for GAMMA are discarded"
    assert api.operations.get("/v1/sessions/GAMMA").status_code == 404
    again = api.admin.post(f"{url}/approve", json=approve)
    assert again.json()["text"] == f"request {found[1]}: was carried out before"


def with_a_report_that_waits(rig: Rig) -> None:
    """GAMMA comes, orders, is taken out of the file, and its order is cancelled."""
    api, before = rig.server.api, rig.config.read_text()
    hashed = rig.server.settings.clients[0].password_hash
    rig.config.write_text(
        f'{before}[[clients]]\nname = "GAMMA"\nsender_comp_id = "GAMMA"\n'
        f'target_comp_id = "PLUMBLINE"\npassword_hash = "{hashed}"\n'
        'allowed_addresses = ["127.0.0.1"]\naccounts = ["GAMMA-1"]\n'
    )
    assert api.operations.post("/v1/sessions/reload", json=WHY).status_code == 200
    settings = replace(rig.client.session.settings, sender_comp_id="GAMMA", username="GAMMA")
    gamma = rig.hub.client("127.0.0.1", rig.server.settings.acceptor.port, settings)
    eventually(lambda: came(gamma), "GAMMA to be let in")
    fields = [(tag, "GAMMA-1" if tag == 1 else value) for tag, value in order_fields("gamma-1")]
    gamma.send("D", fields)
    gamma.wait_for(lambda m: m.msg_type == "8" and m.get(150) == "0", PATIENCE_S)
    rig.config.write_text(before)
    gone = api.operations.post("/v1/sessions/reload", json=WHY | {"force": True})
    assert gone.status_code == 200, gone.text
    [order] = api.admin.get("/v1/orders", params={"cl_ord_id": "gamma-1"}).json()["items"]
    canceled = api.operations.post(
        f"/v1/orders/{order['order_id']}/cancel", json={"cl_ord_id": "gamma-2"}
    )
    assert canceled.status_code == 200, canceled.text
    ended = f"/v1/orders/{order['order_id']}"
    eventually(lambda: not api.admin.get(ended).json()["is_open"], "the order to end")
    shown = "/v1/sessions/GAMMA"
    waits = "Pending Cancel and Canceled to wait"
    eventually(lambda: api.operations.get(shown).json().get("undelivered") == 2, waits)


def came(peer: LightPeer) -> bool:
    try:
        peer.reconnect(timeout_s=2.0)
    except (OSError, TimeoutError):
        return False
    return True
