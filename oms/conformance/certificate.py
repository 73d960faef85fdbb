"""The certificate: what was played on which server, and how each scenario went; Markdown, JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from oms.conformance.matrix import ATTRIBUTION, scenarios, titles
from oms.conformance.play import Outcome, Result
from oms.conformance.scope import GENERAL

_WIDTH = 118


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """date: ISO, UTC. server: in words, a fresh one or which."""

    version: str
    date: str
    server: str
    results: tuple[Result, ...]

    @property
    def failures(self) -> list[Result]:
        return [one for one in self.results if one.outcome is Outcome.FAIL]

    def as_json(self) -> dict[str, object]:
        """The same as data."""
        return {
            "product": "Plumbline",
            "version": self.version,
            "date": self.date,
            "server": self.server,
            "source": ATTRIBUTION,
            "passed": not self.failures,
            "counts": {
                version: {role: dict(counts) for role, counts in roles.items()}
                for version, roles in _counts(self.results).items()
            },
            "general_deviations": GENERAL,
            "results": [asdict(one) | {"title": titles()[one.scenario]} for one in self.results],
        }

    def as_markdown(self) -> str:
        """A page: how many passed, one table of all scenarios, and the reasons."""
        return "\n".join(
            [
                "# FIX order state conformance",
                "",
                *_wrapped(
                    f"Plumbline {self.version}, {self.date}. Played over FIX/TCP against "
                    f"{self.server}: a scripted client on one side of it, a scripted venue on the "
                    "other. As receiver the server must tell the client what the standard prints; "
                    "as initiator it must send and understand it. `oms conformance --markdown "
                    "docs/conformance.md` makes this page again."
                ),
                "",
                *_wrapped(
                    f"Source of the scenarios: {ATTRIBUTION}. Their rows are data: "
                    "`oms/conformance/data`."
                ),
                "",
                *_summary(self.results),
                "",
                "## Scenarios",
                "",
                *_wrapped(
                    "**pass**: every message and every field that the standard prints, on the main "
                    "path and on each refusal that is drawn; to clients also LastPx and AvgPx by "
                    "their trades, a new ExecID each time, one OrderID, Symbol and Side. **by** a "
                    "number: under that profile of the client. **but** a number: other than "
                    "printed in that. The numbers are those of the reasons below."
                ),
                "",
                *_table(self.results),
                "",
                *_failures(self.failures),
                "## Reasons",
                "",
                *_wrapped(f"Everywhere: {GENERAL}"),
                "",
                *_reasons(self.results),
                "",
            ]
        )


def _counts(results: Sequence[Result]) -> dict[str, dict[str, Counter[str]]]:
    found: dict[str, dict[str, Counter[str]]] = {}
    for one in results:
        roles = found.setdefault(one.version, {})
        roles.setdefault(one.role.value, Counter())[one.outcome.value] += 1
    return found


def _summary(results: Sequence[Result]) -> list[str]:
    head = ["FIX version", "the server as", *(one.value for one in Outcome)]
    head += ["passes with deviations", "paths played"]
    lines = [_row(head), _row(["---"] * len(head))]
    for version, roles in _counts(results).items():
        for role, counts in roles.items():
            found = [one for one in results if (one.version, one.role) == (version, role)]
            paths = sum(one.paths for one in found)
            deviant = sum(one.outcome is Outcome.PASS and bool(one.deviations) for one in found)
            figures = [str(counts[one.value]) for one in Outcome]
            lines.append(_row([version, role, *figures, str(deviant), str(paths)]))
    return lines


def _table(results: Sequence[Result]) -> list[str]:
    numbers = _numbers(results)
    columns = list(dict.fromkeys((one.version, one.role) for one in results))
    by_place = {(one.scenario, one.version, one.role): one for one in results}
    head = ["", "", *(f"{version} {role}" for version, role in columns)]
    lines = [_row(head), _row(["---"] * len(head))]
    for scenario in scenarios():
        cells = [
            _cell(by_place.get((scenario, version, role)), numbers) for version, role in columns
        ]
        if any(cells):
            lines.append(_row([scenario, titles()[scenario], *cells]))
    return lines


def _cell(result: Result | None, numbers: dict[str, int]) -> str:
    if result is None:
        return ""
    if result.outcome not in (Outcome.PASS, Outcome.FAIL):
        return f"{result.outcome.value} {numbers[result.detail]}"
    said = f"**{result.outcome.value}**"
    if result.profile:
        said += f" by {numbers[result.profile]}"
    if result.deviations:
        said += " but " + ", ".join(str(numbers[one]) for one in result.deviations)
    return said


def _numbers(results: Sequence[Result]) -> dict[str, int]:
    reasons: list[str] = []
    for one in results:
        if one.outcome in (Outcome.NOT_APPLICABLE, Outcome.LEFT_OUT):
            reasons.append(one.detail)
        else:
            reasons += [one.profile] if one.profile else []
            reasons += one.deviations
    return {reason: number for number, reason in enumerate(dict.fromkeys(reasons), start=1)}


def _failures(failures: Sequence[Result]) -> list[str]:
    if not failures:
        return []
    lines = ["## Failures: the first differing field", ""]
    lines += [f"- {one.version} as {one.role}: {one.detail}" for one in failures]
    return [*lines, ""]


def _reasons(results: Sequence[Result]) -> list[str]:
    return [
        line
        for reason, number in _numbers(results).items()
        for line in _wrapped(f"{number}. {reason}")
    ]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]
