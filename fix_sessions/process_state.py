"""What the system tells about another process of ours."""

LOOK_S = 0.5  # between two looks
_LOOKS = 2


def _is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process (Linux). Not one that a profiler looks into (t)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


class StopWatch:
    """Whether a process stays stopped: two looks in a row, at most twice a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._next_look_s = 0.0
        self._looks = 0

    def stays_stopped(self, now_s: float) -> bool:
        """To be asked often; now_s: of the monotonic clock."""
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_S
            self._looks = self._looks + 1 if _is_stopped(self._pid) else 0
        return self._looks >= _LOOKS
