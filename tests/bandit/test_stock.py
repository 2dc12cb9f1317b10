"""What is left while a slate is filled, beside a slow walk that looks at every candidate anew."""

from collections.abc import Sequence
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bandit.arms import ArmSet
from bandit.outcomes import Floats
from bandit.slots import Slate, SlotTable
from bandit.stock import available, following, taken
from contracts.errors import PayloadError

letters = st.text("rd", max_size=5)


def on_offer(
    visits: Sequence[str], taken: Sequence[tuple[int, int]], least: dict[str, int], left: int
) -> dict[int, int]:
    """Which arms may give the next of `left` slots, and the place of what each would give."""
    met = "".join(visits[arm][place] for arm, place in taken)
    owed = {visit: max(0, count - met.count(visit)) for visit, count in least.items()}
    may = {visit for visit in "rd" if sum(owed.values()) < left or owed[visit]}
    found: dict[int, int] = {}
    for arm, own in enumerate(visits):
        for place, visit in enumerate(own):
            if visit in may and (arm, place) not in taken:
                found.setdefault(arm, place)
    return found


few = st.integers(0, 6)


@given(st.lists(letters, min_size=1, max_size=4), st.integers(0, 12), few, few, st.randoms())
def test_reserved_slots_are_walked_as_a_slow_search_does(
    visits: list[str], length: int, r: int, d: int, random: Random
) -> None:
    every = "".join(visits)
    slots = min(length, len(every))
    returns = min(r, every.count("r"), slots)
    least = {"r": returns, "d": min(d, every.count("d"), slots - returns)}
    counts, owed = tuple(map(len, visits)), tuple(least.values())
    arms = ArmSet(tuple("abcd"[: len(visits)]), counts, visits=tuple(visits), least=owed)
    stock, found, slate = arms.stock, [], []
    assert stock.slots(length) == slots
    for slot in range(slots):
        expected = on_offer(visits, found, least, slots - slot)
        assert np.flatnonzero(following(stock, slate, slots)).tolist() == sorted(expected)
        slate.append(random.choice(sorted(expected)))
        found.append((slate[-1], expected[slate[-1]]))
    shown = "".join(visits[arm][place] for arm, place in found)
    assert all(shown.count(visit) >= count for visit, count in least.items())
    assert len(set(found)) == slots
    firsts = [sum(counts[:arm]) for arm in range(len(counts))]
    assert taken(stock, slate).tolist() == [firsts[arm] + place for arm, place in found]
    assert available(stock, slate).shape == (slots, len(visits))


def test_an_arm_waits_while_a_lower_tier_has_something() -> None:
    stock = ArmSet(("a", "b", "c"), (1, 2, 1), tiers=(0, 1, 0)).stock
    assert stock.slots(9) == 4
    assert following(stock, [], 4).tolist() == [True, False, True]
    assert following(stock, [0, 2], 4).tolist() == [False, True, False]


@given(st.lists(letters, min_size=1, max_size=4), st.integers(1, 12), few, few, st.integers(0, 99))
def test_a_table_of_all_sets_fills_slots_as_one_that_looks_each_up(
    visits: list[str], length: int, r: int, d: int, seed: int
) -> None:
    every = "".join(visits)
    slots = min(length, len(every))
    returns = min(r, every.count("r"), slots)
    least = returns, min(d, every.count("d"), slots - returns)
    few_arms = ArmSet(tuple("abcd"[: len(visits)]), tuple(map(len, visits)), visits=tuple(visits), least=least)
    empty = 9 - len(visits)  # arms without a candidate: too many for a table
    many_arms = structs.replace(
        few_arms,
        arms=(*few_arms.arms, *"efghijklm"[:empty]),
        counts=(*few_arms.counts, *[0] * empty),
        visits=(*few_arms.visits, *[""] * empty),
    )

    def evenly(available: npt.NDArray[np.bool_]) -> Floats:
        return np.asarray(available / available.sum())

    def filled(arms: ArmSet, order: Sequence[int]) -> Slate:
        return SlotTable(evenly, len(arms.arms)).fill(arms.stock, np.array(order, np.int64), length, seed)

    slate = filled(few_arms, range(len(visits)))
    assert slate == filled(many_arms, range(9))
    assert len(slate) == slots
    backwards = structs.replace(few_arms, counts=few_arms.counts[::-1], visits=few_arms.visits[::-1])
    assert [len(visits) - 1 - arm for arm in filled(backwards, range(len(visits))[::-1])] == slate


def test_which_arms_could_have_given_each_slot() -> None:
    plain = ArmSet(("a", "b"), (1, 2))
    assert available(plain.stock, [1, 0, 1]).tolist() == [[True, True], [True, True], [False, True]]
    tiers = ArmSet(("a", "b"), (1, 2), tiers=(0, 1))
    assert available(tiers.stock, [0, 1, 1]).tolist() == [[True, False], [False, True], [False, True]]
    owed = ArmSet(("a", "b"), (2, 2), visits=("dd", "rr"), least=(1, 1))
    assert available(owed.stock, [0, 1]).tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize(
    "torn",
    [
        {"visits": ("rd", "r")},
        {"visits": ("rd", "\N{SNOWMAN}d")},
        {"visits": ("rd", "rd"), "least": (1,)},
        {"tiers": (0,)},
        {"counts": (2, -1)},
    ],
)
def test_an_arm_set_whose_fields_do_not_fit_is_named_before_compiled_code_sees_it(torn: dict[str, object]) -> None:
    arms = structs.replace(ArmSet(("a", "b"), (2, 2)), **torn)
    with pytest.raises(PayloadError, match="corrupt"):
        _ = arms.stock
