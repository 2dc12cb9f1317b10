from hypothesis import given
from hypothesis import strategies as st

from serving.stores.hashes import Hashes

FIELDS = st.dictionaries(st.binary(max_size=4), st.binary(max_size=9), min_size=1, max_size=5)
HASHES = st.dictionaries(st.text(max_size=4), FIELDS, max_size=5)


@given(HASHES)
def test_hashes_by_key_come_back(hashes: dict[str, dict[bytes, bytes]]) -> None:
    columns = Hashes.of(hashes)
    values = [value for fields in hashes.values() for value in fields.values()]
    assert dict(columns.items()) == hashes
    assert (columns.count, columns.size_bytes) == (len(values), sum(map(len, values)))


@given(HASHES, st.integers(1, 9), st.integers(1, 30))
def test_a_cut_is_of_whole_hashes_and_ends_as_soon_as_it_is_full(
    hashes: dict[str, dict[bytes, bytes]], fields: int, size_bytes: int
) -> None:
    parts = list(Hashes.of(hashes).cut(fields, size_bytes))
    assert [pair for part in parts for pair in part.items()] == list(hashes.items())
    for part in parts[:-1]:
        assert part.count >= fields or part.size_bytes >= size_bytes
    for part in parts:
        but_last = list(part.items())[:-1]
        assert sum(len(each) for _, each in but_last) < fields
        assert sum(len(value) for _, each in but_last for value in each.values()) < size_bytes
