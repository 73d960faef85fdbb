"""All that runs in a soak, kept running: what ends and should not is noted and started again."""

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from oms.demo.programs import DemoError, wait_until
from oms.soak import parts
from oms.soak.absences import Absences
from oms.soak.desk import Desk
from oms.soak.ground import Ground
from oms.soak.health import Health, Watch
from oms.soak.parts import Part
from oms.soak.site import CLIENTS, COMP_ID, HEARTBEAT_S, VENUES, Site, furnish
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_account import EmbeddedPostgresError
from oms.store.postgres_urls import APP_ROLE, READ_ROLE, SUPERUSER, role_url

START_LIMIT_S = 90.0
# A server that ended is started again after so long, as a service manager would.
AGAIN_S = 1.0
Note = Callable[..., None]


@dataclass(slots=True)
class Ending:
    """A part that ended by itself, and how."""

    part: str
    code: int | None


@dataclass(slots=True, kw_only=True)
class Stage:
    """See the module. note: writes an event of the run down.

    held: processes that are frozen; spoiled: what else is disturbed just now. guard: lets go who is
    held should we die, where no namespace ends them.
    """

    site: Site
    ground: Ground
    note: Note
    serve: Part
    venues: dict[str, Part]
    clients: dict[str, Part]
    owner_url: str = ""
    standby: Part | None = None
    watch: Watch | None = None
    desk: Desk = field(init=False)
    absences: Absences = field(init=False)
    guard: Part | None = None
    held: set[int] = field(default_factory=set)
    spoiled: set[str] = field(default_factory=set)
    endings: list[Ending] = field(default_factory=list)
    again: dict[str, float] = field(default_factory=dict)

    @property
    def health(self) -> Health:
        """The newest look."""
        assert self.watch is not None
        return self.watch.last

    def all_parts(self) -> list[Part]:
        """In the order in which they are stopped."""
        beside = [self.standby] if self.standby else []
        return [*self.clients.values(), *beside, self.serve, *self.venues.values()]

    def open(self) -> None:
        """Everything up and logged on. Raises DemoError."""
        if self.guard is not None:
            self.guard.start()
        for part in self.venues.values():
            part.start()
        self.serve.start()
        self.owner_url = self._await_database()
        self.desk = Desk(self.site, role_url(self.owner_url, APP_ROLE))
        self.absences = Absences(self.site.config, role_url(self.owner_url, APP_ROLE))
        with psycopg.connect(role_url(self.owner_url, SUPERUSER), autocommit=True) as connection:
            # The disk is small.
            connection.execute("ALTER SYSTEM SET max_wal_size = '192MB'")
            connection.execute("ALTER SYSTEM SET min_wal_size = '64MB'")
            connection.execute("SELECT pg_reload_conf()")
        self.watch = Watch(role_url(self.owner_url, READ_ROLE), VENUES, len(VENUES) + len(CLIENTS))
        self.watch.start()
        for part in self.clients.values():
            part.start()
        if not wait_until(lambda: not self.health.down, START_LIMIT_S, self._all_run):
            raise DemoError(f"not all sessions come up: {', '.join(self.health.down)}")
        app_url = role_url(self.owner_url, APP_ROLE)
        self.standby = parts.standby(self.site, self.ground.server_prefix, app_url, self.owner_url)
        self.standby.start()
        self.desk.start()
        self.absences.start()

    def _await_database(self) -> str:
        """Our own server's URL, once the supervisor has made it and its tables."""
        found = ""

        def there() -> bool:
            nonlocal found
            if not parts.postmaster_of(self.site):
                return False
            try:
                found = EmbeddedPostgres(self.site.postgres_dir).start()
                with psycopg.connect(found, connect_timeout=5) as connection:
                    connection.execute("SELECT 1 FROM leadership")
            except (EmbeddedPostgresError, psycopg.Error):
                return False
            return True

        if not wait_until(there, START_LIMIT_S, self._all_run):
            raise DemoError("the database does not come up")
        return found

    def _all_run(self) -> None:
        for part in self.all_parts():
            if part.wanted and not part.runs:
                raise DemoError(f"{part.name} ended with code {part.code}: see {part.log}")

    def keep(self) -> None:
        """Take in what the clients tell; start again what has ended, and note what ended itself."""
        now = time.monotonic()
        for part in self.all_parts():
            part.listen()
            if part.runs or not part.wanted:
                continue
            if part.name not in self.again:
                self.endings.append(Ending(part.name, part.code))
                self.note("ended", part=part.name, code=part.code)
                self.again[part.name] = now + AGAIN_S
            if now >= self.again[part.name]:
                del self.again[part.name]
                part.start()
                self.note("started", part=part.name, pid=part.pid)

    def kill(self, part: Part, down_s: float) -> None:
        """SIGKILL a part of ours; it is started again after so long."""
        self.again[part.name] = time.monotonic() + down_s
        part.kill()

    def hold(self, pids: list[int]) -> None:
        """Freeze processes."""
        for pid in pids:
            self.held.add(pid)
            if self.guard is not None:
                self.guard.say(f"hold {pid}")
            parts.send(pid, signal.SIGSTOP)

    def let_go(self, pids: list[int]) -> None:
        """Let frozen processes go on."""
        for pid in pids:
            parts.send(pid, signal.SIGCONT)
            self.held.discard(pid)
            if self.guard is not None:
                self.guard.say(f"let {pid}")

    def say(self, text: str) -> None:
        """To all clients."""
        for part in self.clients.values():
            part.say(text)

    def told(self, name: str) -> int:
        """What the clients tell under that name, added up."""
        return sum(int(part.state.get(name, 0)) for part in self.clients.values())

    def served(self, command: bytes) -> list[int]:
        """The supervisor's processes of that command, by their command lines."""
        children = parts.children(self.serve.pid)
        return [pid for pid in children if b"\0%b\0" % command in parts.title_of(pid)]

    def core_pids(self) -> list[int]:
        """The cores that run: the supervisor's, and the one beside it."""
        found = self.served(b"core")
        if self.standby is not None and self.standby.runs:
            found.append(self.standby.pid)
        return found

    def close(self) -> None:
        """Stop everything, in order."""
        if self.watch is not None:
            self.watch.stop()
        if self.owner_url:
            self.desk.stop()
            self.absences.stop()
        self.let_go(list(self.held))
        for part in self.all_parts():
            part.stop()
        if self.guard is not None:
            self.guard.kill()


def make_stage(ground: Ground, note: Note, *, guarded: bool) -> Stage:
    """Everything made, nothing started. guarded: no namespace ends what is left of it."""
    site = ground.site
    furnish(site)
    site.client_plan.touch(mode=0o600)
    plan = {
        "host": site.entrance.host,
        "port": site.entrance.port,
        "target_comp_id": COMP_ID,
        "password": site.password,
        "heartbeat_s": HEARTBEAT_S,
        "seed": site.seed,
        "accounts": {name: list(accounts) for name, accounts in CLIENTS.items()},
        "tapes": str(site.tape("any").parent),
    }
    site.client_plan.write_text(json.dumps(plan), encoding="utf-8")
    return Stage(
        site=site,
        ground=ground,
        note=note,
        guard=parts.guard(site) if guarded else None,
        serve=parts.serve(site, ground.server_prefix),
        venues={name: parts.venue(site, name) for name in VENUES},
        clients={name: parts.client(site, name) for name in CLIENTS},
    )
