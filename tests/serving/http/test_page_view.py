"""Numbers of the page as people read them."""

import pytest

from serving.http.bodies import StageTime
from serving.http.page import coded, duration, share
from serving.http.page_form import Form
from serving.http.page_view import stages, words


def test_runs_of_a_stage_are_one_row_and_only_filters_and_caps_drop() -> None:
    rows = stages(
        [
            StageTime("sources", "PersonalListSource", 5.0, 0, 10),
            StageTime("filters", "SeenFilter", 2.0, 10, 7),
            StageTime("filters", "SeenFilter", 1.0, 4, 4),
            StageTime("rerankers", "SourceReranker", 9.0, 11, 5),
        ]
    )
    assert [(row.folder, row.name, row.runs, row.entered, row.left, row.dropped, row.microseconds) for row in rows] == [
        ("sources", "personal list", 1, 0, 10, 0, 5.0),
        ("filters", "seen", 2, 14, 11, 3, 3.0),
        ("rerankers", "source", 1, 11, 5, 0, 9.0),
    ]


@pytest.mark.parametrize(
    ("name", "said"), [("NotLiveFilter", "not live"), ("SeenFilter", "seen"), ("Filter", "Filter"), ("plain", "plain")]
)
def test_a_stage_is_called_by_what_it_does(name: str, said: str) -> None:
    assert words(name) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (10.0, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61.0, "1 min 1 s"),
        (3_600.0, "1 h"),
        (7_500.0, "2 h 5 min"),
        (180_000.0, "2 d 2 h"),
    ],
)
def test_a_time_span_has_two_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_chance_is_a_percentage() -> None:
    assert share(0.12345) == "12.3 %"


def test_code_in_a_message_is_code_and_the_rest_is_escaped() -> None:
    assert str(coded("run `a<b` & go")) == "run <code>a&lt;b</code> &amp; go"


def test_an_address_keeps_the_question_and_forgets_the_draw_and_the_page() -> None:
    form = Form.of(b"user=7&surface=home_live&cursor=abc&request=r1&languages=en")
    assert form.address() == "/?user=7&surface=home_live&languages=en"
    assert form.address(surface="related_streamers", context="3") == (
        "/?user=7&surface=related_streamers&languages=en&context=3"
    )
    assert form.json_address == "/v1/recommendations/7?surface=home_live&cursor=abc&languages=en"
    assert Form.of(b"").json_address == "/v1/recommendations?surface=home_clips"
