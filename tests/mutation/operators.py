"""What is changed: every small wrong version of one file, in the order of its source.

Left alone, for no test should notice them: docstrings, annotations, imports, decorators, asserts,
type aliases, `__slots__`, and text that people read (help, the texts of errors and refusals).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

SWAPPED: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any"}
DECIDED = (ast.Compare, ast.BoolOp, ast.Constant, ast.NamedExpr)
ALONE = (ast.Import, ast.ImportFrom, ast.Assert, ast.JoinedStr, ast.Global, ast.Nonlocal)
UNTOUCHED_FIELDS = {"annotation", "returns", "decorator_list", "bases", "keywords", "pattern"}
TEXT_NAMES = {"text", "texts", "help", "message", "what", "said", "sentence", "explanation"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One wrong version. n: its place among those of the file. within: the function that is wrong,
    empty where a module or class says something that is not in a function. last_line: of the
    statement, or of its head, that begins at first_line and holds the change.
    """

    path: str
    n: int
    line: int
    first_line: int
    last_line: int
    within: str
    operator: str
    before: str
    after: str
    again: int = 0

    @property
    def key(self) -> str:
        """Its name, the same as long as this piece of code is."""
        repeated = f" #{self.again + 1}" if self.again else ""
        place = self.within or "module"
        return f"{self.path} {place}: `{self.before}` -> `{self.after}`{repeated}"


