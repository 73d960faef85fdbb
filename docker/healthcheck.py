"""Whether the process of this container does its work: 0 if so, else 1 and a line that says why.

A core that stands by is healthy: it has no port yet. What is looked for is a process that has its
port and does not answer.
"""

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from oms.settings import Settings, load

TIMEOUT_S = 5.0
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  (compared, not listened on)
DEFAULT_CONFIG = "config/oms.toml"


def main() -> int:
    """The container's process is number 1; another number may be given."""
    words = Path(f"/proc/{(sys.argv[1:] or ['1'])[0]}/cmdline").read_bytes().split(b"\0")
    arguments = arguments_of([word.decode() for word in words if word])
    if not arguments or arguments[0] not in CHECKS:
        return 0  # a command that answers and ends
    try:
        CHECKS[arguments[0]](load(config_of(arguments)), arguments)
    except OSError as error:
        print(f"{arguments[0]}: {error}")
        return 1
    return 0


def arguments_of(words: list[str]) -> list[str]:
    """What stands behind `oms`, or `-m oms`."""
    for index, word in enumerate(words):
        if Path(word).name == "oms":
            return words[index + 1 :]
    return []


def config_of(arguments: list[str]) -> str:
    """The file that the process was given."""
    for option, value in pairwise(arguments):
        if option in {"--config", "-c"}:
            return value
    return DEFAULT_CONFIG


def core(settings: Settings, _: list[str]) -> None:
    """Of a core that leads. Nobody listens: it stands by."""
    if not settings.core.metrics_port:
        return
    try:
        answer(settings.core.metrics_host, settings.core.metrics_port, "/metrics")
    except urllib.error.URLError as error:
        if not isinstance(error.reason, ConnectionRefusedError):
            raise


def api(settings: Settings, _: list[str]) -> None:
    answer(settings.api.host, settings.api.port, "/health")


def jobs(settings: Settings, _: list[str]) -> None:
    answer(settings.jobs.metrics_host, settings.jobs.metrics_port, "/metrics")


def exchange(settings: Settings, arguments: list[str]) -> None:
    venue = next(one for one in settings.venues if one.name in arguments)
    socket.create_connection((venue.host, venue.port), TIMEOUT_S).close()


def answer(host: str, port: int, path: str) -> None:
    """Raises OSError, which HTTP's errors are too."""
    name = "127.0.0.1" if host in EVERYWHERE else host
    urllib.request.urlopen(f"http://{name}:{port}{path}", timeout=TIMEOUT_S).close()


CHECKS: dict[str, Callable[[Settings, list[str]], None]] = {
    "core": core,
    "api": api,
    "jobs": jobs,
    "serve": api,
    "exchange": exchange,
}

if __name__ == "__main__":
    sys.exit(main())
