"""A core in the simulator logs as any does; nobody reads it here."""

import logging

import pytest
import structlog


@pytest.fixture(autouse=True)
def _silence() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
