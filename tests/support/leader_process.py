"""A process that wants the lead: says so, writes journal rows while it leads, says when it lost it.

Arguments: URL, shard, idle timeout in seconds.
"""

import sys
import time

from oms.store.leader import LeadershipLost, acquire_leadership

_APPEND = """
    INSERT INTO journal (seq, at, kind, type, leader_epoch, payload, hash)
    SELECT coalesce(max(seq), 0) + 1, clock_timestamp(), 'E', 'Tested', %s, '', sha256('')
    FROM journal
"""


def main() -> None:
    url, shard, idle_timeout_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
    _say("waiting")
    leadership = acquire_leadership(
        url, shard=shard, wait=True, timeout_s=60, idle_timeout_s=idle_timeout_s
    )
    _say(f"leads {leadership.epoch}")
    try:
        for _ in range(6000):
            leadership.heartbeat()
            with leadership.guard(), leadership.connection.transaction():
                leadership.connection.execute(_APPEND, [leadership.epoch])
            _say("wrote")
            time.sleep(0.01)
    except LeadershipLost as lost:
        _say(f"lost {lost}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
