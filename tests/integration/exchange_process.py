"""A venue in a process of its own, and light FIX clients that speak to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fix_sessions.exchange_control import ExchangeControl
from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from fix_sessions.wire import fields_of

ROOT = Path(__file__).resolve().parent.parent.parent
_PROGRAM = """
import json, sys
from fix_sessions.exchange import run
from fix_sessions.exchange_config import config_from
sys.exit(run(config_from(json.loads(sys.argv[1]))))
"""
_TIMEOUT_S = 30.0
_NOW = "20260101-00:00:00.000"


def values_of(directory: Path, **more: object) -> dict[str, Any]:
    """Plain configuration of a venue XSIM without liquidity, for counterparties OMS and RIVAL."""
    return {
        "name": "XSIM",
        "sender_comp_id": "XSIM",
        "target_comp_ids": ["OMS", "RIVAL"],
        "data_dir": str(directory / "venue"),
        "symbols": [
            {"symbol": "ACME", "reference_price": "100", "tick": "0.01"},
            {"symbol": "ZETA", "reference_price": "20", "tick": "0.05", "lot": "10"},
        ],
        "liquidity": {"depth": 0},
    } | more


class VenueProcess:
    """One running venue. Use as a context: it is killed at the end if it still runs."""

    def __init__(self, values: dict[str, Any], prelude: str = "") -> None:
        """prelude: what the process does before all else."""
        self.values = values
        self._program = prelude + _PROGRAM
        self.port = self.control_port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and wait until it listens; later starts use the same ports."""
        values = self.values | {"port": self.port, "control_port": self.control_port}
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._program, json.dumps(values)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the venue did not start: {self._process.communicate()[1]}")
        ready = json.loads(line)
        self.port, self.control_port = ready["listening"], ready["control"]

    def control(self) -> ExchangeControl:
        return ExchangeControl(self.control_port)

    def signal(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal and wait for the end; exit code and what stderr said."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        code, _ = self.signal(signal.SIGKILL)
        assert code == -signal.SIGKILL

    def wait(self) -> tuple[int, str]:
        """Wait for the process's end."""
        assert self._process is not None
        _, errors = self._process.communicate(timeout=_TIMEOUT_S)
        code, self._process = self._process.returncode, None
        return code, errors

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def end(self) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.communicate(timeout=_TIMEOUT_S)


@contextmanager
def running(directory: Path, **more: object) -> Iterator[VenueProcess]:
    """A running venue with values_of(directory, **more)."""
    venue = VenueProcess(values_of(directory, **more))
    try:
        venue.start()
        yield venue
    finally:
        venue.end()


def client(hub: Hub, port: int, name: str = "OMS") -> LightPeer:
    """A light client of the venue, logged on."""
    settings = LightSettings(sender_comp_id=name, target_comp_id="XSIM", heartbeat_s=10)
    peer = hub.client("127.0.0.1", port, settings)
    peer.logon()
    return peer


def order_fields(cl_ord_id: str, side: str = "1", qty: str = "100", **more: str) -> list[Any]:
    """Fields of a NewOrderSingle for ACME: price 100 unless given; tif, symbol likewise."""
    price = more.get("price", "100")
    return [
        (11, cl_ord_id),
        (21, "1"),
        (55, more.get("symbol", "ACME")),
        (54, side),
        (60, _NOW),
        (38, qty),
        *([(40, "2"), (44, price)] if price else [(40, "1")]),
        (59, more.get("tif", "0")),
    ]


def cancel_fields(cl_ord_id: str, orig: str, side: str = "1") -> list[tuple[int, str]]:
    """Fields of an OrderCancelRequest for ACME."""
    return [(11, cl_ord_id), (41, orig), (55, "ACME"), (54, side), (60, _NOW), (38, "100")]


def wait_report(peer: LightPeer, cl_ord_id: str, exec_type: str, since: int = 0) -> Message:
    """The first report with this ClOrdID and ExecType."""
    return peer.wait_for(
        lambda m: m.msg_type == "8" and m.get(11) == cl_ord_id and m.get(150) == exec_type,
        since=since,
    )


def reports(peer: LightPeer) -> list[Message]:
    return [message for message in peer.messages if message.msg_type == "8"]


def values(message: Message, *tags: int) -> list[str | None]:
    return [message.get(tag) for tag in tags]


def every(message: Message, tag: int) -> list[str]:
    """Every value of a tag, in order."""
    return [value for found, value in fields_of(str(message).replace("|", "\x01")) if found == tag]
