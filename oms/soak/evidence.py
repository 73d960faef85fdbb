"""What is kept of a soak: the verdict of `oms audit verify`, the journal, logs, tapes."""

import contextlib
import gzip
import json
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from oms.settings.environment import environment_with
from oms.simulation.watching import Broken
from oms.soak.figures import Figures
from oms.soak.site import Site
from oms.soak.stage import Stage
from oms.store.postgres_urls import APP_ROLE, role_url

_LIMIT_S = 300.0
_LOUD = frozenset({"warning", "error", "critical"})
_TRACEBACK = "Traceback (most recent call last)"


def verify(stage: Stage, figures: Figures) -> None:
    """`oms audit verify`: the chain, and every table against the journal. Raises Broken."""
    done = _oms(stage, "audit", "verify")
    said = " ".join((done.stdout + done.stderr).decode(errors="replace").split())
    figures.verified = said[:300]
    figures.note("verified", code=done.returncode, said=said[:1000])
    if done.returncode:
        raise Broken("tables_are_the_fold", said[:500])
    _doubt_tables(stage, figures)


def _doubt_tables(stage: Stage, figures: Figures) -> None:
    """A row that the journal does not say, in the real tables, must be found. Raises Broken."""
    # Of an ended order, which no core writes any more.
    change = "UPDATE orders SET cum_qty = cum_qty {} 1 WHERE order_id = %s"
    with psycopg.connect(stage.owner_url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT order_id FROM orders WHERE NOT is_open ORDER BY order_id LIMIT 1"
        ).fetchone()
        if row is None:
            raise Broken("checkers_can_fail", "there is no order whose row could be falsified")
        connection.execute(change.format("+"), row)
        done = _oms(stage, "audit", "verify")
        connection.execute(change.format("-"), row)
    said = (done.stdout + done.stderr).decode(errors="replace")
    if not done.returncode or str(row[0]) not in said:
        raise Broken("checkers_can_fail", f"a row of orders is another: {said[:500]}")
    figures.doubted({"a row of orders is another": "tables_are_the_fold"})


def read_logs(site: Site) -> Counter[str]:
    """How often the parts said what at warning or above. Raises Broken where one has a defect."""
    found: Counter[str] = Counter()
    for path in sorted(site.logs.glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                said = {"event": "a traceback", "level": "error"} if _TRACEBACK in line else {}
            if isinstance(said, dict) and said.get("level") in _LOUD:
                found[f"{path.stem}: {said.get('event')}"] += 1
                if str(said.get("event")).endswith((".defect", "a traceback")):
                    raise Broken("no_part_has_a_defect", f"{path.name}: {line[-500:]}")
    return found


def keep(stage: Stage, figures: Figures) -> None:
    """The journal, as an export that proves itself, before its disk goes."""
    if not stage.owner_url:
        return
    date = datetime.now(UTC).date().isoformat()
    file = stage.site.home / "journal.jsonl"
    try:
        done = _oms(stage, "audit", "export", date, "--out", str(file))
    except subprocess.TimeoutExpired:
        figures.note("journal not kept", why="the export takes too long")
        return
    if done.returncode:
        figures.note("journal not kept", why=done.stderr.decode(errors="replace")[-300:])
    log = stage.site.postgres_dir / "postgresql.log"
    with contextlib.suppress(OSError):
        shutil.copy(log, stage.site.log("postgresql"))


def pack(site: Site) -> None:
    """Compress what is large, and forget the passwords."""
    site.client_plan.unlink(missing_ok=True)
    large = [site.home / "journal.jsonl", *site.logs.glob("*.log")]
    large += [*site.tape("any").parent.glob("*.jsonl")]
    for path in large:
        if path.exists():
            _pack(path)


def _pack(path: Path) -> None:
    with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    path.unlink()


def _oms(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    urls = {
        "OMS_DATABASE__URL": role_url(stage.owner_url, APP_ROLE),
        "OMS_DATABASE__OWNER_URL": stage.owner_url,
    }
    return subprocess.run(
        [sys.executable, "-m", "oms", *arguments, "--config", str(stage.site.config)],
        check=False,
        capture_output=True,
        timeout=_LIMIT_S,
        env=environment_with(urls),
    )
