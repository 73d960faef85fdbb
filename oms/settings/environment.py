"""What a child process is started with: our own environment and what it is to find changed."""

import os
from collections.abc import Mapping


def environment_with(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment under `changes`."""
    return {**os.environ, **changes}
