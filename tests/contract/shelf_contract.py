"""What every shelf must do, wherever it keeps what it is given.

A test module derives from ShelfContract and says how to make a shelf.
"""

from collections.abc import Callable
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.domain.packing import Family
from oms.domain.shelf import Shelf

NewShelf = Callable[[], Shelf]

# As packed orders are: bytes, or bytes and what they leave out.
BESIDE: Family = (b"\x80beside", (0, "tale", {"XA": ("E1", Decimal("1.00"))}), (1, "side", None))
FAMILIES = st.one_of(
    st.binary(max_size=3_000).map(lambda data: b")" + data),
    st.tuples(st.just(b")T"), st.tuples(st.integers(), st.text(), st.decimals(allow_nan=False))),
)
# Few names, so that many families have the same; and hashes that agree in their lower bits.
SIGNS = st.one_of(
    st.integers(-3, 3),
    st.integers(-3, 3).map(lambda n: n << 40),
    st.integers(-(2**63), 2**63 - 1),
)
PUT, TAKE_OFF = 0, 1
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just(PUT), FAMILIES, st.lists(SIGNS, min_size=1, max_size=12)),
        st.tuples(st.just(TAKE_OFF), st.integers(0, 50), st.none()),
    ),
    max_size=60,
)


def found(shelf: Shelf, sign: int) -> list[Family]:
    return [family for _, family in shelf.find(sign)]


class ShelfContract:
    """Derive and give the fixture `new_shelf`."""

    def test_an_empty_shelf_has_nothing(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        assert not shelf.may_have(7)
        assert found(shelf, 7) == list(shelf.families()) == []

    def test_a_family_is_found_by_each_of_its_names(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        shelf.put(b")one", [1, -(2**63), 2**63 - 1])
        shelf.put(BESIDE, [2])
        for sign in (1, -(2**63), 2**63 - 1):
            assert shelf.may_have(sign)
            assert found(shelf, sign) == [b")one"]
        assert found(shelf, 2) == [BESIDE]
        assert found(shelf, 3) == []

    def test_the_latest_of_a_name_comes_first(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        for n in range(300):
            shelf.put(b")%d" % n, [5, n << 20])
        assert found(shelf, 5) == [b")%d" % n for n in reversed(range(300))]
        assert found(shelf, 17 << 20) == [b")17"]

    def test_what_is_taken_off_is_found_no_more(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        for n in range(100):
            shelf.put(b")%d" % n, [5])
        numbers = [number for number, _ in shelf.find(5)]
        assert len(set(numbers)) == 100
        for number in numbers[::2]:
            shelf.take_off(number)
        assert found(shelf, 5) == [b")%d" % n for n in reversed(range(0, 100, 2))]
        assert list(shelf.families()) == [b")%d" % n for n in range(0, 100, 2)]
        shelf.put(b")again", [5])
        assert found(shelf, 5)[0] == b")again"

    def test_what_may_have_traded_is_told_of_those_that_are_kept(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        beside: Family = (b")ALPHA ACME T", (0, "text", "x"))
        kept: list[Family] = [b")ALPHA ACME T", b")ALPHA ZETA T", b")ALPHA ACME -", beside]
        for family in [*kept, b")ALPHA ACME off T"]:
            shelf.put(family, [len(family)])
        [number] = [n for n, family in shelf.find(len(b")ALPHA ACME off T"))]
        shelf.take_off(number)
        assert list(shelf.traded([b"ALPHA", b"ACME"])) == [kept[0], beside]
        assert list(shelf.traded([])) == [kept[0], kept[1], beside]
        assert list(shelf.traded([b"BETA"])) == []

    def test_names_that_are_not_there_seldom_pass(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        for n in range(2_000):
            shelf.put(b")", [hash((kind, f"N{n}")) for kind in range(6)])
        strangers = [hash((kind, f"M{n}")) for n in range(2_000) for kind in range(6)]
        passed = [one for one in strangers if shelf.may_have(one)]
        assert len(passed) < len(strangers) / 50
        assert not any(found(shelf, one) for one in passed)

    def test_it_frees_what_it_had_in_the_end(self, new_shelf: NewShelf) -> None:
        shelf = new_shelf()
        for n in range(1_000):
            shelf.put(b")" * 9_000, [n])
        steps = 0
        while shelf.free_some():
            steps += 1
            assert steps < 1_000
        assert steps > 1, "in portions"
        assert not shelf.free_some()

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(acts=ACTS)
    def test_it_does_as_a_list_would(
        self, new_shelf: NewShelf, acts: list[tuple[int, Family | int, list[int] | None]]
    ) -> None:
        shelf = new_shelf()
        kept: list[tuple[Family, list[int]]] = []
        for kind, what, signs in acts:
            if kind == PUT:
                assert isinstance(what, (bytes, tuple))
                assert signs is not None
                shelf.put(what, signs)
                kept.append((what, signs))
            elif kept:
                assert isinstance(what, int)
                sign = kept[what % len(kept)][1][0]
                number, family = next(shelf.find(sign))
                shelf.take_off(number)
                last = max(n for n, (_, names) in enumerate(kept) if sign in names)
                assert kept.pop(last)[0] == family
        assert list(shelf.families()) == [family for family, _ in kept]
        for sign in {one for _, signs in kept for one in signs} | {0, 1 << 40}:
            wanted = [family for family, names in reversed(kept) if sign in names]
            assert list(dict.fromkeys(map(repr, found(shelf, sign)))) == list(
                dict.fromkeys(map(repr, wanted))
            )
            assert shelf.may_have(sign) or not wanted
