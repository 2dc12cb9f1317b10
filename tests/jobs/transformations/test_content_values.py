import math

import pytest
from pyspark.sql import SparkSession

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import VIEW_VALUE
from jobs.transformations.content_values import content_values
from tests.jobs.frames import as_of_day, frame

SETTINGS = ValuationSettings(prior_views=2.0, confidence_z=1.0)


def _view(user: int, content: int, value: float, weight: float = 1.0, seconds: float = 9.0) -> dict[str, object]:
    return {c.USER_ID: user, c.CONTENT_ID: content, c.VALUE: value, c.WEIGHT: weight, c.WATCHED_SECONDS: seconds}


def test_each_user_has_one_voice_and_the_bound_shrinks_to_the_ordinary_content(spark: SparkSession) -> None:
    views = frame(
        spark,
        VIEW_VALUE,
        _view(1, 10, 0.9),
        _view(1, 10, 0.7),
        _view(2, 10, 0.4),
        _view(3, 11, 0.2, weight=0.5),
        _view(4, 11, 0.0, weight=0.5, seconds=0.0),
    )
    found = {row[c.CONTENT_ID]: row for row in content_values(as_of_day(views), SETTINGS).collect()}
    assert [(row[c.VIEWS], row[c.VIEWERS]) for row in (found[10], found[11])] == [(3, 2), (1, 1)]
    assert found[10][c.MEAN_VALUE] == pytest.approx(0.6)  # of 0.8 and 0.4
    assert found[11][c.MEAN_VALUE] == pytest.approx(0.1)
    overall = (0.8 + 0.4 + 0.1) / 3
    spread = (0.64 + 0.16 + 0.5 * 0.04) / 3 - overall**2
    mean = (2 * 0.6 + 2 * overall) / 4
    variance = (2 * 0.04 + 2 * spread) / 4
    assert found[10][c.VALUE_LOWER_BOUND] == pytest.approx(mean - math.sqrt(variance / 4), abs=1e-6)


def test_who_watches_a_hundred_times_moves_a_content_no_further_than_who_watches_once(spark: SparkSession) -> None:
    others = [_view(9, 99, 0.5)]
    once = frame(spark, VIEW_VALUE, _view(1, 10, 1.0), _view(2, 10, 0.2), *others)
    often = frame(spark, VIEW_VALUE, *[_view(1, 10, 1.0)] * 100, _view(2, 10, 0.2), *others)
    bounds = [
        next(
            row[c.VALUE_LOWER_BOUND]
            for row in content_values(as_of_day(views), SETTINGS).collect()
            if row[c.CONTENT_ID] == 10
        )
        for views in (once, often)
    ]
    assert bounds[0] == bounds[1]
