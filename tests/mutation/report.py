"""docs/mutation.md, from what was judged, the reasons in survivors.toml and the deliberate bugs."""

import json
import math
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterator

from tests.mutation.deliberate import FIGURES
from tests.mutation.judge import Verdict
from tests.mutation.operators import Mutant
from tests.mutation.reach import ROOT

PAGE = ROOT / "docs" / "mutation.md"
REASONS = ROOT / "tests" / "mutation" / "survivors.toml"
PACKAGES = ("oms/domain", "oms/orders", "oms/risk", "oms/judging.py", "ems", "ems/simulator")
NO_REASON = "**open**"
HEADINGS = (
    "| | mutants | judged | by unit tests and matrices | by the simulator alone | endless"
    " | survive | killed |"
)
RULE = "| --- | --- | --- | --- | --- | --- | --- | --- |"
Judged = list[tuple[Mutant, Verdict]]

HEAD = """# Mutation testing

A mutant is the deciding code with one small thing wrong: `<` for `<=`, `and` for `or`, a condition
turned round, a statement, a `case` or an event left out, nothing returned, a number or a wire value
changed. A mutant is killed when a test fails for it; one that lives shows what no test looks at.
`make mutate` judges the mutants that were not judged yet and writes this page; how it works is on
the [developer's page](developer.md#mutation-testing).

What tests are worth shows in mutants that nobody had seen when they were written. When it was first
played, on 2026-11-21, 81.7 % of 999 were killed, and the survivors showed what tests were missing.
With these, 88.7 % of 284 others were killed at first sight. In the evening of that day, after many
changes, it was 91.1 % of 1,735 in the 21 modules that had changed, 91.5 % of 840 others, which no
draw had chosen, and 87.8 % of 548 more, the rest of the venue simulator's. Each time tests were
written for survivors, 120 in that evening. In the night to 2026-11-22 three modules came and others
changed: of their 379 new mutants 82.1 % were killed at first sight. All 3,874 that had been killed
before were judged anew. Six lived: five are killed now, and nothing tells one from the original.

The figures below are those with all of these tests, of mutants that were seen; a verdict holds
until its piece of code changes. What still lives has its reason.

"""


def write_report(
    every: list[Mutant], drawn: tuple[list[Mutant], list[Mutant]], known: dict[str, Verdict]
) -> int:
    """The number of the survivors that have no reason yet goes to the terminal."""
    judged, again = [[(one, known[one.key]) for one in some if one.key in known] for some in drawn]
    whole = _whole(every, known)
    reasons = read_reasons()
    pairs = (*judged, *again, *(pair for here in whole.values() for pair in here))
    lived = {one.key: one for one, verdict in pairs if not verdict.killer}
    survivors = sorted(lived.values(), key=lambda one: (one.path, one.n))
    if len(whole) == len(PACKAGES):
        lines = [*_all_scores(every, judged, whole)]
    else:
        lines = [*_scores(every, judged, again), *_whole_scores(whole)]
    lines += [*_survivors(survivors, reasons), *_deliberate()]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n")
    without = sum(one.key not in reasons for one in survivors)
    figures = f"{len(judged)} and {len(again)} judged, {len(survivors)} survive, {without} open"
    figures += f"; {len(whole)} packages whole"
    print(f"{PAGE.relative_to(ROOT)}: {figures}")
    return 0


def read_reasons() -> dict[str, str]:
    """Why survivors live, by their names."""
    return {str(key): str(value) for key, value in tomllib.loads(REASONS.read_text()).items()}


def _package(one: Mutant) -> str:
    return next(top for top in sorted(PACKAGES, key=len, reverse=True) if one.path.startswith(top))


_NOTES = (
    " What modules and classes say outside functions (tables, defaults, wire values) is drawn"
    " apart. Mutants that nothing can tell from the original count as survivors. A mutant gets"
    " the tests that reach it, cheapest first, for a few seconds of processor time (nine tenths"
    " of all tests take a tenth of it), and last a few seeds: the simulator's column says what"
    " only it noticed."
)


def _all_scores(every: list[Mutant], judged: Judged, whole: dict[str, Judged]) -> Iterator[str]:
    """Where every mutant in a function was judged: nothing is estimated."""
    inside = [pair for here in whole.values() for pair in here]
    outside = [pair for pair in judged if not pair[0].within]
    low, high = _interval(outside)
    yield "## Score"
    yield ""
    yield textwrap.fill(
        f"**{_percent(inside)}** of the {len(inside)} mutants in functions are killed, of which"
        f" every one was judged; and {_percent(outside)} of {len(outside)} of modules and classes"
        f" (95 % interval {low:.1f} to {high:.1f} %)." + _NOTES,
        width=100,
    )
    yield ""
    yield HEADINGS
    yield RULE
    for package, here in whole.items():
        yield _row(f"`{package}`", len(here), here)
    yield _row("all functions", len(inside), inside)
    yield _row("modules and classes", sum(not one.within for one in every), outside)
    yield ""


