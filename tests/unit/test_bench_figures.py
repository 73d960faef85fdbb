"""The bench's arithmetic: percentiles, ratios, marks, and a configuration that the server takes."""

import json
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fix_sessions.credentials import hash_password
from oms.bench.figures import Commits, Figures
from oms.bench.load import ClientTimes
from oms.bench.report import show
from oms.bench.server_config import ServerConfig, server_config
from oms.bench.stats import latency_of, percentile
from oms.bench.venue import VenueTimes
from oms.settings import load


def test_percentiles_of_a_thousand() -> None:
    found = latency_of([1000 * number for number in range(1000, 0, -1)])
    assert (found.count, found.p50_us, found.p99_us, found.p99_9_us) == (1000, 500, 990, 999)


@given(values=st.lists(st.integers(), min_size=1), fraction=st.floats(0.001, 1))
def test_a_percentile_is_one_of_the_values_with_enough_below(
    values: list[int], fraction: float
) -> None:
    ordered = sorted(values)
    found = percentile(ordered, fraction)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= len(ordered) * fraction - 1e-6


def figures() -> Figures:
    found = Figures(orders=30, rounds=3, client_sessions=2, in_flight=64)
    found.relay.orders_per_second = [4000.0, 2000.0, 8000.0]
    found.text_relay.orders_per_second = [9000.0, 9000.0, 9000.0]
    found.text_relay.cpu_us_per_order = [80.0]
    found.server.orders_per_second = [2000.0, 1100.0, 3000.0]
    found.relay.cpu_us_per_order = [90.0]
    found.server.cpu_us_per_order = [300.0]
    client = ClientTimes(order_out_ns=array("q", [0, 10]), report_in_ns=array("q", [900, 910]))
    found.relay.add_delays(
        client,
        VenueTimes(order_in_ns=array("q", [200, 210]), report_out_ns=array("q", [800, 810])),
    )
    found.text_relay.add_delays(
        client,
        VenueTimes(order_in_ns=array("q", [200, 210]), report_out_ns=array("q", [800, 810])),
    )
    found.server.add_delays(
        client,
        VenueTimes(order_in_ns=array("q", [400, 410]), report_out_ns=array("q", [400, 410])),
    )
    found.small_commit_ns = [150, 150]
    found.quick_commit_ns = [100, 100]
    found.rest_ns = [5000]
    found.own_us_per_order = [200.0, 210.0, 190.0]
    found.commits = [
        Commits(
            orders_per_commit=1,
            journal_rows_per_order=9.5,
            orders_per_second=[100.0],
            commit_ns=[10_000],
        )
    ]
    return found


def test_marks_are_ratios_of_the_same_round_and_commits_of_added_delay() -> None:
    marks = figures().marks()
    assert [round(mark.value, 3) for mark in marks] == [0.5, 1.333, 2.667, 2.0, 4.0]
    assert [mark.reached for mark in marks] == [True, True, False, True, False]
    assert marks[2].name == "added p50 of a report, commits at its pace"
    assert marks[3].name == "added p50 of an order, commits back to back"


def test_json_holds_every_figure() -> None:
    found = json.loads(json.dumps(figures().as_json()))
    assert found["machine"]["cores"] >= 1
    assert found["server"]["orders_per_second"] == 2000.0
    assert found["server"]["rest_submit_to_answer"]["p50_us"] == 5.0
    assert found["database"]["batches"][0]["journal_rows_per_second"] == 950.0
    assert found["database"]["one_command"]["p50_us"] == 0.15
    assert found["database"]["one_command_back_to_back"]["p50_us"] == 0.1
    assert found["marks"][0]["reached"] is True


def test_the_tables_name_every_subject(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with output.open("w") as file:
        show(figures(), Console(file=file, width=200))
    text = output.read_text()
    for words in ("bare QuickFIX relay", "oms core", "PostgreSQL alone, 1 order", "REST submit"):
        assert words in text
    assert text.count("not reached") == 2


def test_many_sessions_have_a_row_a_ratio_and_a_mark(tmp_path: Path) -> None:
    found = figures()
    found.many_sessions = 100
    found.crowded.orders_per_second = [1600.0, 990.0, 2700.0]
    found.crowded.cpu_us_per_order = [320.0]
    found.crowded.order_ns = found.crowded.report_ns = [500]
    mark = found.marks()[-1]
    assert (round(mark.value, 3), mark.reached) == (0.9, True)
    assert found.as_json()["crowded_server"]["client_sessions"] == 100
    assert figures().as_json()["crowded_server"] is None
    assert len(figures().marks()) == len(found.marks()) - 1
    output = tmp_path / "out"
    with output.open("w") as file:
        show(found, Console(file=file, width=200))
    assert "the same, 100 client sessions" in output.read_text()


def test_times_that_do_not_match_are_refused() -> None:
    found = Figures(orders=1, rounds=1, client_sessions=1, in_flight=1)
    with pytest.raises(ValueError, match="zip"):
        found.relay.add_delays(
            ClientTimes(order_out_ns=array("q", [1, 2]), report_in_ns=array("q", [1, 2])),
            VenueTimes(order_in_ns=array("q", [1]), report_out_ns=array("q", [1])),
        )


def test_the_servers_configuration_is_one_that_it_takes(tmp_path: Path) -> None:
    config = tmp_path / "bench.toml"
    config.write_text(
        server_config(
            ServerConfig(
                data_dir=tmp_path / 'a "quoted" place',
                comp_id="PLUMBLINE",
                fix_port=20_001,
                api_port=20_002,
                metrics_port=20_003,
                clients=("ONE", "TWO"),
                account="ACC",
                password_hash=hash_password("secret"),
                api_key_hash="0" * 64,
                venue_comp_id="VENUE",
                venue_port=20_004,
                symbols=("AAA", "BBB"),
            )
        )
    )
    settings = load(config)
    assert settings.database.data_dir == tmp_path / 'a "quoted" place' / "postgres"
    assert [client.name for client in settings.clients] == ["ONE", "TWO"]
    assert [venue.port for venue in settings.venues] == [20_004]
    assert settings.api.keys[0].client == "ONE"
    assert settings.risk.limits == ()
