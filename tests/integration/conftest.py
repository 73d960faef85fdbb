"""Fixtures of several modules: a gate with an engine behind it, and certificates."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gate_rig import LOCALHOST, Rig, running_gate
from tests.integration.gate_site import Site, at_the_gate
from tests.support.tls import Authority, Pair, server_files


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Pair:
    """The gate's certificate."""
    return authority.issue(LOCALHOST)


@pytest.fixture
def tls_rig(server: Pair) -> Iterator[Rig]:
    with running_gate(tls=at_the_gate(server_files(server))) as found:
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A gate that hands them over."""
    with contextlib.closing(Site(tmp_path, hands_over=True)) as found:
        yield found
