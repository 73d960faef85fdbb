"""The gate: a process of its own on the public FIX port, in front of the engine's internal one.

The engine polls all its connections on one thread, so a stranger's connection could hold up
everybody: by a Logon sent byte by byte, by 141=Y before anybody asked for the password, by not
reading. Here a connection has to bring one whole, sound, authenticated Logon in time; only that
reaches the engine, with a ticket where the password was, and bytes are relayed from then on.

Started by the engine's process as `python -m fix_sessions.gate`: one JSON line of configuration
comes on standard input, `{"listening": port}` or `{"error": text}` goes to standard output, then
one JSON line for each event. Each further line on standard input is a new list of the clients that
may come in. It ends when standard input closes, so it never outlives the engine.
"""

import asyncio
import contextlib
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import uvloop

from fix_sessions.gate_admission import Admission
from fix_sessions.gate_config import (
    GateConfig,
    GateConfigError,
    clients_from_line,
    config_from_json,
)
from fix_sessions.gate_events import DisconnectCause
from fix_sessions.gate_reporter import Reporter
from fix_sessions.gate_state import Gate, let_in, make_gate
from fix_sessions.gate_tls import TlsDoor
from fix_sessions.parent_watch import ParentWatch, until_stopped
from fix_sessions.tls_files import TlsFileError

EXIT_OK: Final = 0
EXIT_CONFIG: Final = 2
EXIT_CANNOT_LISTEN: Final = 3

_MS_PER_SECOND: Final = 1_000
_BACKLOG: Final = 512
_BIND_RETRY_SECONDS: Final = 0.05
_MAX_CONFIG_BYTES: Final = 64 << 20
_STDIN, _STDOUT = 0, 1


async def serve(config: GateConfig, begun: bytes = b"") -> int:
    """Run until standard input closes, the parent is gone, or SIGTERM; gives the exit code.

    begun: what came on standard input behind the configuration.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    output, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(_STDOUT, "wb", 0))
    try:
        gate = make_gate(config, loop, Reporter(loop, output))
        servers = await _listen_everywhere(gate)
    except (_CannotListenError, TlsFileError) as error:
        output.write(json.dumps({"error": str(error)}).encode() + b"\n")
        return EXIT_CANNOT_LISTEN
    watch = ParentWatch(stop, lambda line: let_in(gate, clients_from_line(line)), begun)
    await loop.connect_read_pipe(lambda: watch, os.fdopen(_STDIN, "rb", 0))
    is_frozen = await until_stopped(stop, config.parent_pid)
    for server in servers:
        server.close()
    if is_frozen and gate.handover is not None:
        gate.handover.cut_off()
    await _close_all(gate)
    return EXIT_OK


async def _listen_everywhere(gate: Gate) -> list[asyncio.Server]:
    """On the ports that the configuration wants, both or none. Raises _CannotListenError."""
    config = gate.config
    plain = secure = None
    if config.plain:
        plain = await _listen(gate, config.host, config.port, lambda: Admission(gate))
    if config.tls is not None and (contexts := gate.tls) is not None:
        tls = config.tls
        secure = await _listen(gate, tls.host, tls.port, lambda: TlsDoor(gate, contexts))
    gate.reporter.listening(_port_of(plain), _port_of(secure))
    return [server for server in (plain, secure) if server is not None]


def _port_of(server: asyncio.Server | None) -> int:
    return server.sockets[0].getsockname()[1] if server else 0


class _CannotListenError(Exception):
    """The text names the port and why."""


async def _listen(
    gate: Gate, host: str, port: int, protocol: Callable[[], asyncio.Protocol]
) -> asyncio.Server:
    """Bind a public port; a gate whose engine was killed may need a moment to let go of it."""
    config = gate.config
    give_up_at = gate.loop.time() + config.limits.bind_wait_ms / _MS_PER_SECOND
    while True:
        try:
            return await gate.loop.create_server(protocol, host, port, backlog=_BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or gate.loop.time() > give_up_at:
                raise _CannotListenError(_listen_fault(host, port, error)) from None
        await asyncio.sleep(_BIND_RETRY_SECONDS)


def _listen_fault(host: str, port: int, error: OSError) -> str:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"FIX port {where} is in use by another process"
    return f"cannot listen on FIX port {where}: {error.strerror or error}"


async def _close_all(gate: Gate) -> None:
    """Strangers go at once; clients once they were sent what there is, for a moment at most.

    Connections that the engine has taken over are its own to end.
    The engine is not waited for: its process may be the one that waits for us to end.
    """
    for transport in tuple(gate.pending_transports):
        transport.abort()
    for task in tuple(gate.tasks):
        task.cancel()
    relays = tuple(relay for relay in gate.live.values() if relay.taken is None)
    for relay in relays:
        relay.cause = relay.cause or DisconnectCause.GATE_CLOSED
        relay.client.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(gate.config.limits.linger_ms / _MS_PER_SECOND):
            await asyncio.gather(*(relay.client_gone.wait() for relay in relays))
    for relay in relays:
        if gate.live.get(relay.session_id) is relay:
            relay.tell_ended(relay)
    await asyncio.sleep(0)  # one turn of the loop: what was written last leaves


def _read_line() -> tuple[bytes, bytes]:
    """The first line of standard input, and what came behind it: that is the watch's to read."""
    data = bytearray()
    while b"\n" not in data and len(data) < _MAX_CONFIG_BYTES:
        piece = os.read(_STDIN, 65_536)
        if not piece:
            break
        data += piece
    line, _, rest = bytes(data).partition(b"\n")
    return line, rest


def main() -> int:
    """The process: configuration in, gate up, exit code out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; when to end is the core's
    try:
        line, begun = _read_line()
        config = config_from_json(line)
    except GateConfigError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        sys.stdout.flush()
        return EXIT_CONFIG
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(serve(config, begun))
    # Not through the interpreter's own ending: a password check under way would hold it up.
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
