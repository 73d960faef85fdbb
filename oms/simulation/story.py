"""What happened, in plain sentences, so that a failing run can be read."""

from oms.simulation.agenda import Agenda


class Story:
    """Sentences with their moments; kept only where somebody wants to read them."""

    def __init__(self, agenda: Agenda, *, kept: bool) -> None:
        self.lines: list[str] = []
        self._agenda = agenda
        self._kept = kept

    def tell(self, sentence: str) -> None:
        """Note what happens now."""
        if self._kept:
            self.lines.append(f"{self._agenda.elapsed_s:11.6f} s  {sentence}")
