"""The ground under a soak: a small disk that can be full, and links that can be cut.

In namespaces: the server has a network of its own, joined by a pair of interfaces to its clients
and by one to each venue; the disk is a tmpfs. Without them: a relay of ours stands in each link,
and the disk is a plain directory that is never full.
"""

import contextlib
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from oms.demo.programs import DemoError, wait_until
from oms.demo.world import HOST
from oms.settings.environment import environment_without_settings
from oms.soak.site import VENUES, Place, Site, draw_ports, new_api_keys, new_password
from oms.store.postgres_process import die_with_parent

CLIENTS_LINK = "clients"
LINKS = (CLIENTS_LINK, *VENUES)
DISK_MB = 768
_MB = 1 << 20
_SIGKILL = 9
_LIMIT_S = 20.0


class Ground(ABC):
    """What differs with what the machine allows. can_fill: whether the disk can be full."""

    can_fill = False
    links = "a relay of ours in each link stalls and cuts"

    def __init__(self, home: Path, seed: int) -> None:
        self.site = self._site(home, seed, draw_ports())

    @abstractmethod
    def _site(self, home: Path, seed: int, ports: tuple[int, ...]) -> Site:
        """Where the parts stand and listen."""

    @property
    def server_prefix(self) -> list[str]:
        """What stands before the command of a part of the server."""
        return []

    def lay(self) -> None:  # noqa: B027 - relays need nothing
        """Make it; the site is not furnished yet."""

    def open(self) -> None:  # noqa: B027 - a veth pair is open
        """Open the links; the site is furnished."""

    @abstractmethod
    def cut(self, link: str) -> None:
        """Nothing passes any more, and nobody is told."""

    @abstractmethod
    def mend(self, link: str) -> None:
        """It passes again."""

    def fill(self) -> None:  # noqa: B027 - see can_fill
        """Take what is left of the disk; to be repeated, as files may shrink."""

    def free(self) -> None:  # noqa: B027 - see can_fill
        """Give it back."""

    @abstractmethod
    def close(self) -> None:
        """Take it away."""


class NamespacedGround(Ground):
    """See the module; works inside of oms.soak.boundary only."""

    can_fill = True
    links = "network namespaces, with a veth pair in each link that is set down"

    def _site(self, home: Path, seed: int, ports: tuple[int, ...]) -> Site:
        server, api, jobs, *others = ports
        venues = {
            name: Place(host=_address(name, 1), port=others[2 * number])
            for number, name in enumerate(VENUES)
        }
        place = Place(host=_address(CLIENTS_LINK, 2), port=server)
        return Site(
            home=home,
            disk=home / "disk",
            server=place,
            entrance=place,
            venues=venues,
            exits=venues,
            controls=_controls(others),
            api=Place(host=place.host, port=api),
            jobs_port=jobs,
            seed=seed,
            password=new_password(),
            api_keys=new_api_keys(),
        )

    @property
    def server_prefix(self) -> list[str]:
        """See Ground."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--"]

    def lay(self) -> None:
        """See Ground."""
        disk = self.site.disk
        disk.mkdir(parents=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "soak", str(disk))
        self._ballast = disk / "ballast"
        # It only holds the server's network; the kernel ends it with us.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"],
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent(_SIGKILL),  # noqa: PLW1509 - two system calls
        )
        ours = Path("/proc/self/ns/net").stat().st_ino
        theirs = Path(f"/proc/{self._holder.pid}/ns/net")
        if not wait_until(lambda: theirs.stat().st_ino != ours, _LIMIT_S):
            raise DemoError("the server's network namespace does not come")
        inside = self.server_prefix
        _run("ip", "link", "set", "lo", "up")
        _run(*inside, "ip", "link", "set", "lo", "up")
        for link in LINKS:
            far, near = f"far-{link}", f"near-{link}"
            _run("ip", "link", "add", far, "type", "veth", "peer", "name", near)
            _run("ip", "link", "set", near, "netns", str(self._holder.pid))
            for prefix, name, last in (([], far, 1), (inside, near, 2)):
                _run(*prefix, "ip", "address", "add", f"{_address(link, last)}/24", "dev", name)
                _run(*prefix, "ip", "link", "set", name, "up")

    def cut(self, link: str) -> None:
        """See Ground."""
        _run("ip", "link", "set", f"far-{link}", "down")

    def mend(self, link: str) -> None:
        """See Ground."""
        _run("ip", "link", "set", f"far-{link}", "up")

    def fill(self) -> None:
        """See Ground."""
        with contextlib.suppress(OSError), self._ballast.open("ab") as file:
            status = os.statvfs(self.site.disk)
            left = status.f_bavail * status.f_frsize
            size = os.fstat(file.fileno()).st_size
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), size, max(left, 1))
            while True:  # to the last page
                file.write(bytes(4096))
                file.flush()

    def free(self) -> None:
        """See Ground."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """See Ground."""
        self._holder.kill()
        self._holder.wait(_LIMIT_S)
        _run("umount", "--lazy", str(self.site.disk))
        with contextlib.suppress(OSError):
            self.site.disk.rmdir()


class RelayedGround(Ground):
    """See the module; needs no rights."""

    def _site(self, home: Path, seed: int, ports: tuple[int, ...]) -> Site:
        server, api, jobs, *others = ports
        entrance, *exits = draw_ports()[: 1 + len(VENUES)]
        return Site(
            home=home,
            disk=home / "disk",
            server=Place(host=HOST, port=server),
            entrance=Place(host=HOST, port=entrance),
            venues={
                name: Place(host=HOST, port=others[2 * number])
                for number, name in enumerate(VENUES)
            },
            exits={name: Place(host=HOST, port=exits[n]) for n, name in enumerate(VENUES)},
            controls=_controls(others),
            api=Place(host=HOST, port=api),
            jobs_port=jobs,
            seed=seed,
            password=new_password(),
            api_keys=new_api_keys(),
        )

    def open(self) -> None:
        """See Ground."""
        site = self.site
        routes = [f"{CLIENTS_LINK}={site.entrance.port}={site.server.port}"]
        routes += [f"{one}={site.exits[one].port}={site.venues[one].port}" for one in VENUES]
        with site.log("relay").open("ab") as log:
            self._relay = subprocess.Popen(
                [sys.executable, "-m", "oms.soak.relay", *routes],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment_without_settings(),
                preexec_fn=die_with_parent(_SIGKILL),  # noqa: PLW1509 - two system calls
            )

    def cut(self, link: str) -> None:
        """See Ground."""
        self._say(f"cut {link}")

    def mend(self, link: str) -> None:
        """See Ground."""
        self._say(f"mend {link}")

    def close(self) -> None:
        """See Ground."""
        self._relay.kill()
        self._relay.wait(_LIMIT_S)

    def _say(self, text: str) -> None:
        assert self._relay.stdin is not None
        self._relay.stdin.write(f"{text}\n".encode())
        self._relay.stdin.flush()


def _address(link: str, last: int) -> str:
    return f"10.99.{LINKS.index(link)}.{last}"


def _controls(ports: list[int]) -> Mapping[str, int]:
    return {name: ports[2 * number + 1] for number, name in enumerate(VENUES)}


def _run(*command: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while True:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_LIMIT_S)
        if done.returncode == 0:
            return
        if time.monotonic() > deadline or b"busy" not in done.stderr:
            said = done.stderr.decode(errors="replace").strip()
            raise DemoError(f"{' '.join(command)}: {said}")
