"""What the kernel and `postmaster.pid` say about a postmaster; the tie to its starter."""

import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PID_LINE, _PORT_LINE, _SOCKET_LINE, _STATUS_LINE = 0, 3, 4, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """`postmaster.pid`; what the postmaster has not written yet is empty."""

    pid: int
    port: int
    socket_dir: Path | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """A live process; a zombie is not one."""

    parent_pid: int
    working_dir: Path | None


def die_with_parent(signum: int) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the child `signum` when the thread that forked it ends.

    Popen runs it after the change of account, which would undo it. Linux only; elsewhere it does
    nothing.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent_pid = os.getpid()

    def tie() -> None:
        if prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0) != 0 or os.getppid() != parent_pid:
            os._exit(1)

    return tie


def read_pid_file(cluster: Path) -> PidFile | None:
    """The cluster's `postmaster.pid`, or None if there is none; half-written is as good as none."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    lines += [""] * (_STATUS_LINE + 1 - len(lines))
    if not lines[_PID_LINE].lstrip("-").isdecimal():
        return None
    return PidFile(
        pid=abs(int(lines[_PID_LINE])),
        port=int(lines[_PORT_LINE] or 0),
        socket_dir=Path(lines[_SOCKET_LINE]) if lines[_SOCKET_LINE] else None,
        status=lines[_STATUS_LINE].strip(),
    )


def process_facts(pid: int) -> ProcessFacts | None:
    """The process `pid`, or None if it is gone or only waits to be reaped."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    if state in "ZX":
        return None
    try:
        working_dir = Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        working_dir = None
    return ProcessFacts(parent_pid=int(parent), working_dir=working_dir)


def serves(pid: int, cluster: Path) -> bool:
    """Whether `pid` is the cluster's postmaster, not another that got a dead one's number."""
    if not Path("/proc/self/stat").exists():
        return is_alive(pid)
    facts = process_facts(pid)
    return facts is not None and facts.working_dir == cluster


def is_alive(pid: int) -> bool:
    """Whether the kernel knows `pid`, zombies included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def log_tail(log_file: Path, *, start: int, lines: int = 15) -> str:
    """The last lines that the server has logged since the byte offset `start`."""
    try:
        with log_file.open("rb") as file:
            file.seek(start)
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(nothing logged)"
