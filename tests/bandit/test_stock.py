"""What is left while a slate is filled, beside a slow walk that looks at every candidate anew."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandit.arms import ArmSet
from bandit.stock import Stock, available, places

letters = st.text("rd", max_size=5)


def open_arms(visits: Sequence[str], taken: Sequence[tuple[int, int]], least: dict[str, int], left: int) -> set[int]:
    """Which arms may give the next of `left` slots."""
    met = "".join(visits[arm][place] for arm, place in taken)
    owed = {visit: max(0, count - met.count(visit)) for visit, count in least.items()}
    may = {visit for visit in "rd" if sum(owed.values()) < left or owed[visit]}
    return {
        arm
        for arm, own in enumerate(visits)
        if any(own[place] in may and (arm, place) not in taken for place in range(len(own)))
    }


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
    stock, taken, slate = Stock(arms, length), [], []
    for slot in range(slots):
        expected = open_arms(visits, taken, least, slots - slot)
        assert {arm for arm in range(len(visits)) if stock.open >> arm & 1} == expected
        slate.append(random.choice(sorted(expected)))
        taken.append((slate[-1], stock.take(slate[-1])))
    shown = "".join(visits[arm][place] for arm, place in taken)
    assert all(shown.count(visit) >= count for visit, count in least.items())
    assert len(set(taken)) == slots
    assert places(arms, slate) == [place for _, place in taken]
    assert available(arms, slate).shape == (slots, len(visits))


@pytest.mark.parametrize("order", [None, (2, 0, 1)])
def test_an_arm_waits_while_a_lower_tier_has_something(order: tuple[int, ...] | None) -> None:
    arms = ArmSet(("a", "b", "c"), (1, 2, 1), tiers=(0, 1, 0))
    stock = Stock(arms, 9, order)
    waiting = 1 if order is None else order.index(1)
    assert stock.length == 4
    assert not stock.open >> waiting & 1
    for arm in {0, 1, 2} - {waiting}:
        stock.take(arm)
    assert stock.open == 1 << waiting


def test_which_arms_could_have_given_each_slot() -> None:
    plain = ArmSet(("a", "b"), (1, 2))
    assert available(plain, [1, 0, 1]).tolist() == [[True, True], [True, True], [False, True]]
    tiers = ArmSet(("a", "b"), (1, 2), tiers=(0, 1))
    assert available(tiers, [0, 1, 1]).tolist() == [[True, False], [False, True], [False, True]]
    owed = ArmSet(("a", "b"), (2, 2), visits=("dd", "rr"), least=(1, 1))
    assert available(owed, [0, 1]).tolist() == [[True, True], [False, True]]