def _scores(every: list[Mutant], judged: Judged, again: Judged) -> Iterator[str]:
    inside = [pair for pair in judged if pair[0].within]
    outside = [pair for pair in judged if not pair[0].within]
    low, high = _interval(inside)
    yield "## Score"
    yield ""
    all_inside = sum(bool(one.within) for one in every)
    yield textwrap.fill(
        f"**{_percent(inside)}** of the mutants in functions are killed: {len(inside)} of"
        f" {all_inside}, drawn by the hash of their names (95 % interval {low:.1f} to"
        f" {high:.1f} %)."
        " Tests were then written for survivors among them, so others were drawn afterwards: of"
        f" {len(again)}, judged by the same tests, **{_percent(again)}** are killed"
        " ({:.1f} to {:.1f} %).".format(*_interval(again))
        + _NOTES,
        width=100,
    )
    yield ""
    yield HEADINGS
    yield RULE
    for package in PACKAGES:
        here = [pair for pair in inside if _package(pair[0]) == package]
        yield _row(
            f"`{package}`", sum(_package(m) == package and bool(m.within) for m in every), here
        )
    yield _row("all functions", sum(bool(one.within) for one in every), inside)
    yield _row("other functions' mutants, drawn afterwards", all_inside - len(inside), again)
    yield _row("modules and classes", sum(not one.within for one in every), outside)
    yield ""


def _whole(every: list[Mutant], known: dict[str, Verdict]) -> dict[str, Judged]:
    """The packages of which every mutant in a function was judged, drawn or not."""
    inside = [one for one in every if one.within]
    packages = {top: [one for one in inside if _package(one) == top] for top in PACKAGES}
    return {
        top: [(one, known[one.key]) for one in here]
        for top, here in packages.items()
        if all(one.key in known for one in here)
    }


def _whole_scores(whole: dict[str, Judged]) -> Iterator[str]:
    if not whole:
        return
    yield "## Judged whole"
    yield ""
    yield textwrap.fill(
        "Of these every mutant in a function was judged, not only those that were drawn"
        " (`--sample 0 --only PATH`). Their survivors stand below too.",
        width=100,
    )
    yield ""
    yield HEADINGS
    yield RULE
    for top, here in whole.items():
        yield _row(f"`{top}`", len(here), here)
    together = [pair for here in whole.values() for pair in here]
    yield _row("together", len(together), together)
    yield ""


def _row(name: str, of: int, judged: Judged) -> str:
    kinds = Counter(_kind(verdict) for _, verdict in judged)
    counts = [kinds["test"], kinds["seed"], kinds["timeout"], kinds["survives"]]
    return (
        f"| {name} | {of} | {len(judged)} | {' | '.join(map(str, counts))} | {_percent(judged)} |"
    )


def _kind(verdict: Verdict) -> str:
    if not verdict.killer:
        return "survives"
    if verdict.killer == "timeout":
        return "timeout"
    return "seed" if verdict.killer.startswith("seed ") else "test"


def _percent(judged: Judged) -> str:
    if not judged:
        return "none"
    return f"{100 * sum(bool(one.killer) for _, one in judged) / len(judged):.1f} %"


def _interval(judged: Judged) -> tuple[float, float]:
    """Wilson's, in percent."""
    n, z = len(judged), 1.96
    if not n:
        return 0.0, 100.0
    p = sum(bool(one.killer) for _, one in judged) / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return 100 * (middle - half), 100 * (middle + half)


def _survivors(survivors: list[Mutant], reasons: dict[str, str]) -> Iterator[str]:
    yield "## Survivors"
    yield ""
    told = Counter(reasons.get(one.key, NO_REASON).split(":")[0] for one in survivors)
    for kind, count in told.most_common():
        yield f"- {count} {kind}"
    yield ""
    path = ""
    for one in survivors:
        if one.path != path:
            path = one.path
            yield ""
            yield f"`{path}`"
            yield ""
            yield "| in | change | why it lives |"
            yield "| --- | --- | --- |"
        again = f" ({one.again + 1})" if one.again else ""
        change = f"`{_cell(one.before)}` -> `{_cell(one.after)}`{again}"
        change = change.replace("`left out`", "left out")
        yield f"| {one.within or 'module'} | {change} | {reasons.get(one.key, NO_REASON)} |"
    yield ""


def _cell(code: str) -> str:
    return code.replace("|", "\\|").replace("`", "'")


def _deliberate() -> Iterator[str]:
    if not FIGURES.exists():
        return
    yield "## Deliberate bugs"
    yield ""
    yield (
        "`tests/simulation/mutations.py` holds bugs of a larger kind. Each is put into the"
        " simulator, which plays seeds from 1 until a checker says that something is wrong."
        " `make mutate` measures the processor seconds that this takes."
    )
    yield ""
    yield "| bug | caught by | seed | seconds |"
    yield "| --- | --- | --- | --- |"
    for one in json.loads(FIGURES.read_text()):
        name = one["name"].replace("_", " ")
        yield f"| {name} | `{one['checker']}` | {one['seed']} | {one['seconds']:.2f} |"
