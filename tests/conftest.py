"""Fixtures for all tests."""

from tests.support.postgres import (
    empty_database_url,
    empty_databases,
    migrated_database_url,
    migrated_databases,
    postgres_server,
)

__all__ = [
    "empty_database_url",
    "empty_databases",
    "migrated_database_url",
    "migrated_databases",
    "postgres_server",
]
