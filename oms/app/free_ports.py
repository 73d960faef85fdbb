"""Ports of loopback for processes that are started a moment later: demo, bench, soak and tests."""

import itertools
import random
import socket
from pathlib import Path

_HOST = "127.0.0.1"
_FIRST = 10_240
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_BEGIN_OF_RANGE_USUALLY = 32_768

_handed_out: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on now and that was not given before in this process.

    It lies below those that the system gives outgoing connections, so none of these takes it before
    its process listens.
    """
    end = _begin_of_outgoing()
    for _ in itertools.repeat(None, end - _FIRST):
        port = random.SystemRandom().randrange(_FIRST, end)
        if port not in _handed_out and _is_free(port):
            _handed_out.add(port)
            return port
    raise OSError(f"no port between {_FIRST} and {end} is free")


def _begin_of_outgoing() -> int:
    try:
        begin = int(_RANGE.read_text().split()[0])
    except OSError:
        begin = _BEGIN_OF_RANGE_USUALLY
    return begin if begin > _FIRST else 65_536


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((_HOST, port)):
            return True
    except OSError:
        return False
