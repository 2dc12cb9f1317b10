import pytest

from devstack.demo.people import Person, choose_people


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ("1 new, 2 light, 3 heavy, 4 heavy", [3, 2, 1]),
        ("1 new, 2 new, 3 heavy", [3, 1, 2]),
        ("5 light", [5]),
        ("", []),
    ],
)
def test_one_user_of_each_segment_is_shown_and_others_fill_up(users: str, expected: list[int]) -> None:
    people = [Person(int(user.split()[0]), user.split()[1]) for user in users.split(",") if user]
    assert [person.user_id for person in choose_people(people)] == expected
