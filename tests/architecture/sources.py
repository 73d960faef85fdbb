"""The project's own Python files, and a few things that the checks read off them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

PRODUCT = ("oms", "ems", "fix_sessions", "migrations", "setup")

PURE = (
    "oms.domain",
    "oms.orders",
    "oms.risk",
    "oms.positions",
    "oms.sessions",
    "oms.reconciliation",
    "oms.core",
    "oms.control",
    "oms.corporate_actions",
    "oms.reactions",
    "oms.judging",
    "oms.placing",
    "oms.fold",
    "oms.fold_baskets",
    "oms.fold_trades",
    "oms.fold_orders",
    "oms.fold_sessions",
    "oms.outbound",
    "oms.outbound_client",
    "oms.outbound_sessions",
    "oms.outbound_answers",
    "oms.outbound_baskets",
    "oms.outbound_standing",
    "oms.outbound_venue",
    "oms.fold_answers",
    "ems",
)

# Where a number may be money or a quantity.
MONEY = PURE


@cache
def files(*tops: str) -> tuple[Path, ...]:
    """All Python files under some top-level directories."""
    return tuple(sorted(path for top in tops for path in (ROOT / top).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of the packages or lies in one."""
    return any(module == name or module.startswith(name + ".") for name in packages)


def modules(packages: tuple[str, ...]) -> list[Path]:
    """The files of those packages that exist."""
    tops = sorted({name.split(".")[0] for name in packages})
    return [path for path in files(*tops) if within(module_name(path), packages)]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Each imported module with its line, relative imports made absolute."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, name


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"
