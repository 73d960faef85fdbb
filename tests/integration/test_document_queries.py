"""The queries in the documents run, as the role that they are meant for."""

import re
from pathlib import Path

import psycopg
from psycopg import sql

from oms.store.postgres_urls import READ_ROLE, role_url
from tests.support.processes import ROOT
from tests.support.written import write_day

QUERY = re.compile(r"```sql\n(.*?)```", re.DOTALL)
INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)


def queries(document: Path) -> list[str]:
    text = document.read_text()
    found = QUERY.findall(text)
    found += [one for one in INDENTED.findall(text) if one.lstrip().startswith("SELECT")]
    return found


def test_every_query_answers(database_url: str) -> None:
    write_day(database_url, orders=30, seed=2)
    found = queries(ROOT / "docs" / "compliance.md") + queries(ROOT / "docs" / "operations.md")
    assert len(found) == 15
    with psycopg.connect(role_url(database_url, READ_ROLE), autocommit=True) as connection:
        counts = [len(connection.execute(sql.SQL(one)).fetchall()) for one in found]  # type: ignore[arg-type]
    told = dict(zip(found, counts, strict=True))
    for name in ("RiskLimitSet", "OrderRefused", "OrderRouted", "busted OR late", "OrderRebased"):
        assert any(count for query, count in told.items() if name in query), name
