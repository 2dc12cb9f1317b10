from hypothesis import given
from hypothesis import strategies as st

from contracts.byte_strings import ByteStrings


@given(st.lists(st.binary(max_size=9)), st.data())
def test_strings_are_taken_in_any_order(strings: list[bytes], data: st.DataObject) -> None:
    columns = ByteStrings.of(strings)
    assert (len(columns), columns.tolist()) == (len(strings), strings)
    assert columns.sizes().tolist() == list(map(len, strings))
    start = data.draw(st.integers(0, len(strings)))
    assert columns.take(slice(start, None)).tolist() == strings[start:]
    assert columns.take(columns.ends.argsort()[::-1]).tolist() == [
        strings[place] for place in columns.ends.argsort()[::-1]
    ]
