"""How a venue behaves: well by default, and as badly as a run draws it."""

from dataclasses import dataclass, fields


@dataclass(slots=True, kw_only=True)
class Manners:
    """How often it does what, of 1; speed in microseconds."""

    reject: float = 0.0
    lose: float = 0.0
    silent: float = 0.0
    late: float = 0.0
    fill: float = 0.6
    repeat: float = 0.0
    bust: float = 0.0
    correct: float = 0.0
    end: float = 0.0
    restate: float = 0.0
    lie: float = 0.0
    overfill: float = 0.0
    late_fill: float = 0.0
    refuse: float = 0.0
    pending: float = 0.0
    mark: float = 0.0
    bounce: float = 0.0
    forget: float = 0.0  # to tell a trade on the order session: its drop copy tells it
    unnamed: float = 0.0  # 1: trades have no TrdMatchID (880)
    speed_us: int = 500

    def calm(self) -> None:
        """From here on it keeps to FIX."""
        for one in fields(self):
            if one.name not in ("fill", "speed_us"):
                setattr(self, one.name, 0.0)
