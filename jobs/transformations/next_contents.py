"""What is watched next: contents that the users who valued one content valued, too.

    v(u, c)       = mean weight of u's valued views of c * (S - 1) / (S - 1 + p)
    w(u, c)       = v(u, c) / sqrt(n)
    co(a, b)      = sum over users of  w(u, a) w(u, b)
    support(a, b) = sum over users of  min(v(u, a), v(u, b))
    score         = co(a, b) / sqrt(co(a, a) co(b, b)) * support / (support + k)

as in `related_streamers`, with voices in the place of users: S streamers watched in the window and p =
`prior_streamers` as in `voices`, so that accounts which watch one streamer, and views that a rule of abuse found, count
nothing or little. n is the number of u's contents that count, k = `prior_support`. Pairs with less than `min_support`
are chance.

Only the newest `max_contents` of a user count: at most max_contents * (max_contents - 1) / 2 pairs, however much the
user watched. A million users thus make 435 million pairs at the most, before they are added up.

The list goes on with the best-valued and the newest contents of the target's streamer, in turns. No content shows the
moment of the target, or of one above it.
"""

from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from contracts import columns as c
from contracts.names import ContentKind, Source
from contracts.settings import NextContentSettings, Settings
from jobs.transformations.arithmetic import exact_sum, with_rank
from jobs.transformations.as_of import AS_OF
from jobs.transformations.moments import one_per_moment
from jobs.transformations.views import played

_VOICE, _EVIDENCE, _LENGTH, _CONTENTS = "voice", "evidence", "length", "contents"
_LEFT, _RIGHT, _PAIR, _CO = "left", "right", "pair", "co_watched"
_PLACE: Final = "place"
_SPANS: Final = (c.BROADCAST_ID, c.OFFSET_SECONDS, c.DURATION_SECONDS)
_OFFERED: Final = (AS_OF, c.TARGET_ID, c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID, c.SOURCE, c.SCORE, c.SUPPORT)


def valued_contents(views: DataFrame, listed: DataFrame, settings: Settings) -> DataFrame:
    """Each user's newest valued VODs and clips that may be listed: user, content, voice, number of them, `as_of`.

    Args:
        views: Latest views of the windows, partitioned by user, with `as_of`.
        listed: As `moments.listable` makes them.
    """
    user = (c.USER_ID, AS_OF)
    account = Window.partitionBy(*user).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    others = f.size(f.collect_set(c.STREAMER_ID).over(account)) - f.lit(1)
    evidence = others / (others + f.lit(settings.valuation.prior_streamers))
    is_recorded = f.col(c.CONTENT_KIND) != f.lit(ContentKind.LIVE.value)
    valued = played(views).withColumn(_EVIDENCE, evidence).where(f.col(c.IS_VALUED) & is_recorded)
    voices = valued.groupBy(*user, c.CONTENT_ID).agg(
        (exact_sum(f.col(c.WEIGHT)) / f.count(f.lit(1)) * f.max(_EVIDENCE)).alias(_VOICE),
        f.max(c.LAST_EVENT_TIME).alias(c.LAST_EVENT_TIME),
    )
    may_be_listed = listed.select(AS_OF, c.CONTENT_ID)
    known = voices.where(f.col(_VOICE) > 0).join(may_be_listed, on=[AS_OF, c.CONTENT_ID], how="left_semi")
    ranked = with_rank(known, user, f.desc(c.LAST_EVENT_TIME), f.asc(c.CONTENT_ID))
    newest = ranked.where(f.col(c.RANK) <= settings.next_contents.max_contents)
    return newest.select(*user, c.CONTENT_ID, _VOICE, f.count(f.lit(1)).over(account).alias(_CONTENTS))


def co_watched(valued: DataFrame, settings: Settings) -> DataFrame:
    """`target_id`, `content_id`, score, support and `as_of`: the best of each target, ranked; both ways of each pair.

    Args:
        valued: As `valued_contents` makes them.
    """
    chosen, support = settings.next_contents, f.col(c.SUPPORT)
    cosine = f.least(f.lit(1.0), f.col(_CO) / f.col(_LENGTH))
    believed = support / (support + f.lit(chosen.prior_support))
    enough = _pairs(valued, chosen.min_support).where(support >= f.lit(chosen.min_support))
    scored = _both_ways(enough.withColumn(c.SCORE, cosine * believed))
    ranked = with_rank(scored, [AS_OF, c.TARGET_ID], f.desc(c.SCORE), f.asc(c.CONTENT_ID))
    return ranked.where(f.col(c.RANK) <= _related_length(chosen))


