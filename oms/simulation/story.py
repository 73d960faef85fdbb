"""What happened, in plain sentences, so that a failing run can be read."""

from typing import Final

from oms.simulation.agenda import Agenda

# What a venue does by each ExecType (150).
EXEC_TYPES: Final = {
    "0": "acknowledges",
    "4": "reports cancelled",
    "5": "reports replaced",
    "8": "rejects",
    "C": "lets expire",
    "F": "fills",
    "G": "corrects",
    "H": "busts",
    "D": "restates",
    "3": "is done for the day with",
    "6": "has pending the cancel of",
    "E": "has pending the replace of",
    "A": "has pending",
    "7": "stops",
    "9": "suspends",
    "B": "calculates",
    "I": "tells the status of",
}


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
