"""The matrices as rows, and the paths through a scenario: the main one and one for each refusal."""

import csv
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("data")
ATTRIBUTION = (
    "FIX 4.4 Volume 4 (Errata 20030618) and FIX 5.0 SP2 Volume 4 and 7, "
    "Copyright FIX Protocol Limited"
)
_LETTERS = "ABCDEFGHIJK"
_EXEC_ID = re.compile(r"^(?:ExecID=)?([A-K])\b")
_REF = re.compile(r"\bref ([A-K])\b")
_PRICE = re.compile(r"(?:LastPx=|price to |^at )(\d+(?:\.\d+)?)")
_NAMED = re.compile(r"\b([A-Z][A-Za-z]+)=([A-Za-z0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line; quantities None where the standard prints nothing.

    letter: the ExecID of a report that a correction means and no note names.
    """

    scenario: str
    step: str
    branch: str
    inbound: bool
    msg_type: str
    cl_ord_id: str
    orig_cl_ord_id: str
    exec_type: str
    ord_status: str
    order_qty: Decimal | None
    cum_qty: Decimal | None
    leaves_qty: Decimal | None
    last_qty: Decimal | None
    note: str
    letter: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Scenario and step."""
        return self.scenario, self.step

    @property
    def day(self) -> int:
        """The trading day that the step is on."""
        return 2 if self.step.startswith("D2.") else 1

    def _noted(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self.note)
        return found[1] if found else ""

    @property
    def exec_id(self) -> str:
        """ExecID, where corrections refer to it: as the note gives it, else by the row's place."""
        return self._noted(_EXEC_ID) or self.letter

    @property
    def exec_ref_id(self) -> str:
        """ExecRefID that the note gives."""
        return self._noted(_REF)

    @property
    def last_px(self) -> Decimal | None:
        """The price that the note gives."""
        found = self._noted(_PRICE)
        return Decimal(found) if found else None

    @property
    def avg_px(self) -> Decimal | None:
        """The average price that the note gives."""
        found = self.noted.get("AvgPx")
        return Decimal(found) if found else None

    @property
    def noted(self) -> dict[str, str]:
        """Every field that the note gives as Name=value."""
        return dict(_NAMED.findall(self.note))


def _quantity(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def rows() -> list[Row]:
    """Every line of the file, in its order."""
    with (_DATA / "order_state_matrices.csv").open(newline="") as source:
        return [
            Row(
                scenario=line["scenario"],
                step=line["step"],
                branch=line["branch"],
                inbound=line["dir"] == "in",
                msg_type=line["MsgType"],
                cl_ord_id=line["ClOrdID"],
                orig_cl_ord_id=line["OrigClOrdID"],
                exec_type=line["ExecType"],
                ord_status=line["OrdStatus"],
                order_qty=_quantity(line["OrderQty"]),
                cum_qty=_quantity(line["CumQty"]),
                leaves_qty=_quantity(line["LeavesQty"]),
                last_qty=_quantity(line["LastQty"]),
                note=line["note"],
            )
            for line in csv.DictReader(source)
        ]


@cache
def scenarios() -> dict[str, list[Row]]:
    """The rows of each scenario."""
    found: dict[str, list[Row]] = {}
    for row in rows():
        found.setdefault(row.scenario, []).append(row)
    return {name: _lettered(its_rows) for name, its_rows in found.items()}


def _lettered(its_rows: list[Row]) -> list[Row]:
    """Reports have letters in their order; where a correction means one without, all get theirs."""
    named = {row.exec_id for row in its_rows}
    if {row.exec_ref_id for row in its_rows if row.exec_ref_id} <= named:
        return its_rows
    letters = iter(_LETTERS)
    return [
        replace(row, letter=next(letters)) if not row.inbound and row.branch != "alt" else row
        for row in its_rows
    ]


def split_of(path: list[Row]) -> Fraction | None:
    """What a corporate action in the night makes of a share; None: there is none."""
    first = next((row.order_qty for row in path if row.order_qty), None)
    for row in path:
        if row.noted.get("ExecRestatementReason") == "0" and first and row.order_qty:
            return Fraction(row.order_qty) / Fraction(first)
    return None


def paths(scenario: list[Row]) -> list[list[Row]]:
    """The main path, and for each refusal the path that ends with it."""
    main = [row for row in scenario if row.branch != "alt"]
    found = [main]
    for n, row in enumerate(scenario):
        if row.branch == "alt":
            before = [one for one in scenario[:n] if one.branch != "alt"]
            found.append([*before, row])
    return found


def desk_refuses(row: Row) -> bool:
    """Whether a refusal comes before the order or request is taken up, so from the receiver itself.

    The row that stands in its place on the main path then acknowledges: New or Pending Replace.
    """
    instead = [one for one in scenarios()[row.scenario] if one.branch != "alt"]
    sibling = next((one for one in instead if one.step == row.step), None)
    return sibling is None or sibling.exec_type in ("0", "E")


def name_of(path: list[Row]) -> str:
    """The scenario, and the step of the refusal that ends the path."""
    last = path[-1]
    return f"{last.scenario}-{last.step if last.branch == 'alt' else 'main'}"


def titles() -> dict[str, str]:
    """What each scenario is about."""
    with (_DATA / "scenarios.csv").open(newline="") as source:
        return {line["scenario"]: line["title"] for line in csv.DictReader(source)}
