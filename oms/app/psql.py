"""`oms db psql`: psql on the record, as the role that may read all and change nothing."""

import shutil
import signal
import subprocess
from collections.abc import Sequence

from oms.app.database import database
from oms.app.exits import Exit, Stop
from oms.settings.model import Settings
from oms.store.postgres_binaries import find_psql
from oms.store.postgres_urls import READ_ROLE, role_url


def run(settings: Settings, arguments: Sequence[str]) -> int:
    """psql's exit code. For a server by URL the reader's password comes from where psql looks for
    it (PGPASSWORD, ~/.pgpass, or it asks): that in the URL is another role's. Raises Stop.
    """
    with database(settings.database) as urls:
        program = shutil.which("psql") or find_psql(settings.database.bin_dir)
        if urls.server is not None:
            program = find_psql(settings.database.bin_dir) or program
        if program is None:
            raise Stop(Exit.FAILED, "psql: is not installed; PostgreSQL's client package has it")
        url = role_url(urls.app, READ_ROLE, with_password=False)
        # No start-up file: what a document's query prints is the same everywhere.
        command = [str(program), "--no-psqlrc", "--dbname", url, *arguments]
        # Ctrl-C is psql's: it ends a query there.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            done = subprocess.run(command, check=False)
        finally:
            signal.signal(signal.SIGINT, before)
        return done.returncode
