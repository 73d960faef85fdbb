"""`python -m oms.app.fix_process FD`: the process of the FIX sessions, started by the core.

FD is its end of a socket pair: one line of configuration comes first, then frames both ways.
"""

import ctypes
import os
import signal
import socket
import sys

import structlog

from fix_sessions.descriptors import open_as_many_as_allowed
from fix_sessions.faults import PortInUse
from fix_sessions.fix_link import CoreGone
from fix_sessions.fix_process import FixProcess
from fix_sessions.fix_process_config import FixProcessConfig, config_from_line
from fix_sessions.frames import Kind, frame_of
from fix_sessions.gate_process import GateError
from fix_sessions.reading import Reading
from fix_sessions.remote_engine import SIGNALS_TO_ALL
from oms import logs
from oms.app.exits import Exit
from oms.runtime.clock import SystemClock
from oms.runtime.memory import Collector
from oms.settings import LoggingSettings
from oms.store.codec import pack

log = structlog.get_logger()

PR_SET_PDEATHSIG = 1
_FAULT_TOLD_S = 1.0


def main() -> int:
    """The process; gives the exit code."""
    # Ctrl-C and a service manager's signal reach all: when this one ends is the core's to say.
    for number in SIGNALS_TO_ALL:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS_TO_ALL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    open_as_many_as_allowed()
    sock = socket.socket(fileno=int(sys.argv[1]))
    try:
        _run(sock, config_from_line(_line_from(sock)))
    except CoreGone:
        return Exit.OK
    except PortInUse as error:
        _tell(sock, Kind.PORT_IN_USE, str(error))
        return Exit.PORT_IN_USE
    except GateError as error:
        _tell(sock, Kind.GATE_FAILED, str(error))
        return Exit.PORT_IN_USE
    except Exception as error:
        log.exception("fix.fault")
        _tell(sock, Kind.FAULT, f"{type(error).__name__}: {error}")
        return Exit.FAULT
    return Exit.OK


def _run(sock: socket.socket, config: FixProcessConfig) -> None:
    settings = LoggingSettings.model_validate(
        {"format": config.log_format, "level": config.log_level}
    )
    logs.configure(settings, process="fix")
    process = FixProcess(sock, config, Reading(pack, SystemClock().now))
    try:
        process.run(Collector())
    finally:
        process.close()


def _line_from(sock: socket.socket) -> bytes:
    """Read byte by byte: what follows belongs to the frames."""
    line = bytearray()
    while not line.endswith(b"\n"):
        data = sock.recv(1)
        if not data:
            raise CoreGone
        line += data
    return bytes(line)


def _tell(sock: socket.socket, kind: Kind, text: str) -> None:
    """The last word, to a core that may be gone."""
    sock.settimeout(_FAULT_TOLD_S)
    try:
        sock.sendall(frame_of(kind, text=text))
    except OSError:
        return


if __name__ == "__main__":
    # Not through the interpreter's own ending: QuickFIX's destructors may crash there.
    os._exit(main())
