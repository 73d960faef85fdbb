"""Whatever is sent, the answer is one that the document promises, and never a 500."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.rig import ORDER
from tests.support.api import Api, running_api, settings_for_api

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=80)
    | st.from_regex(r"-?[0-9]{0,20}\.?[0-9]{0,14}", fullmatch=True)
    | st.sampled_from(["BUY", "LIMIT", "MARKET", "FOK", "NaN", "1E9999", "\x00", "2026-11-20", "*"])
    | st.sampled_from(["0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "GTD", 1, 2])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.fixture(scope="module")
def impatient(module_url: str) -> Iterator[Api]:
    """The API that does not wait for a core."""
    with running_api(settings_for_api(answer_wait_ms=0), module_url) as api:
        yield api


def bodies(*names: str) -> st.SearchStrategy[Any]:
    """Objects with these fields or some of them, each of any value, and other things."""
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))
    near = fields.map(lambda some: {key: ORDER.get(key, "x") for key in names} | some)
    return near | fields | VALUES


def in_our_words(body: dict[str, Any]) -> None:
    """Each fault of a problem has a rule that says what the field must be, as we say it."""
    if body["status"] == 422 and body["type"].endswith(":invalid-request"):
        assert body["errors"]
    for fault in body["errors"]:
        assert fault["rule"].startswith(("must ", "is missing", "has too many", "unknown ")), fault


ROUTES = {
    ("POST", "/v1/orders"): (
        *(*ORDER, "time_in_force", "text", "expire_time", "expire_date", "exec_inst"),
        *("stop_px", "min_qty", "max_floor", "cash_order_qty", "peg_offset"),
    ),
    ("PUT", "/v1/orders/{}"): ("cl_ord_id", "order_qty", "price"),
    ("POST", "/v1/orders/{}/cancel"): ("cl_ord_id",),
    ("POST", "/v1/orders/{}/resolve"): ("outcome", "reason"),
    ("POST", "/v1/orders/mass-cancel"): ("cl_ord_id", "account", "symbol", "side", "client"),
    ("POST", "/v1/disputes/{}/resolve"): ("reason",),
    ("POST", "/v1/orphans/{}/adopt"): ("account", "reason"),
    ("POST", "/v1/orphans/{}/refuse"): ("reason", "tell_venue"),
    ("PUT", "/v1/risk/limits"): ("rule", "level", "subject", "value", "reason"),
    ("POST", "/v1/kill-switch/engage"): ("level", "subject", "reason", "cancel_open_orders"),
    ("POST", "/v1/kill-switch/release"): ("level", "subject", "reason"),
    ("POST", "/v1/trading-day/open"): ("trade_date",),
    ("POST", "/v1/trading-day/close"): ("trade_date",),
    ("POST", "/v1/sessions/{}/stop"): ("reason",),
    ("POST", "/v1/sessions/{}/reset/approve"): ("request", "reason"),
    ("POST", "/v1/sessions/{}/discard/approve"): ("request", "reason"),
    ("POST", "/v1/corporate-actions/preview"): (
        *("action_id", "symbol", "new_shares", "old_shares", "effective_date"),
        *("cash_in_lieu_px", "reason"),
    ),
    ("POST", "/v1/corporate-actions/apply"): ("action_id", "preview", "reason"),
}


@pytest.mark.parametrize(("method", "path"), list(ROUTES))
def test_any_body(impatient: Api, method: str, path: str) -> None:
    @SLOW
    @given(
        body=bodies(*ROUTES[method, path]), name=st.text(max_size=70), raw=st.binary(max_size=60)
    )
    def check(body: Any, name: str, raw: bytes) -> None:
        place = path.format(quote(name, safe="", errors="surrogatepass") or "x")
        client = impatient.alpha if path == "/v1/orders" else impatient.admin
        for content in (json.dumps(body).encode(), raw):
            answer = client.request(
                method, place, content=content, headers={"content-type": "application/json"}
            )
            assert answer.status_code in {200, 201, 202, 400, 403, 404, 405, 409, 422}, answer.text
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                in_our_words(answer.json())

    check()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_split_at_an_end_of_time(impatient: Api, day: str) -> None:
    body = {"action_id": f"S-{day}", "symbol": "AAPL", "new_shares": 2, "old_shares": 1}
    asked = body | {"effective_date": day, "reason": "r"}
    answer = impatient.operations.post("/v1/corporate-actions/preview", json=asked)
    assert answer.status_code == 202, answer.text


LISTS = (
    "orders",
    "lists",
    "executions",
    "positions",
    "refusals",
    "orphans",
    "discrepancies",
    "recon/runs",
)
FILTERS = ("account", "symbol", "side", "status", "cl_ord_id", "trade_date", "since", "cursor")


@pytest.mark.parametrize("name", LISTS)
def test_any_filter(impatient: Api, name: str) -> None:
    @SLOW
    @given(
        query=st.dictionaries(
            st.sampled_from((*FILTERS, "limit", "order_id", "venue", "is_open", "busted")),
            st.text(max_size=70) | st.from_regex(r"[A-Za-z0-9_-]{1,80}", fullmatch=True),
            max_size=3,
        )
    )
    def check(query: dict[str, str]) -> None:
        pairs = "&".join(
            f"{key}={quote(value, safe='', errors='surrogatepass')}" for key, value in query.items()
        )
        answer = impatient.admin.get(f"/v1/{name}?{pairs}")
        assert answer.status_code in {200, 422}, answer.text
        if answer.status_code == 422:
            in_our_words(answer.json())

    check()
