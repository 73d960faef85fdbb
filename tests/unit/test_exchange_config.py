"""A simulated venue's configuration: any value at any key is taken, or refused by its key."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fix_sessions.exchange_config import ExchangeConfigError, config_from
from tests.integration.exchange_process import values_of

STRANGE: list[Any] = [
    *("", " ", "a\nb", "a\x00b", "x" * 10_000, "NaN", "1e400", "-0", "9" * 400),
    *(0, -1, 2**63, 10**40, 1.5, float("nan"), True, None),
    *([], [1], ["x"], [[]], {}, {"a": 1}),
]


def whole(directory: Path) -> dict[str, Any]:
    copies = {"drop_copies": {"COPY": "OMS"}}
    return values_of(directory, liquidity={"depth": 3}, port=0, seed=1, **copies)


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield (*path, key)
            yield from places(tree[key], (*path, key))


def test_any_value_at_any_key(tmp_path: Path) -> None:
    good = whole(tmp_path)
    assert config_from(deepcopy(good)).name == "XSIM"
    refused = 0
    for path in places(good):
        for value in STRANGE:
            tried = deepcopy(good)
            holder: Any = tried
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
            try:
                config_from(tried)
            except ExchangeConfigError as error:
                refused += 1
                told = str(error)
                # Who a drop copy is of has to stand among them.
                keys = {path[0], "drop_copies" if path[0] == "target_comp_ids" else path[0]}
                assert told.startswith(tuple(keys)), (path, value, told)
    assert refused > 300


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": 7}, "name: 7: must be a text that can be printed"),
        ({"symbols": "ACME"}, "symbols: 'ACME': must be a list of tables"),
        ({"symbols": ["ACME"]}, "symbols: 'ACME': must be a table"),
        ({"liquidity": 3}, "liquidity: 3: must be a table"),
        ({"data_dir": "a\x00b"}, "data_dir: 'a\\x00b': must be a text that can be printed"),
        (
            {"symbols": [{"symbol": "A", "reference_price": "1e400"}]},
            "symbols.A.reference_price: '1e400': must be a number above 0, as text",
        ),
    ],
)
def test_what_was_no_line_but_a_traceback(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ExchangeConfigError) as caught:
        config_from(whole(tmp_path) | change)
    assert str(caught.value) == fault
