"""`oms core` in whose process a test decides what time it is, and a desk that runs it.

The clock goes as fast as ever; the test moves it ahead by a file that both have mapped.
"""

import mmap
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub, LightPeer
from oms.app import core, core_process
from oms.app.exits import Stop, complain
from oms.domain.values import micros
from oms.runtime.clock import SystemClock
from oms.settings.load import load
from tests.support.desk import Desk
from tests.support.processes import ROOT

_OFFSET = struct.Struct("q")


class MovedClock(SystemClock):
    """The system's clock and what the file says."""

    ahead: mmap.mmap

    def now(self) -> int:
        return super().now() + int(_OFFSET.unpack_from(self.ahead)[0])


def mapped(path: Path) -> mmap.mmap:
    """The file, mapped into memory."""
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _OFFSET.size)


class ClockedDesk(Desk):
    """A desk with a light venue and with schedules, whose core's clock the test moves."""

    venue: LightPeer

    def __init__(self, directory: Path, database_url: str, start: str, tables: str) -> None:
        """start: the first moment (ISO, UTC). tables: TOML behind the venue's table."""
        hub = Hub()
        settings = LightSettings(sender_comp_id="XSIM", target_comp_id="OMS", initiates=False)
        self.venue = hub.venue(settings)
        super().__init__(directory, database_url, {"XSIM": self.venue.port})
        self.hub.close()
        self.hub = hub
        text = self.config.read_text()
        self.config.write_text(text + tables)
        self._file = directory / "clock"
        self._file.write_bytes(_OFFSET.pack(0))
        self._ahead = mapped(self._file)
        self.move_to(start)

    def schedule(self, client: str, table: str) -> None:
        """Give a client lines of its table in the configuration."""
        before, mark, after = self.config.read_text().partition(f'accounts = ["{client}-1"]\n')
        reset, mark_after, rest = after.partition("\n")
        self.config.write_text(before + mark + reset + mark_after + table + rest)

    def move_to(self, moment: str) -> None:
        """From here on it is that time (ISO, UTC), or a little later."""
        wanted = micros(datetime.fromisoformat(moment).replace(tzinfo=UTC))
        _OFFSET.pack_into(self._ahead, 0, wanted - SystemClock().now())

    def start_core(self) -> None:
        self.core = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.config), str(self._file)],
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
        )


def main(config: str, clock: str) -> None:
    """Run the core as `oms core` does."""
    MovedClock.ahead = mapped(Path(clock))
    vars(core_process)["SystemClock"] = MovedClock
    try:
        code: int = core.run(load(config), config)
    except Stop as stop:
        complain(str(stop))
        code = stop.code
    core.leave(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
