"""What waits to leave the venue: in order for each session, late where a fault says so."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ems.simulator.model import Answer, Delivery
from fix_sessions.exchange_codec import encode

Send = Callable[[str, str, list[tuple[int, str]]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One answer on its way. number 0: an answer to a question, which nobody has to keep."""

    answer: Answer
    number: int = 0
    copies: int = 1
    poss_resend: bool = False


class Outbox:
    """Answers by session; those for a session that is not logged on wait for its logon."""

    def __init__(self) -> None:
        self._ready: dict[str, deque[Parcel]] = {}
        self._late: list[tuple[float, int, Parcel]] = []
        self._made = 0

    def put(self, parcel: Parcel, *, due_s: float | None = None) -> None:
        """Have an answer leave now, or at `due_s` of the monotonic clock."""
        if due_s is None:
            self._ready.setdefault(parcel.answer.owner, deque()).append(parcel)
            return
        self._made += 1
        heapq.heappush(self._late, (due_s, self._made, parcel))

    def put_delivery(self, delivery: Delivery, now_s: float) -> None:
        """The same for an answer with the faults that were laid on it."""
        if not delivery.copies:
            return
        parcel = Parcel(answer=delivery.answer, number=delivery.number, copies=delivery.copies)
        late_s = delivery.delay_ms / 1000
        self.put(parcel, due_s=now_s + late_s if late_s else None)

    @property
    def next_due_s(self) -> float | None:
        """When the next late answer is due."""
        return self._late[0][0] if self._late else None

    @property
    def waiting(self) -> int:
        return len(self._late) + sum(len(queue) for queue in self._ready.values())

    def forget_questions(self, session: str) -> None:
        """The session's connection ended: it will ask again."""
        queue = self._ready.get(session)
        if queue:
            self._ready[session] = deque(item for item in queue if item.number)

    def flush(self, now_s: float, is_open: Callable[[str], bool], send: Send) -> list[int]:
        """Send what can leave; the numbers of the answers that have left."""
        while self._late and self._late[0][0] <= now_s:
            self.put(heapq.heappop(self._late)[2])
        left: list[int] = []
        for session, queue in self._ready.items():
            if queue and is_open(session):
                while queue:
                    parcel = queue[0]
                    msg_type, fields = encode(parcel.answer, poss_resend=parcel.poss_resend)
                    for _ in range(parcel.copies):
                        send(session, msg_type, fields)
                    queue.popleft()
                    if parcel.number:
                        left.append(parcel.number)
        return left
