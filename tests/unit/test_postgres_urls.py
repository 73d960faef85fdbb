"""The same server by another role, database or driver; what the URL says otherwise stays."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from oms.store.postgres_urls import database_url, role_url, socket_url, sqlalchemy_url


def test_a_socket_url_means_the_same_to_psycopg_and_sqlalchemy() -> None:
    url = socket_url(Path("/tmp/with space"), role="plumbline", database="plumbline")
    parameters = {"user": "plumbline", "dbname": "plumbline", "host": "/tmp/with space"}
    assert conninfo_to_dict(url) == parameters | {"port": "5432"}
    _, keywords = (
        make_url(sqlalchemy_url(url))
        .get_dialect()()
        .create_connect_args(make_url(sqlalchemy_url(url)))
    )
    assert {name: keywords[name] for name in parameters} == parameters


@pytest.mark.parametrize(
    ("url", "changed"),
    [
        ("postgresql://a:p%40w@db:6432/oms?sslmode=require", "b:p%40w@db:6432/oms?sslmode=require"),
        ("postgresql://a@/oms?host=/run/x", "b@/oms?host=/run/x"),
        ("postgresql://db/oms", "b@db/oms"),
    ],
)
def test_another_role_keeps_everything_but_the_user(url: str, changed: str) -> None:
    assert role_url(url, "b") == f"postgresql://{changed}"


def test_another_database_keeps_everything_but_the_path() -> None:
    url = "postgresql://a:p@db:6432/oms?sslmode=require"
    assert database_url(url, "x/y") == "postgresql://a:p@db:6432/x%2Fy?sslmode=require"


def test_the_driver_is_psycopg_whatever_the_scheme_was() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert sqlalchemy_url(f"{scheme}://a@db/oms") == "postgresql+psycopg://a@db/oms"


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="'mysql': must begin with postgresql://"):
        sqlalchemy_url("mysql://a@db/oms")