@dataclass(frozen=True, slots=True)
class Change:
    """Puts `new` where `old` stands."""

    holder: ast.AST
    field: str
    index: int | None
    new: ast.AST
    operator: str

    @property
    def old(self) -> ast.AST:
        value = getattr(self.holder, self.field)
        return value if self.index is None else value[self.index]

    def make(self) -> None:
        new = ast.copy_location(self.new, self.old)
        ast.fix_missing_locations(new)
        if self.index is None:
            setattr(self.holder, self.field, new)
        else:
            getattr(self.holder, self.field)[self.index] = new


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the walk is. text: what is written here is for people. lines: of the statement."""

    within: str = ""
    lines: tuple[int, int] = (0, 0)
    classes: str = ""
    text: bool = False
    condition: bool = False


Found = tuple[Place, Change]
Replacement = Iterator[tuple[str, ast.AST]]


def mutants(path: str, source: str) -> list[Mutant]:
    """All of a file."""
    found: list[Mutant] = []
    seen: dict[tuple[str, str, str], int] = {}
    for n, (place, change) in enumerate(_changes(ast.parse(source))):
        before, after = _told(change)
        name = (place.within, before, after)
        again = seen[name] = seen.get(name, -1) + 1
        first_line, last_line = _extent(change.old, place)
        found.append(
            Mutant(
                path=path,
                n=n,
                line=change.old.lineno,  # type: ignore[attr-defined]
                first_line=first_line,
                last_line=last_line,
                within=place.within,
                operator=change.operator,
                before=before,
                after=after,
                again=again,
            )
        )
    return found


def mutated(source: str, n: int) -> ast.Module:
    """The file with its mutant of that number."""
    tree = ast.parse(source)
    for at, (_, change) in enumerate(_changes(tree)):
        if at == n:
            change.make()
            return tree
    raise ValueError(f"n = {n}: the file has not so many mutants")


def _told(change: Change) -> tuple[str, str]:
    match change.old, change.new:
        case ast.Match(cases=cases), ast.Match(cases=left):
            gone = next(one for one in cases if one not in left)
            guard = f" if {_short(gone.guard)}" if gone.guard else ""
            return f"case {_short(gone.pattern)}{guard}", "left out"
        case ast.stmt(), ast.Pass() | ast.Expr(value=ast.YieldFrom(value=ast.Tuple())):
            return _short(change.old), "left out"
        case old, new:
            return _short(old), _short(new)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 90 else f"{text[:60]} ... {text[-25:]}"


def _changes(tree: ast.Module) -> Iterator[Found]:
    yield from _inside(tree, Place())


def _inside(node: ast.AST, place: Place) -> Iterator[Found]:
    """The changes of what a node holds."""
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED_FIELDS and not (field == "keywords" and isinstance(node, ast.Call)):
            continue
        here = _place_of(node, field, place)
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST):
                continue
            for operator, new in _replacements(child, here, node):
                yield here, Change(node, field, index, new, operator)
            if not _left_alone(child):
                yield from _inside(child, _entered(child, here))


def _place_of(node: ast.AST, field: str, place: Place) -> Place:
    condition = field in {"test", "ifs", "guard"}
    condition = condition or (isinstance(node, ast.BoolOp) and field == "values")
    within = "" if isinstance(node, ast.arguments) else place.within  # a default is the module's
    return replace(place, within=within, condition=condition)


def _entered(child: ast.AST, place: Place) -> Place:
    within, classes, text = place.within, place.classes, place.text
    match child:
        case ast.ClassDef(name=name):
            classes = f"{classes}{name}."
        case ast.FunctionDef(name=name) if not within:
            within = f"{classes}{name}"
        case ast.keyword(arg=name):
            text = text or name in TEXT_NAMES
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            text = text or name in TEXT_NAMES or name.endswith("_text")
    return Place(within=within, lines=_extent(child, place), classes=classes, text=text)


def _extent(node: ast.AST, place: Place) -> tuple[int, int]:
    """The lines of a statement, of its head if it holds others, else those of what holds it."""
    match node:
        case ast.match_case(pattern=pattern, guard=guard):
            return pattern.lineno, (guard or pattern).end_lineno or pattern.lineno
        case ast.Match(subject=inner) | ast.If(test=inner) | ast.While(test=inner):
            return node.lineno, inner.end_lineno or node.lineno
        case ast.For(iter=inner):
            return node.lineno, inner.end_lineno or node.lineno
        case ast.Try() | ast.With() | ast.FunctionDef() | ast.ClassDef():
            return node.lineno, node.lineno
        case ast.stmt():
            return node.lineno, node.end_lineno or node.lineno
        case _:
            return place.lines


def _left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Raise():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if name.startswith("__"):
            return True
        case ast.Assign(value=ast.BinOp(op=ast.BitOr(), left=ast.Name() | ast.BinOp())):
            return True  # a union of types, or of sets that are mutated where they are made
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Call(func=ast.Name(id="isinstance" | "cast" | "TypeVar" | "NewType")):
            return True
        case _:
            return isinstance(node, ALONE)


def _replacements(node: ast.AST, place: Place, parent: ast.AST) -> Replacement:
    for make in (_statement, _expression, _constant, _condition):
        yield from make(node, place, parent)


def _statement(node: ast.AST, place: Place, parent: ast.AST) -> Replacement:
    """Left out: what is done to others. A yield leaves its function a generator."""
    del parent
    if not place.within:
        return
    nothing = ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
    match node:
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield "statement left out", nothing
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))))
        ):
            return  # the function's code would not fit in the function any more
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise():
            yield "statement left out", ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield "statement left out", ast.Pass()
        case ast.Delete(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield "statement left out", ast.Pass()
        case ast.Return(value=value) if value is not None and not _plain(value):
            yield "None returned", ast.Return(ast.Constant(None))
        case ast.Break():
            yield "break for continue", ast.Continue()
        case ast.Continue():
            yield "break for continue", ast.Break()
        case ast.Match(subject=subject, cases=cases):
            for n, case in enumerate(cases):
                left = cases[:n] + cases[n + 1 :]
                if left and not _refutes(case):
                    yield "case left out", ast.Match(subject, left)


def _plain(value: ast.expr) -> bool:
    return isinstance(value, (ast.Constant, ast.Compare, ast.BoolOp)) or (
        isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
    )


def _refutes(case: ast.match_case) -> bool:
    """Whether it is the case that mypy proves never to happen."""
    return "assert_never" in ast.unparse(case)


def _expression(node: ast.AST, place: Place, parent: ast.AST) -> Replacement:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for n, op in enumerate(ops):
                for other in SWAPPED.get(type(op), ()):
                    changed = [*ops[:n], other(), *ops[n + 1 :]]
                    yield "comparison", ast.Compare(left, changed, comparators)
        case ast.BoolOp(op=op, values=values):
            for other in SWAPPED[type(op)]:
                yield "and for or", ast.BoolOp(other(), values)
        case ast.BinOp(left=left, op=op, right=right) if not _of_text(left, right):
            if place.within:
                for other in SWAPPED.get(type(op), ()):
                    yield "arithmetic", ast.BinOp(left, other(), right)
        case ast.AugAssign(target=target, op=op, value=value):
            for other in SWAPPED.get(type(op), ()):
                yield "arithmetic", ast.AugAssign(target, other(), value)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield "not or minus left out", operand
        case ast.Name(id=name) if name in OTHER_NAME and isinstance(parent, ast.Call):
            if parent.func is node:
                yield "min for max, any for all", ast.Name(OTHER_NAME[name], ast.Load())


def _of_text(*operands: ast.expr) -> bool:
    return any(
        isinstance(one, ast.JoinedStr)
        or (isinstance(one, ast.Constant) and isinstance(one.value, str))
        for one in operands
    )


def _constant(node: ast.AST, place: Place, parent: ast.AST) -> Replacement:
    if not isinstance(node, ast.Constant) or isinstance(parent, ast.Expr):
        return
    match node.value:
        case bool(value):
            if not isinstance(parent, ast.While):
                yield "constant", ast.Constant(not value)
        case int(value):
            yield "constant", ast.Constant(value + 1)
        case str(value) if not place.text and " " not in value:
            number = NUMBER.fullmatch(value) and isinstance(parent, ast.Call)
            yield "constant", ast.Constant(f"{value}1" if number else f"{value}X")


def _condition(node: ast.AST, place: Place, parent: ast.AST) -> Replacement:
    """The opposite of a condition that holds no comparison of its own."""
    del parent
    if not place.condition or not isinstance(node, ast.expr) or isinstance(node, DECIDED):
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return
    yield "condition", ast.UnaryOp(ast.Not(), node)
