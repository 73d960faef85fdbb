"""The sockets that QuickFIX opens inside this process: found, named and asked (Linux).

QuickFIX does not tell which descriptors it waits on. They are found by what the kernel says of each
socket of this process: its port, its counterparty, and its inode, as numbers are used again.
"""

import array
import contextlib
import fcntl
import os
import resource
import socket
import stat
import struct
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

# Where fields stand in Linux's struct tcp_info: 8 bytes, 24 four-byte words, 2 rates, then bytes
# acknowledged and bytes received; the state first of all, silence among the words.
_LAST_DATA_RECV_AT = 8 + 11 * 4
_BYTES_ACKED_AT = 8 + 24 * 4 + 2 * 8
_BYTES_RECEIVED_AT = _BYTES_ACKED_AT + 8
_TCP_INFO_BYTES = _BYTES_RECEIVED_AT + 8
_ESTABLISHED = 1
_MS_PER_S = 1_000

Address = tuple[str, int]


def open_as_many_as_allowed() -> None:
    """This process and those it starts may have as many as the machine allows: the usual 1,024 are
    used up by some hundred sessions. select() fails beyond those: what is asked by it here was
    opened at the start.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # elsewhere than on Linux
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def open_sockets() -> dict[int, int]:
    """Every open socket of this process, by descriptor, with its inode."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names, not paths
        with contextlib.suppress(OSError):  # the descriptor of this very listing, and races
            status = os.fstat(int(name))
            if stat.S_ISSOCK(status.st_mode):
                found[int(name)] = status.st_ino
    return found


@contextlib.contextmanager
def borrowed(descriptor: int) -> Iterator[socket.socket]:
    """The descriptor as a socket object, which leaves it open."""
    borrower = socket.socket(fileno=descriptor)
    try:
        yield borrower
    finally:
        borrower.detach()


def is_nameless_unix(descriptor: int) -> bool:
    """Whether this is an end of a socketpair, as QuickFIX uses one to wake its own poll."""
    try:
        with borrowed(descriptor) as end:
            return end.family is socket.AF_UNIX and not (end.getsockname() or end.getpeername())
    except OSError:
        return False


def local_port(descriptor: int) -> int | None:
    """The port that an internet socket is bound to, or None for any other socket.

    Also for one that another thread has closed meanwhile.
    """
    try:
        with borrowed(descriptor) as found:
            is_internet = found.family in (socket.AF_INET, socket.AF_INET6)
            return int(found.getsockname()[1]) if is_internet else None
    except OSError:
        return None


def peer_port(descriptor: int) -> int | None:
    """The port that an internet socket is connected to, or None."""
    try:
        with borrowed(descriptor) as found:
            is_internet = found.family in (socket.AF_INET, socket.AF_INET6)
            return int(found.getpeername()[1]) if is_internet else None
    except OSError:
        return None


def bytes_written(descriptor: int) -> int:
    """How many bytes were ever written to this TCP connection: those acknowledged and those not."""
    waiting = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.TIOCOUTQ, waiting)
    acknowledged: int = struct.unpack_from("Q", _tcp_info(descriptor), _BYTES_ACKED_AT)[0]
    return acknowledged + waiting[0]


def bytes_read(descriptor: int) -> int:
    """How many bytes were ever read from this TCP connection: those received and not unread."""
    received: int = struct.unpack_from("Q", _tcp_info(descriptor), _BYTES_RECEIVED_AT)[0]
    unread = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, unread)
    return received - unread[0]


def silence_s(descriptor: int) -> float:
    """How long ago the last byte of this TCP connection came."""
    found: int = struct.unpack_from("I", _tcp_info(descriptor), _LAST_DATA_RECV_AT)[0]
    return found / _MS_PER_S


def is_established(descriptor: int) -> bool:
    """Whether neither side of this TCP connection has ended it."""
    return _tcp_info(descriptor)[0] == _ESTABLISHED


def _tcp_info(descriptor: int) -> bytes:
    with borrowed(descriptor) as connection:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)


def uid_of_peer(peer: Address, own: Address) -> int | None:
    """Whose the other end of a loopback connection is (IPv4); None where nobody can tell.

    Nobody can once that end is closed.
    """
    try:
        wanted = (_hex(*peer), _hex(*own), _ESTABLISHED)
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    except OSError:  # or it is no IPv4 address
        return None
    rows = (line.split() for line in lines)
    return next((int(row[7]) for row in rows if (row[1], row[2], int(row[3], 16)) == wanted), None)


def _hex(host: str, port: int) -> str:
    """An IPv4 address as /proc/net/tcp writes it."""
    number = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    return f"{number:08X}:{port:04X}"


def uid_behind(descriptor: int) -> int | None:
    """As `uid_of_peer`, of a connection that this process has."""
    try:
        with borrowed(descriptor) as connection:
            return uid_of_peer(connection.getpeername()[:2], connection.getsockname()[:2])
    except OSError:
        return None


def shut_down(descriptor: int) -> None:
    """End a connection, if it is open still, so that its owner, QuickFIX, sees it and closes it."""
    with contextlib.suppress(OSError), borrowed(descriptor) as connection:
        connection.shutdown(socket.SHUT_RDWR)
