"""Any value at any key: it is refused by key and rule, in our words, or it is one that can be."""

import math
import re
import sys
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from oms.settings import ConfigError, load
from tests.unit.test_settings import CLIENT, DATABASE, EXAMPLE, KEY, VENUE

STRANGE: list[Any] = [
    *("", " ", "x", "a\nb", "a\x00b", "\u202e", "ü", "x" * 10_000, "9" * 400, "NaN", "-0", "1e5"),
    *("{date}", "{x}", "{0}", "%s", "17", "2026-11-22T10:00:00Z"),
    *(0, -1, 1, 17, 2**63, 10**40, 20261224, 1.5, math.nan, math.inf, -0.0, True, False),
    *([], [1], ["x"], [[]], {}, {"a": 1}),
    *(date(2026, 1, 1), time(9), time(9, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
]
# How a rule of ours begins; what pydantic says by itself begins otherwise.
OURS = re.compile(
    r"(\S+( = .*)?: )?"
    r"(must |may hold |is missing|unknown key|is reserved|is the published|needs |FIX 4\.2 |"
    r"plain = false|is not |calendar|\S+ (must|may) )",
    re.DOTALL,
)
SCHEDULE = """
[venues.schedule]
time_zone = "Europe/London"
start = 08:00:00
end = 17:00:00
days = ["MON"]
reset = 07:00:00
holidays = [2026-12-24]
"""


def complete() -> dict[str, Any]:
    """The example with one of each table, and a schedule."""
    found = tomllib.loads(EXAMPLE.read_text())
    for name in ("clients", "venues", "instruments"):
        found[name] = found[name][:1]
    found["instruments"][0]["venues"] = [found["venues"][0]["name"]]
    found["api"]["keys"] = found["api"]["keys"][:1]
    found["risk"]["limits"] = found["risk"]["limits"][:1]
    found["venues"][0] |= tomllib.loads(VENUE + SCHEDULE)["venues"][0] | found["venues"][0]
    return found


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands, tables and lists among them."""
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield (*path, key)
            yield from places(tree[key], (*path, key))


def test_any_value_at_any_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = complete()
    tried: dict[str, Any] = {}
    # What TOML cannot say, a variable in JSON or a later reader can.
    monkeypatch.setattr(sys.modules["oms.settings.load"], "_read", lambda _: deepcopy(tried))
    refused = 0
    paths = list(places(whole))
    assert len(paths) > 120
    for path in paths:
        for value in STRANGE:
            tried.clear()
            tried.update(deepcopy(whole))
            holder: Any = tried
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
            try:
                load(tmp_path / "oms.toml")
            except ConfigError as error:
                refused += 1
                for line in str(error).splitlines():
                    rule = line.partition(": ")[2]
                    assert OURS.match(rule), (path, value, line)
    assert refused > 2_000


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        # 17 was taken as 17 seconds after midnight.
        (
            "[trading_day]\ncut_off = 17\n",
            "trading_day.cut_off = 17: must be a local time like 17:30:00, without an offset",
        ),
        (
            '[trading_day]\nend_of_day = "17:00+02:00"\n',
            (
                "trading_day.end_of_day = 17:00+02:00:"
                " must be a local time like 17:30:00, without an offset"
            ),
        ),
        # It was taken as a date in 1970.
        (
            VENUE + SCHEDULE.replace("[2026-12-24]", "[20261224]"),
            "venues[0].schedule.holidays[0] = 20261224: must be a date like 2026-12-24",
        ),
        # No host was every host.
        ('[core]\nmetrics_host = ""\n', "core.metrics_host = : must match ^[!-~]{1,253}$"),
        ('[api]\nhost = "a b"\n', "api.host = a b: must match ^[!-~]{1,253}$"),
        ('[core]\ndata_dir = ""\n', "core.data_dir = : must be a path: not empty, without NUL"),
        (
            VENUE + 'trade_file_dir = "a\\u0000b"\n',
            "venues[0].trade_file_dir = 'a\\x00b': must be a path: not empty, without NUL",
        ),
        # A control character would be the end of its field in the Logon.
        (
            VENUE + 'username = "me\\u0001141=Y"\n',
            "venues[0].username = 'me\\x01141=Y': must match ^[^\\x00-\\x1f\\x7f]{0,200}$",
        ),
        (
            VENUE + 'password = "me\\u0001141=Y"\n',
            "venues[0].password: must not hold control characters",
        ),
        (
            VENUE + '[venues.profile]\norphan_account = "a b"\n',
            "venues[0].profile.orphan_account = a b: must match ^[!-~]{0,64}$",
        ),
        # The first order would have ended the core.
        (
            VENUE + "ack_timeout_ms = 9223372036854775807\n",
            "venues[0].ack_timeout_ms = 9223372036854775807: must be <= 86400000",
        ),
        (
            "[core]\nleader_wait_s = 99999999999\n",
            "core.leader_wait_s = 99999999999: must be <= 31536000",
        ),
        ("clients = 1\n", "clients = 1: must be a list"),
        ("[[clients]]\nname = 1\n", "clients[0].name = 1: must be a string"),
    ],
)
def test_what_was_taken_for_something_else(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "oms.toml"
    path.write_text(f"{text}{DATABASE}" if text.startswith("clients") else f"{DATABASE}{text}")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).splitlines()[0] == fault


def test_a_file_from_another_machine(tmp_path: Path) -> None:
    text = DATABASE + CLIENT + KEY
    path = tmp_path / "oms.toml"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert load(path).clients[0].name == "ALPHA"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load(path).clients[0].name == "ALPHA"
    for content, fault in (
        (text.encode("utf-16"), f"{path}: must be UTF-8"),
        (text.encode() + b"\0", f"{path}: must be TOML: "),
        (b"", "database: is missing"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            load(path)
        assert str(caught.value).startswith(fault)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
