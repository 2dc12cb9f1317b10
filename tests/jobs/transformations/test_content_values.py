import math

import pytest
from pyspark.sql import Row, SparkSession

from contracts import columns as c
from contracts.settings import ValuationSettings
from contracts.tables import VIEW_VALUE
from jobs.transformations.content_values import content_values
from jobs.transformations.voices import cohorts, voices, without_crowds
from tests.jobs.frames import as_of_day, day, frame

SETTINGS = ValuationSettings(prior_views=2.0, streamer_prior_viewers=4.0, prior_streamers=1.0, confidence_z=1.0)


def _view(user: int, content: int, value: float, **other: object) -> dict[str, object]:
    """A view of a streamer of the content's own, whose user-relative distance makes this value."""
    distance = math.log(value / (1 - value))
    row = {c.USER_ID: user, c.CONTENT_ID: content, c.STREAMER_ID: content, c.USER_RELATIVE: distance}
    return {**row, c.WATCHED_SECONDS: 9.0, **other}


def _found(spark: SparkSession, *views: dict[str, object]) -> dict[int, Row]:
    met = cohorts(voices(as_of_day(frame(spark, VIEW_VALUE, *views)), SETTINGS))
    rows = content_values(without_crowds(met, SETTINGS), SETTINGS).collect()
    return {row[c.CONTENT_ID]: row for row in rows}


def test_the_bound_shrinks_to_the_streamer_and_the_streamer_to_the_kind(spark: SparkSession) -> None:
    """Every user watches two streamers, so that every voice counts one half."""
    of_one = {c.STREAMER_ID: 10}
    found = _found(
        spark,
        _view(1, 10, 0.9),
        _view(1, 12, 0.5),
        _view(2, 10, 0.4),
        _view(2, 12, 0.3),
        _view(3, 11, 0.8, **of_one),
        _view(3, 12, 0.6),
        _view(3, 13, 0.5, **{c.WATCHED_SECONDS: 0.0}),
    )
    assert set(found) == {10, 11, 12}  # an exposure that was not played says nothing
    assert {key: (row[c.VIEWS], row[c.VIEWERS]) for key, row in found.items()} == {10: (2, 2), 11: (1, 1), 12: (3, 3)}
    assert [found[10][name] for name in (c.EFFECTIVE_VIEWERS, c.CROWD_VIEWERS)] == [1.0, 0]
    assert found[10][c.MEAN_VALUE] == pytest.approx(0.65)
    said = [0.9, 0.5, 0.4, 0.3, 0.8, 0.6]
    kind = sum(said) / 6
    spread_of_kind = sum(value**2 for value in said) / 6 - kind**2
    streamer = (0.5 * (0.9 + 0.4 + 0.8) + 4 * kind) / (1.5 + 4)
    mean = (0.65 + 2 * streamer) / 3
    variance = (0.5 * (0.25**2 + 0.25**2) + 2 * spread_of_kind) / 3
    assert found[10][c.VALUE_LOWER_BOUND] == pytest.approx(mean - math.sqrt(variance / 3), abs=1e-5)


def test_who_watches_a_hundred_times_moves_a_content_no_further_than_who_watches_once(spark: SparkSession) -> None:
    others = [_view(user, 11, 0.5) for user in (1, 2, 9)]
    once, often = ([_view(1, 10, 0.99)] * times + [_view(2, 10, 0.2), *others] for times in (1, 100))
    bounds = [_found(spark, *views)[10][c.VALUE_LOWER_BOUND] for views in (once, often)]
    assert bounds[0] == bounds[1]


def test_bots_that_come_for_one_content_do_not_move_it(spark: SparkSession) -> None:
    honest = [_view(user, content, 0.5) for user in (1, 2) for content in (10, 11)]
    bots = [_view(user, 10, 0.99) for user in range(50, 80)]
    without, attacked = _found(spark, *honest)[10], _found(spark, *honest, *bots)[10]
    assert attacked[c.VALUE_LOWER_BOUND] == pytest.approx(without[c.VALUE_LOWER_BOUND], abs=1e-6)
    assert attacked[c.VIEWERS] == 32
    assert attacked[c.EFFECTIVE_VIEWERS] == without[c.EFFECTIVE_VIEWERS]


def test_a_crowd_of_new_accounts_is_counted_and_says_no_more_than_the_others_let_expect(spark: SparkSession) -> None:
    """Users 1 to 89 came before; users 150 to 179 come today, watch anything once and meet on content 10."""
    old = [_view(user, content, 0.5, **{c.VIEW_DAY: day(5)}) for user in range(1, 90) for content in (20, 21)]
    today = [_view(user, 10, 0.5) for user in (1, 2)] + [_view(user, 30, 0.5) for user in range(3, 90)]
    bots = [view for user in range(150, 180) for view in (_view(user, 10, 0.99), _view(user, user, 0.5))]
    boosted = _found(spark, *old, *today, *bots)[10]
    assert (boosted[c.VIEWERS], boosted[c.CROWD_VIEWERS]) == (32, 30)
    honest, young, others = 2 * 2 / 3, 60 * 1 / 2, 89 * 2 / 3  # weights of content 10's and of all voices of the day
    assert boosted[c.EFFECTIVE_VIEWERS] == pytest.approx(honest + honest * young / others, abs=1e-5)
