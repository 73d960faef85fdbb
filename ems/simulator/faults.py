"""The fault switches: what a venue can be told to do wrong, and what that does to each answer."""

from dataclasses import dataclass, fields

from ems.simulator.model import Answer, Delivery, ExecutionReport
from oms.domain.fix import ExecType


@dataclass(slots=True, kw_only=True)
class Faults:
    """Counts run down by themselves; milliseconds and on/off switches stay until they are reset."""

    reject_next: int = 0  # new orders refused with OrdRejReason 0
    reject_cancels_next: int = 0  # cancels and replaces refused with CxlRejReason 2
    drop_acks_next: int = 0  # ExecType=New reports made and never sent
    drop_fills_next: int = 0  # ExecType=Trade reports made and never sent
    duplicate_next: int = 0  # answers sent twice, ExecID and all
    fill_late_next: int = 0  # trades reported fill_late_ms after they happened
    fill_late_ms: int = 0
    delay_ms: int = 0  # every answer held back by so much
    ignore_cancels: int = 0  # 1: cancel requests get no answer and have no effect
    ignore_replaces: int = 0  # 1: replace requests likewise
    silent: int = 0  # 1: answers wait until it is 0 again; the session lives on

    def set(self, name: str, value: int) -> str:
        """Set one switch; the answer names the rule that was broken, or is empty."""
        if name not in SWITCHES:
            return f"fault {name!r} is none of {', '.join(SWITCHES)}"
        if value < 0:
            return f"fault {name}: {value} is below 0"
        setattr(self, name, value)
        return ""

    def take(self, name: str) -> bool:
        """Use up one of a count; whether there was one."""
        left: int = getattr(self, name)
        if left <= 0:
            return False
        setattr(self, name, left - 1)
        return True

    def deliver(self, number: int, answer: Answer) -> Delivery:
        """How this answer leaves: how often (0: never) and how late."""
        kind = answer.exec_type if isinstance(answer, ExecutionReport) else None
        if kind is ExecType.NEW and self.take("drop_acks_next"):
            return Delivery(number=number, answer=answer, copies=0)
        if kind is ExecType.TRADE and self.take("drop_fills_next"):
            return Delivery(number=number, answer=answer, copies=0)
        delay_ms = self.delay_ms
        if kind is ExecType.TRADE and self.take("fill_late_next"):
            delay_ms += self.fill_late_ms
        copies = 2 if self.take("duplicate_next") else 1
        return Delivery(number=number, answer=answer, copies=copies, delay_ms=delay_ms)

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in SWITCHES}


SWITCHES = tuple(item.name for item in fields(Faults))
