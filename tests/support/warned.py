"""A logger that keeps the names of the warnings that it is told: for a module's own."""


class Warnings:
    """What a module's `log` is replaced by."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def warning(self, event: str, **_: object) -> None:
        """Keep the event's name."""
        self.events.append(event)
