"""The boundary around a soak: namespaces of its own, where the machine gives them.

Processes, mounts and networks of a soak live in namespaces whose first process is ours. Whatever
ends that one, SIGKILL included, the kernel ends the rest: frozen processes, mounts and interfaces
too. Where there are no namespaces, every process is tied to its starter, and what was frozen is
let go by a guard (oms.soak.guard).
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from oms.store.postgres_process import die_with_parent

_FLAGS = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_SIGKILL = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """What the machine allows. why_not: why there are no namespaces."""

    namespaces: bool
    why_not: str = ""


def look() -> Boundary:
    """Try whether namespaces can be had."""
    if os.geteuid() != 0:
        return Boundary(namespaces=False, why_not="this is not root")
    missing = [one for one in ("unshare", "nsenter", "ip", "mount") if shutil.which(one) is None]
    if missing:
        return Boundary(namespaces=False, why_not=f"there is no program {', '.join(missing)}")
    tried = subprocess.run(
        ["unshare", *_FLAGS, "ip", "link", "add", "soak0", "type", "veth", "peer", "name", "soak1"],
        check=False,
        capture_output=True,
        timeout=30,
    )
    if tried.returncode:
        said = tried.stderr.decode(errors="replace").strip().partition("\n")[0]
        return Boundary(namespaces=False, why_not=said or f"unshare ends with {tried.returncode}")
    return Boundary(namespaces=True)


def within(boundary: Boundary, module: str, arguments: list[str]) -> int:
    """Run `python -m module ARGUMENTS` inside, and wait for it; its exit code."""
    command = [sys.executable, "-m", module, *arguments]
    if boundary.namespaces:
        command = ["unshare", *_FLAGS, sys.executable, "-m", "oms.soak.boundary", *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent(_SIGKILL),  # noqa: PLW1509 - two system calls
    )
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def main() -> None:
    """The first process of the namespaces: starts the soak, and buries who is left to it."""
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - no shell is wanted
    while True:
        ended, status = os.wait()
        if ended == child:
            # The kernel ends whoever is left.
            os._exit(os.waitstatus_to_exitcode(status) % 256)


if __name__ == "__main__":
    main()
