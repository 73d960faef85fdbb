"""Which installed packages no process of Plumbline needs; with --remove they are uninstalled.

Everything stays that the project asks for outside its extras, and what that asks for in turn.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distributions, requires

from packaging.requirements import Requirement

PROJECT = "plumbline"


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> set[str]:
    """The project and everything that it stands on, by normalized names."""
    found: set[tuple[str, str]] = set()
    waiting = [(PROJECT, "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # for another system
            continue
        for line in lines:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [(plain(wanted.name), one) for one in ("", *wanted.extras)]
    return {name for name, _ in found}


def main() -> int:
    superfluous = sorted({plain(one.metadata["Name"]) for one in distributions()} - needed())
    print(" ".join(superfluous))
    if "--remove" not in sys.argv[1:] or not superfluous:
        return 0
    command = [sys.executable, "-m", "pip", "uninstall", "--yes", "--quiet", *superfluous]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
