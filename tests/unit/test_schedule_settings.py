import json
from datetime import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oms.app.exits import Exit, Stop
from oms.cli import commands
from oms.settings import ConfigError, load

TABLES = """
[database]
data_dir = "var/postgres"
[[venues]]
name = "XSIM"
host = "127.0.0.1"
port = 9001
sender_comp_id = "US"
target_comp_id = "XSIM"
[[venues]]
name = "ALWAYS"
host = "127.0.0.1"
port = 9002
sender_comp_id = "US"
target_comp_id = "ALWAYS"
"""
LOCAL = "must be a local time like 17:30:00, without an offset"
SCHEDULE = """
[venues.schedule]
time_zone = "America/New_York"
start = 08:00:00
end = 17:00:00
"""


def config(directory: Path, schedule: str) -> Path:
    path = directory / "oms.toml"
    path.write_text(
        TABLES.replace('\n[[venues]]\nname = "ALWAYS"', f'{schedule}\n[[venues]]\nname = "ALWAYS"')
    )
    return path


def test_a_daily_schedule_resets_on_the_days_on_which_it_opens(tmp_path: Path) -> None:
    text = SCHEDULE + 'days = ["mon", "Fri"]\nreset = 07:55:00\n'
    table = load(config(tmp_path, text)).venues[0].schedule
    assert table is not None
    schedule = table.compiled()
    assert schedule.days == schedule.reset_days == {0, 4}
    assert (schedule.end_day, schedule.reset) == (None, time(7, 55))
    assert str(schedule.time_zone) == "America/New_York"


def test_a_weekly_schedule_without_a_reset(tmp_path: Path) -> None:
    text = SCHEDULE + 'start_day = "SUN"\nend_day = "FRI"\n'
    table = load(config(tmp_path, text)).venues[0].schedule
    assert table is not None
    schedule = table.compiled()
    assert schedule.days == {6}
    assert schedule.end_day == 4
    assert schedule.reset is None
    assert not schedule.reset_days


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        (SCHEDULE, "venues[0].schedule: must hold either days, or start_day and end_day"),
        (
            SCHEDULE + 'days = ["MON"]\nstart_day = "SUN"\nend_day = "FRI"\n',
            "venues[0].schedule: must hold either days, or start_day and end_day",
        ),
        (
            SCHEDULE + 'start_day = "SUN"\n',
            "venues[0].schedule: must hold either days, or start_day and end_day",
        ),
        (
            SCHEDULE + 'days = ["MO"]\n',
            "venues[0].schedule.days[0] = MO: must be one of MON, TUE, WED, THU, FRI, SAT, SUN",
        ),
        (
            SCHEDULE + 'days = ["MON"]\nreset_days = ["MON"]\n',
            "venues[0].schedule: must hold reset where it holds reset_days",
        ),
        (
            SCHEDULE.replace("08:00:00", '"08:00Z"') + 'days = ["MON"]\n',
            f"venues[0].schedule.start = 08:00Z: {LOCAL}",
        ),
        (
            SCHEDULE.replace("America/New_York", "Atlantis") + 'days = ["MON"]\n',
            "venues[0].schedule.time_zone = Atlantis: must be a time zone like America/New_York",
        ),
    ],
)
def test_a_schedule_that_cannot_be_kept(tmp_path: Path, schedule: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config(tmp_path, schedule))
    assert str(caught.value) == fault


def printed(path: Path, *arguments: str) -> str:
    done = CliRunner().invoke(commands, ["session", "schedule", *arguments, "--config", str(path)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_schedule_of_a_session_is_printed(tmp_path: Path) -> None:
    every_day = json.dumps(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"])
    path = config(tmp_path, SCHEDULE + f"days = {every_day}\nreset = 07:55:00\n")
    told = json.loads(printed(path, "XSIM", "--days", "7", "--json"))
    assert told["time_zone"] == "America/New_York"
    assert (len(told["intervals"]), len(told["resets"])) == (7, 7)
    assert all(one["start"].endswith(":00:00+00:00") for one in told["intervals"])
    text = printed(path, "XSIM", "--days", "1")
    assert [text.count(word) for word in ("opens", "closes", "reset")] == [1, 1, 1]
    assert "08:00:00" in text
    assert "ALWAYS has no schedule: it is always open." in printed(path, "ALWAYS")


def test_a_session_that_is_not_configured(tmp_path: Path) -> None:
    path = config(tmp_path, "")
    done = CliRunner().invoke(commands, ["session", "schedule", "XNONE", "-c", str(path)])
    assert isinstance(done.exception, Stop)
    assert done.exception.code == Exit.CONFIG
    assert str(done.exception) == "session = XNONE: must be one of XSIM, ALWAYS"
