"""A process beside ours that tells by its standard output and ends with its standard input."""

import contextlib
import os
import subprocess
from typing import IO, Final

READ_BYTES: Final = 65_536
_MAX_READS: Final = 64  # for one call: the engine's thread has more to do


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """The stream of a process that was started with pipes."""
    assert stream is not None, "started without that pipe"
    return stream


def read_lines(fd: int, unread: bytes) -> tuple[list[bytes], bytes, bool]:
    """Whole lines that have come, behind what was `unread` before; what is unread now; whether it
    was the last. Never waits: `fd` does not block.
    """
    data = bytearray(unread)
    has_ended = False
    for _ in range(_MAX_READS):
        try:
            piece = os.read(fd, READ_BYTES)
        except BlockingIOError:
            break
        has_ended = not piece
        if has_ended:
            break
        data += piece
    *lines, rest = bytes(data).split(b"\n")
    return lines, rest, has_ended


def end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    """Have it end, by force where it does not in time; ended already, nothing happens."""
    with contextlib.suppress(BrokenPipeError):
        pipe(process.stdin).close()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