def next_contents(
    related: DataFrame, listed: DataFrame, channels: DataFrame, catalogue: DataFrame, settings: Settings
) -> DataFrame:
    """The list of every target; without `available_at`.

    Args:
        related: As `co_watched` makes them.
        listed: As `moments.listable` makes them: the targets.
        channels: What fills up: streamer, rank, content, kind, source, `as_of`.
        catalogue: `content_v1` with `as_of`, for the moments that contents show.
    """
    own = _of_streamer(listed, channels, settings.next_contents)
    offered = _itself(listed).unionByName(_related(related, listed)).unionByName(own)
    spans = catalogue.select(AS_OF, c.CONTENT_ID, *_SPANS)
    known = offered.join(spans, on=[AS_OF, c.CONTENT_ID], how="left")
    within = [AS_OF, c.TARGET_ID]
    stayed = one_per_moment(known, within, _PLACE, settings.representative.duplicate_overlap)
    others = stayed.where(f.col(c.CONTENT_ID) != f.col(c.TARGET_ID))
    ranked = with_rank(others, within, f.asc(_PLACE), f.asc(c.CONTENT_ID))
    return ranked.where(f.col(c.RANK) <= settings.next_contents.list_length).select(*_OFFERED, c.RANK)


def _pairs(valued: DataFrame, min_support: float) -> DataFrame:
    """Co-watching of each pair of contents that enough users have valued, once, with the product of their lengths."""
    weight = f.col(_VOICE) / f.sqrt(_CONTENTS)
    of_content = Window.partitionBy(AS_OF, c.CONTENT_ID).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    heard = valued.withColumns(
        {
            c.WEIGHT: weight,
            _LENGTH: f.sqrt(exact_sum(weight * weight, over=of_content)),
            c.SUPPORT: exact_sum(f.col(_VOICE), over=of_content),
        }
    ).where((f.col(c.SUPPORT) >= f.lit(min_support)) & (f.col(_LENGTH) > 0))
    watched = f.sort_array(f.collect_list(f.struct(c.CONTENT_ID, _VOICE, c.WEIGHT, _LENGTH)))
    users = heard.groupBy(AS_OF, c.USER_ID).agg(watched.alias(_CONTENTS)).where(f.size(_CONTENTS) > 1)
    left = users.select(AS_OF, _CONTENTS, f.explode(_CONTENTS).alias(_LEFT))
    pairs = left.select(AS_OF, _LEFT, f.explode(_CONTENTS).alias(_RIGHT))
    one, other = f.col(_LEFT), f.col(_RIGHT)
    return (
        pairs.where(one[c.CONTENT_ID] < other[c.CONTENT_ID])
        .groupBy(AS_OF, one[c.CONTENT_ID].alias(_LEFT), other[c.CONTENT_ID].alias(_RIGHT))
        .agg(
            exact_sum(one[c.WEIGHT] * other[c.WEIGHT]).alias(_CO),
            exact_sum(f.least(one[_VOICE], other[_VOICE])).alias(c.SUPPORT),
            f.max(one[_LENGTH] * other[_LENGTH]).alias(_LENGTH),
        )
    )


def _both_ways(pairs: DataFrame) -> DataFrame:
    one = f.struct(f.col(_LEFT).alias(c.TARGET_ID), f.col(_RIGHT).alias(c.CONTENT_ID))
    other = f.struct(f.col(_RIGHT).alias(c.TARGET_ID), f.col(_LEFT).alias(c.CONTENT_ID))
    ways = pairs.select(AS_OF, f.explode(f.array(one, other)).alias(_PAIR), c.SCORE, c.SUPPORT)
    return ways.select(AS_OF, f"{_PAIR}.*", c.SCORE, c.SUPPORT)


def _itself(listed: DataFrame) -> DataFrame:
    """The target stands first, so that nothing after it shows its moment."""
    place, nothing = f.lit(0), f.lit(0.0)
    own = listed.select(
        AS_OF, f.col(c.CONTENT_ID).alias(c.TARGET_ID), c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID
    ).withColumns({c.SOURCE: f.lit(""), c.SCORE: nothing, c.SUPPORT: nothing, _PLACE: place})
    return own.select(*_OFFERED, _PLACE)


def _related(related: DataFrame, listed: DataFrame) -> DataFrame:
    facts = listed.select(AS_OF, c.CONTENT_ID, c.CONTENT_KIND, c.STREAMER_ID)
    found = related.join(facts, on=[AS_OF, c.CONTENT_ID], how="inner")
    sourced = found.withColumns({c.SOURCE: f.lit(Source.CO_WATCHED.value), _PLACE: f.col(c.RANK)})
    return sourced.select(*_OFFERED, _PLACE)


def _of_streamer(listed: DataFrame, channels: DataFrame, chosen: NextContentSettings) -> DataFrame:
    targets = listed.select(AS_OF, c.STREAMER_ID, f.col(c.CONTENT_ID).alias(c.TARGET_ID))
    found = targets.join(channels, on=[AS_OF, c.STREAMER_ID], how="inner")
    nothing, place = f.lit(0.0), f.col(c.RANK) + f.lit(_related_length(chosen))
    return found.withColumns({c.SCORE: nothing, c.SUPPORT: nothing, _PLACE: place}).select(*_OFFERED, _PLACE)


def _related_length(chosen: NextContentSettings) -> int:
    """Twice as many as are listed: some show the same moment."""
    return 2 * chosen.list_length
