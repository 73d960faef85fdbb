"""Sizes, purity and money: rules that no general linter knows."""

import ast
import re
from pathlib import Path

from tests.architecture import sources

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

# What a pure module may use of the standard library: nothing here reads or changes the world.
PURE_STANDARD_LIBRARY = frozenset(
    {
        *("__future__", "abc", "base64", "binascii", "bisect", "collections", "contextlib", "copy"),
        *("csv", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools"),
        *(
            "graphlib",
            "hashlib",
            "heapq",
            "itertools",
            "json",
            "marshal",
            "math",
            "numbers",
            "operator",
            "pickle",
        ),
        *("re", "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata"),
        "zlib",
    }
)
# What the simulated venue may use besides, and of that only the classes that touch nothing outside.
SIMULATION = {"random": {"Random"}, "io": {"StringIO", "BytesIO"}}
CLOCKS = frozenset({"now", "utcnow", "today"})
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b")


def test_the_checks_look_at_something() -> None:
    assert len(sources.files(*sources.PRODUCT)) > 3
    assert sources.modules(("oms.domain",))


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources.files(*everything())}
    long = [f"{place(path)}: {n} lines" for path, n in lengths.items() if n > MAX_FILE_LINES]
    assert not long, f"above {MAX_FILE_LINES} lines: {long}"


def test_no_function_is_too_long() -> None:
    long = []
    for path in sources.files(*everything()):
        for node in ast.walk(sources.tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{sources.place(path, node.lineno)} {node.name}: {lines} lines")
    assert not long, f"above {MAX_FUNCTION_LINES} lines: {long}"


def test_no_float_where_money_is() -> None:
    found = [
        f"{sources.place(path, node.lineno)}"
        for path in sources.modules(sources.MONEY)
        for node in ast.walk(sources.tree(path))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert not found, f"float in a money path: {found}"


def test_pure_packages_import_only_the_standard_library_and_each_other() -> None:
    found = []
    for path in sources.modules(sources.PURE):
        for line, name in sources.imports(path):
            top = name.split(".")[0]
            ours = sources.within(name, (*sources.PURE, "oms.ports"))
            simulated = top in SIMULATION and sources.module_name(path).startswith("ems.simulator.")
            if not (ours or simulated or top in PURE_STANDARD_LIBRARY):
                found.append(f"{sources.place(path, line)} imports {name}")
    assert not found, f"impure imports: {found}"


def test_the_simulated_venue_takes_its_randomness_from_its_caller() -> None:
    found = [
        f"{sources.place(path, node.lineno)} {ast.unparse(node)}"
        for path in sources.modules(("ems.simulator",))
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr not in SIMULATION.get(node.value.id, {node.attr})
    ]
    found += [
        f"{sources.place(path, node.lineno)} from {node.module} import"
        for path in sources.modules(("ems.simulator",))
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.ImportFrom) and node.module in SIMULATION
    ]
    assert not found, f"only {SIMULATION}: {found}"


def test_only_the_simulated_exchange_knows_the_simulator() -> None:
    found = [
        f"{sources.place(path, line)} imports {name}"
        for path in sources.files("fix_sessions", "oms")
        for line, name in sources.imports(path)
        if sources.within(name, ("ems.simulator",))
        and not sources.module_name(path).startswith("fix_sessions.exchange")
    ]
    assert not found, found


def test_pure_packages_read_no_clock() -> None:
    found = [
        f"{sources.place(path, node.lineno)} {ast.unparse(node.func)}()"
        for path in sources.modules(sources.PURE)
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and ast.unparse(node.func.value).split(".")[-1] in {"datetime", "date"}
    ]
    assert not found, f"clock read in a pure package: {found}"


def test_pure_packages_open_no_file_and_print_nothing() -> None:
    found = [
        f"{sources.place(path, node.lineno)} {node.func.id}()"
        for path in sources.modules(sources.PURE)
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"open", "print", "input", "exec", "eval", "__import__"}
    ]
    assert not found, f"I/O in a pure package: {found}"


def test_only_the_fix_edge_imports_quickfix() -> None:
    found = [
        f"{sources.place(path, line)} imports {name}"
        for path in sources.files("oms", "ems", "migrations", "setup")
        for line, name in sources.imports(path)
        if name.startswith("quickfix")
    ]
    assert not found, found


def test_only_settings_reads_the_environment() -> None:
    found = [
        sources.place(path, node.lineno)
        for path in sources.files("oms", "ems", "fix_sessions")
        if not sources.within(sources.module_name(path), ("oms.settings",))
        for node in ast.walk(sources.tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]
    assert not found, f"only oms.settings reads the environment: {found}"


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{sources.place(path, number)}: {line.strip()}"
        for path in sources.files(*everything())
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert not found, found


def test_every_module_says_what_it_is() -> None:
    silent = [
        place(path)
        for path in sources.files(*sources.PRODUCT)
        if path.name != "__init__.py" and ast.get_docstring(sources.tree(path)) is None
    ]
    assert not silent, f"no module docstring: {silent}"


def everything() -> tuple[str, ...]:
    """The product's directories and the tests."""
    return (*sources.PRODUCT, "tests")


def place(path: Path) -> str:
    return str(path.relative_to(sources.ROOT))
