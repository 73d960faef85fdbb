"""An API for each module of tests."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.api import Api, running_api, settings_for_api
from tests.support.postgres import Databases


@pytest.fixture(scope="module")
def module_url(migrated_databases: Databases) -> Iterator[str]:
    url = migrated_databases.take()
    yield url
    migrated_databases.drop(url)


@pytest.fixture(scope="module")
def api(module_url: str) -> Iterator[Api]:
    with running_api(settings_for_api(), module_url) as api:
        yield api


@pytest.fixture
def rows(module_url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to the API's database, whose tables are empty again afterwards."""
    with psycopg.connect(module_url, autocommit=True) as connection:
        yield connection
        connection.execute(
            "TRUNCATE orders, child_orders, executions, positions, order_cl_ord_ids, refusals,"
            " orphans, risk_limits, kill_switches, recon_runs, recon_breaks, sessions,"
            " disconnect_cancels, disputes, order_lists, list_orders"
        )
