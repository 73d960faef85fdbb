"""The engine's side of the gate: start it, hear from it, stop it."""

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from fix_sessions.child_process import READ_BYTES, end, pipe, read_lines
from fix_sessions.gate_config import GateClient, GateConfig, clients_to_line, config_to_json
from fix_sessions.gate_events import GateEvent, event_from_json


class GateError(RuntimeError):
    """The gate did not start; the text is one line that names the cause."""


class GateProcess:
    """A running gate, for one thread. Only `start` and `stop` wait, both with a bound.

    hands_over: connections are offered on `channel`, to be taken over after their Logon.
    """

    def __init__(self, config: GateConfig, *, hands_over: bool = False) -> None:
        self._config = config
        self._hands_over = hands_over
        # Our end of the socket pair, from `start` on; whoever uses it closes it.
        self.channel: socket.socket | None = None
        self.port: int | None = None
        self.tls_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._has_ended = False

    @property
    def pid(self) -> int:
        return self._started().pid

    def start(self, timeout_s: float = 10.0) -> int:
        """Start the gate and give the port of connections without TLS. Raises GateError."""
        self.begin(timeout_s)
        deadline = time.monotonic() + timeout_s
        try:
            self.port = self._port_from(self._first_line(deadline))
        except BaseException:
            self.stop(timeout_s=1.0)
            raise
        return self.port

    def begin(self, timeout_s: float = 10.0) -> None:
        """Start the gate; `port` is known once `read_events` has come across it."""
        config = replace(self._config, parent_pid=os.getpid())
        with contextlib.ExitStack() as stack:
            passed = []
            if self._hands_over:
                self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                stack.callback(theirs.close)
                passed = [theirs.fileno()]
                config = replace(config, handover_fd=theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fix_sessions.gate"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).resolve().parents[1],
                pass_fds=passed,
            )
        os.set_blocking(self.fileno(), False)
        deadline = time.monotonic() + timeout_s
        try:
            self._send(config_to_json(config).encode() + b"\n", deadline)
        except BaseException:
            self.stop(timeout_s=1.0)
            raise

    def pinned(self) -> GateConfig:
        """The configuration with the ports that this gate has, for one that takes its place."""
        config = replace(self._config, port=self.port or 0)
        if config.tls is None:
            return config
        return replace(config, tls=replace(config.tls, port=self.tls_port))

    def let_in(self, clients: Sequence[GateClient], timeout_s: float = 5.0) -> None:
        """These may come in from now on; who is in stays in. Raises GateError where it is gone."""
        self._config = replace(self._config, clients=tuple(clients))
        self._send(clients_to_line(clients), time.monotonic() + timeout_s)

    def fileno(self) -> int:
        """Readable when there are events, or when the gate has ended: see `alive`."""
        return pipe(self._started().stdout).fileno()

    def read_events(self) -> list[GateEvent]:
        """What has come so far, without waiting. Nothing is left to come once `alive` is False.

        Raises GateError where the gate says that it cannot listen.
        """
        lines, self._unread, self._has_ended = read_lines(self.fileno(), self._unread)
        if self.port is None and lines:
            self.port = self._port_from(lines.pop(0))
        return [event_from_json(line) for line in lines]

    def alive(self) -> bool:
        """False once the gate has ended: no client is connected any more, none can connect."""
        return self._process is not None and not self._has_ended and self._process.poll() is None

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close all connections and end the gate; a second call does nothing."""
        if self._process is None:
            return
        end(self._process, timeout_s)
        self._has_ended = True

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise GateError("the gate has not been started")
        return self._process

    def _send(self, data: bytes, deadline: float) -> None:
        """The configuration may be larger than a pipe holds, and the child may die meanwhile."""
        stdin = pipe(self._started().stdin)
        os.set_blocking(stdin.fileno(), False)
        while data:
            _wait_for(stdin, selectors.EVENT_WRITE, deadline)
            with contextlib.suppress(BlockingIOError):
                try:
                    data = data[os.write(stdin.fileno(), data) :]
                except BrokenPipeError:
                    raise GateError(self._ending()) from None

    def _first_line(self, deadline: float) -> bytes:
        stdout = pipe(self._started().stdout)
        while b"\n" not in self._unread:
            _wait_for(stdout, selectors.EVENT_READ, deadline)
            piece = os.read(stdout.fileno(), READ_BYTES)
            if not piece:
                raise GateError(self._ending())
            self._unread += piece
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _ending(self) -> str:
        try:
            code: int | None = self._started().wait(1.0)
        except subprocess.TimeoutExpired:
            code = None
        return f"the FIX gate ended before it listened (exit code {code})"

    def _port_from(self, line: bytes) -> int:
        try:
            answer = json.loads(line)
        except ValueError:
            raise GateError(f"the FIX gate answered {line[:200]!r}") from None
        if "error" in answer:
            raise GateError(str(answer["error"]))
        self.tls_port = int(answer.get("tls", 0))
        return int(answer["listening"])


def _wait_for(stream: IO[bytes], what: int, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, what)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise GateError("the FIX gate did not start in time")
