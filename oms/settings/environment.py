"""What a child process is started with: our own environment and what it is to find changed."""

import os
from collections.abc import Mapping


def environment_with(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment under `changes`."""
    return {**os.environ, **changes}


def environment_without_settings() -> dict[str, str]:
    """This process's environment without OMS_ variables, for a child whose file says everything."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OMS_")}
