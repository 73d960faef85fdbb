"""What mutation testing changes, and what it leaves alone."""

import ast

import pytest

from tests.mutation.operators import mutants, mutated


def changes(source: str) -> list[tuple[str, str]]:
    return [(one.before, one.after) for one in mutants("a.py", source)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a < b", [("a < b", "a <= b"), ("a < b", "a >= b")]),
        (
            "return a is b and c",
            [("a is b and c", "a is b or c"), ("a is b", "a is not b"), ("c", "not c")],
        ),
        ("return not a", [("not a", "a")]),
        ("return a + 1", [("return a + 1", "return None"), ("a + 1", "a - 1"), ("1", "2")]),
        ("yield a", [("yield a", "left out")]),
        ("a.b = True", [("a.b = True", "left out"), ("True", "False")]),
        ("raise ValueError('a')", [("raise ValueError('a')", "left out")]),
        ("return min(a, b)", [("return min(a, b)", "return None"), ("min", "max")]),
        ("a = Decimal('1.5')", [("'1.5'", "'1.51'")]),
    ],
)
def test_each_kind_of_change(body: str, expected: list[tuple[str, str]]) -> None:
    assert changes(f"def f(a, b, c):\n    {body}\n") == expected


def test_each_case_is_left_out_once_but_the_one_that_never_happens() -> None:
    source = (
        "def f(a):\n"
        "    match a:\n"
        "        case X.B:\n            pass\n"
        "        case X.C if a:\n            pass\n"
        "        case _:\n            assert_never(a)\n"
    )
    left_out = [("case X.B", "left out"), ("case X.C if a", "left out")]
    assert changes(source) == [*left_out, ("a", "not a")]


@pytest.mark.parametrize(
    "source",
    [
        '"""A module."""',
        "import a",
        "a: Literal['b']",
        "__slots__ = ('a',)",
        "def f(a: 'int | None') -> 'int':\n    '''Text.'''\n",
        "def f(a):\n    assert a > 1\n",
        "def f(a):\n    text = 'No such thing'\n",
        "A = B | C",
        "@dataclass(frozen=True)\nclass A:\n    pass\n",
    ],
)
def test_what_no_test_should_notice_is_left_alone(source: str) -> None:
    assert changes(source) == []


def test_a_mutant_is_the_file_with_one_change_and_has_a_name_of_its_own() -> None:
    source = "def f(a):\n    return a == 1 or a == 1\n\n\nB = 5\n"
    found = mutants("a.py", source)
    assert len({one.key for one in found}) == len(found)
    [last] = [one for one in found if not one.within]
    assert last.key == "a.py module: `5` -> `6`"
    assert ast.unparse(mutated(source, last.n)).splitlines() == [
        "def f(a):",
        "    return a == 1 or a == 1",
        "B = 6",
    ]
