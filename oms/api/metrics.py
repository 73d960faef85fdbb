"""The API process's own metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = tuple(
    base * scale / 10_000 for scale in (1, 10, 100, 1_000, 10_000) for base in (5, 10, 25)
)

REQUESTS = Counter(
    "plumbline_api_requests_total", "Requests by route and status", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "plumbline_api_request_seconds",
    "Time to answer a request",
    ["method", "route"],
    buckets=_SECONDS,
)
COMMANDS = Counter(
    "plumbline_api_commands_total",
    "Commands handed to the core: accepted, refused, repeated, conflicting or still waiting",
    ["command", "outcome"],
)
COMMAND_SECONDS = Histogram(
    "plumbline_api_command_seconds",
    "From the hand-over of a command to the core's answer",
    ["command"],
    buckets=_SECONDS,
)
WAITING = Gauge("plumbline_api_commands_waiting", "Commands whose answer is waited for now")
