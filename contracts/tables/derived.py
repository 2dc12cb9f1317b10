"""Tables that jobs and models compute. Each row of day dt becomes available at `available_at`, never on dt itself."""

from contracts import columns as c
from contracts.schema import (
    BOOL,
    DATE,
    DATE_LIST,
    FLOAT32_LIST,
    FLOAT64,
    INT32,
    INT64,
    INT64_LIST,
    STRING,
    TIMESTAMP,
    Column,
    Table,
)

_USER = Column(c.USER_ID, INT64, "the user")
_STREAMER = Column(c.STREAMER_ID, INT64, "the streamer; for a content, whose it is")
_CONTENT = Column(c.CONTENT_ID, INT64, "the content")
_KIND = Column(c.CONTENT_KIND, STRING, "`live`, `vod` or `clip`")
_AVAILABLE = Column(c.AVAILABLE_AT, TIMESTAMP, "end of dt plus the publish delay: the time of every point-in-time join")
_RANK = Column(c.RANK, INT32, "1 is best")
_ITEM_KIND = Column(c.ITEM_KIND, STRING, "`vod`, `clip` or `streamer`")
_ITEM = Column(c.ITEM_ID, INT64, "content_id, or streamer_id where item_kind is `streamer`")

VIEW_VALUE = Table(
    "view_value_v1",
    "One view (user, content, day) that has a watch row in partition dt, with its value. A late row makes the view"
    " appear again in a later dt with all its seconds: the row of the latest dt holds.",
    (
        _USER,
        _CONTENT,
        _KIND,
        _STREAMER,
        Column(c.VIEW_DAY, DATE, "the platform's day of the watch"),
        Column(c.FIRST_EVENT_TIME, TIMESTAMP, "first watch row of the view"),
        Column(c.LAST_EVENT_TIME, TIMESTAMP, "last watch row of the view"),
        Column(c.WATCHED_SECONDS, FLOAT64, "all rows of the view added up", "s"),
        Column(c.COMPLETION, FLOAT64, "watched share of the length, capped at 1; null without a length", nullable=True),
        Column(c.IS_CLICK, BOOL, "any row of the view was a chosen play", nullable=True),
        Column(
            c.USER_RELATIVE, FLOAT64, "watched share within its length, against the user's mean", "standard deviations"
        ),
        Column(c.CONTENT_RELATIVE, FLOAT64, "the same against the content's mean", "standard deviations"),
        Column(c.VALUE, FLOAT64, "value of the view, 0 to 1"),
        Column(c.LOGGED_VALUED, BOOL, "the log's own verdict, where it has one", nullable=True),
        Column(c.IS_VALUED, BOOL, "valued watch: the log's verdict, else value at or above the threshold"),
        Column(c.WEIGHT, FLOAT64, "what the view counts in aggregates, 0 to 1"),
        Column(c.WEIGHT_REASON, STRING, "named abuse rule that lowered the weight", nullable=True),
        _AVAILABLE,
    ),
    (c.USER_ID, c.CONTENT_ID, c.VIEW_DAY),
    "python -m jobs view_valuation",
    400,
)

CONTENT_VALUE = Table(
    "content_value_v1",
    "What the views of the trailing window say of one content.",
    (
        _CONTENT,
        _KIND,
        _STREAMER,
        Column(c.VIEWS, INT64, "views in the window"),
        Column(c.VIEWERS, INT64, "distinct users in the window"),
        Column(c.EFFECTIVE_VIEWERS, FLOAT64, "what their voices count together"),
        Column(c.CROWD_VIEWERS, INT64, "those whose voice counts less by the rule `newcomer_crowd`"),
        Column(c.MEAN_VALUE, FLOAT64, "mean over distinct users of each user's user-relative value, weighted, 0 to 1"),
        Column(c.VALUE_LOWER_BOUND, FLOAT64, "lower confidence bound of that mean, 0 to 1"),
        _AVAILABLE,
    ),
    (c.CONTENT_ID,),
    "python -m jobs content_values",
    60,
)

PREFERENCE_STATE = Table(
    "preference_state_v1",
    "What one user's views of one streamer add up to. A partition holds the pairs that changed since the one before;"
    " the first of every `full_every_days` holds all. The newest row of a pair holds.",
    (
        _USER,
        _STREAMER,
        Column(c.UNITS, INT64, "score, grown to the last day from which partitions are full", "1e-12"),
        Column(c.VIEWS, INT64, "views with any seconds"),
        Column(c.DISTINCT_DAYS, INT64, "days with a view", "d"),
        Column(c.LAST_VIEW_DAY, DATE, "last day with a view"),
    ),
    (c.USER_ID, c.STREAMER_ID),
    "python -m jobs preferred_streamers",
    60,
)

PREFERRED_STREAMER = Table(
    "preferred_streamer_v2",
    "The streamers that one user prefers, with and without enough evidence. A partition holds who came since the one"
    " before; the first of every `full_every_days` holds everybody. The newest row of a user holds.",
    (
        _USER,
        Column(c.VIEWS, INT64, "views of anything with any seconds: the evidence"),
        Column(c.STREAMER_IDS, INT64_LIST, "streamers, best first"),
        Column(c.UNITS, INT64_LIST, "score of each, as in the state: an order that decay does not change", "1e-12"),
        Column(c.LAST_VIEW_DAYS, DATE_LIST, "last day with a view of each"),
        _AVAILABLE,
    ),
    (c.USER_ID,),
    "python -m jobs preferred_streamers",
    60,
)

STREAMER_ORIENTATION = Table(
    "streamer_orientation_v1",
    "Whether one user follows streamers rather than categories: a visit is a day on which a user watched a streamer.",
    (
        _USER,
        Column(c.VISITS, INT64, "visits in the window"),
        Column(
            c.SAME_STREAMER_SHARE, FLOAT64, "how often two visits to a category are to one streamer, shrunk, 0 to 1"
        ),
        Column(c.EXPECTED_SHARE, FLOAT64, "the same of two visits of anybody to these categories, 0 to 1"),
        Column(c.ORIENTATION, FLOAT64, "0: no more often than anybody's; 1: always the same streamer"),
        Column(c.IS_STREAMER_ORIENTED, BOOL, "orientation at or above the threshold"),
        _AVAILABLE,
    ),
    (c.USER_ID,),
    "python -m jobs streamer_orientation",
    60,
)

RELATED_STREAMER = Table(
    "related_streamer_v1",
    "One streamer that is preferred by the people who prefer another.",
    (
        Column(c.STREAMER_ID, INT64, "the streamer whose neighbours these are"),
        Column(c.RELATED_STREAMER_ID, INT64, "the neighbour"),
        _RANK,
        Column(c.SCORE, FLOAT64, "cosine of the two streamers' preferences over users, shrunk, 0 to 1"),
        Column(c.SUPPORT, INT64, "users who prefer both"),
        _AVAILABLE,
    ),
    (c.STREAMER_ID, c.RELATED_STREAMER_ID),
    "python -m jobs related_streamers",
    60,
)

LIVE_CANDIDATE = Table(
    "live_candidate_v1",
    "One streamer for one streamer-oriented user, by what the people who prefer the user's streamers prefer. Return"
    " visits and discoveries are two quotas: each row has a rank in one of them.",
    (
        _USER,
        _STREAMER,
        Column(c.SCORE, FLOAT64, "sum over the user's preferred streamers of preference x relatedness"),
        Column(c.RETURN_RANK, INT32, "1 is best, of the streamers watched in the window", nullable=True),
        Column(c.DISCOVERY_RANK, INT32, "1 is best, of the others", nullable=True),
        _AVAILABLE,
    ),
    (c.USER_ID, c.STREAMER_ID),
    "python -m jobs live_candidates",
    60,
)

EXPLORATION_CANDIDATE = Table(
    "exploration_candidate_v1",
    "One streamer that one user does not watch (any more), and why to try.",
    (
        _USER,
        Column(c.EXPLORATION_KIND, STRING, "`co_watched`, `category_rising`, `newcomer` or `lapsed`"),
        _RANK,
        _STREAMER,
        Column(c.SCORE, FLOAT64, "comparable within a user and kind only"),
        _AVAILABLE,
    ),
    (c.USER_ID, c.EXPLORATION_KIND, c.STREAMER_ID),
    "python -m jobs exploration_candidates",
    60,
)

POPULAR_ITEM = Table(
    "popular_item_v1",
    "One item by recent popularity: distinct users with a valued watch, decayed by half-life.",
    (
        _ITEM_KIND,
        _ITEM,
        _STREAMER,
        _RANK,
        Column(c.SCORE, FLOAT64, "decayed number of users with a valued watch"),
        Column(c.VIEWERS, INT64, "distinct users with a valued watch in the window"),
        _AVAILABLE,
    ),
    (c.ITEM_KIND, c.ITEM_ID),
    "python -m jobs popular_items",
    60,
)

REPRESENTATIVE_VOD = Table(
    "representative_vod_v1",
    "One of a streamer's best VODs and clips, near-duplicates of one moment removed.",
    (
        _STREAMER,
        _RANK,
        _CONTENT,
        _KIND,
        Column(c.CREATOR_ID, INT64, "who made it", nullable=True),
        Column(c.BROADCAST_ID, INT64, "the broadcast it was cut from", nullable=True),
        Column(c.SCORE, FLOAT64, "recency x viewers with a voice x quality"),
        Column(c.RECENCY, FLOAT64, "half-life decay of the age, 0 to 1"),
        Column(c.VIEWERS, INT64, "distinct users in the window"),
        Column(c.VALUE_LOWER_BOUND, FLOAT64, "quality, 0 to 1"),
        _AVAILABLE,
    ),
    (c.STREAMER_ID, c.CONTENT_ID),
    "python -m jobs representative_vods",
    60,
)

NEXT_CONTENT = Table(
    "next_content_v1",
    "One content to offer after another: what the users who valued the one valued, too; then what fills the list up.",
    (
        Column(c.TARGET_ID, INT64, "the content that was watched"),
        _RANK,
        Column(c.CONTENT_ID, INT64, "the content to offer"),
        _KIND,
        Column(c.STREAMER_ID, INT64, "whose the offered content is"),
        Column(c.SOURCE, STRING, "`co_watched`; of the target's streamer: `representative` and `fresh`"),
        Column(c.SCORE, FLOAT64, "cosine of the two contents over users, shrunk, 0 to 1; 0 for what fills up"),
        Column(c.SUPPORT, FLOAT64, "users who valued both, as far as their voices count"),
        _AVAILABLE,
    ),
    (c.TARGET_ID, c.CONTENT_ID),
    "python -m jobs next_contents",
    60,
)

USER_FEATURE = Table(
    "user_feature_v1",
    "What the trailing window says of one user.",
    (
        _USER,
        Column(c.SEGMENT, STRING, "`new`, `light` or `heavy`: context of the bandit and of fallback lists"),
        Column(c.VIEWS, INT64, "views in the window"),
        Column(c.VALUED_VIEWS, INT64, "valued watches in the window"),
        Column(c.WATCHED_SECONDS, FLOAT64, "seconds in the window", "s"),
        Column(c.ACTIVE_DAYS, INT32, "days with a view", "d"),
        Column(c.DISTINCT_STREAMERS, INT32, "distinct streamers watched"),
        Column(c.LIVE_SHARE, FLOAT64, "share of the seconds that were live, 0 to 1"),
        Column(c.MEAN_VALUE, FLOAT64, "mean value of the views, 0 to 1"),
        Column(c.RECENT_CONTENT_IDS, INT64_LIST, "valued contents, latest first; earlier views after them"),
        Column(c.RECENT_STREAMER_IDS, INT64_LIST, "streamers of valued watches, latest first, distinct"),
        Column(c.PREFERRED_STREAMER_IDS, INT64_LIST, "preferred streamers, best first"),
        _AVAILABLE,
    ),
    (c.USER_ID,),
    "python -m jobs user_features",
    60,
)

STREAMER_FEATURE = Table(
    "streamer_feature_v1",
    "What the trailing window says of one streamer.",
    (
        _STREAMER,
        Column(c.VIEWS, INT64, "views in the window"),
        Column(c.VIEWERS, INT64, "distinct users in the window"),
        Column(c.WATCHED_SECONDS, FLOAT64, "seconds in the window", "s"),
        Column(c.LIVE_SHARE, FLOAT64, "share of the seconds that were live, 0 to 1"),
        Column(c.RETURN_SHARE, FLOAT64, "share of the users who came on two days or more, 0 to 1"),
        Column(c.MEAN_VALUE, FLOAT64, "mean value of the views, 0 to 1"),
        _AVAILABLE,
    ),
    (c.STREAMER_ID,),
    "python -m jobs streamer_features",
    60,
)

TRAINING_EXAMPLE = Table(
    "training_example_v1",
    "One view of dt as labels; features join it point in time by event_time.",
    (
        _USER,
        _CONTENT,
        _KIND,
        _STREAMER,
        Column(c.EVENT_TIME, TIMESTAMP, "first watch row of the view: the time of the point-in-time join"),
        Column(c.LABEL_CLICK, BOOL, "the user chose to play it"),
        Column(c.LABEL_VALUED, BOOL, "valued watch"),
        Column(c.LABEL_LIKE, BOOL, "the user liked the content that day"),
        Column(c.LABEL_FOLLOW, BOOL, "the user followed the streamer that day"),
        Column(c.WEIGHT, FLOAT64, "what the view counts, 0 to 1"),
    ),
    (c.USER_ID, c.CONTENT_ID, c.EVENT_TIME),
    "python -m jobs training_examples",
    60,
)

RETRIEVED_CANDIDATE = Table(
    "retrieved_candidate_v1",
    "One candidate that a retrieval model proposes to a user.",
    (
        _USER,
        _ITEM_KIND,
        _ITEM,
        _STREAMER,
        _RANK,
        Column(c.SCORE, FLOAT64, "the model's score, comparable within a user"),
        Column(c.MODEL_NAME, STRING, "registered name"),
        Column(c.MODEL_VERSION, STRING, "registered version"),
        _AVAILABLE,
    ),
    (c.USER_ID, c.ITEM_KIND, c.ITEM_ID),
    "python -m models retrieve",
    30,
)

USER_VECTOR = Table(
    "user_vector_v1",
    "One user's vector in the space of a retrieval model: its dot product with an item's vector is the item's score.",
    (
        _USER,
        Column(c.VECTOR, FLOAT32_LIST, "unit vector, the same length for every user"),
        Column(c.MODEL_NAME, STRING, "registered name"),
        Column(c.MODEL_VERSION, STRING, "registered version: vectors of two versions say nothing together"),
        _AVAILABLE,
    ),
    (c.USER_ID,),
    "python -m models retrieve",
    7,
)

CANDIDATE_LIST = Table(
    "candidate_list_v1",
    "One place of the fused list of a user on a surface, as publish puts it into Redis.",
    (
        _USER,
        Column(c.SURFACE, STRING, "where the list is shown"),
        _RANK,
        _ITEM_KIND,
        _ITEM,
        _STREAMER,
        Column(c.SOURCE, STRING, "the source that ranks it best"),
        Column(c.EXPLORATION_KIND, STRING, "kind of exploration, where the source is one", nullable=True),
        Column(c.SCORE, FLOAT64, "fused score"),
        Column(c.MODEL_VERSION, STRING, "retrieval model behind the list", nullable=True),
        _AVAILABLE,
    ),
    (c.USER_ID, c.SURFACE, c.ITEM_KIND, c.ITEM_ID),
    "python -m jobs candidate_lists",
    30,
)

SEGMENT_LIST = Table(
    "segment_list_v1",
    "One place of the list a segment gets when a user has none of their own; `all` serves anonymous users.",
    (
        Column(c.SEGMENT, STRING, "the segment, or `all`"),
        Column(c.SURFACE, STRING, "where the list is shown"),
        _RANK,
        _ITEM_KIND,
        _ITEM,
        _STREAMER,
        Column(c.SOURCE, STRING, "the source"),
        Column(c.SCORE, FLOAT64, "score"),
        _AVAILABLE,
    ),
    (c.SEGMENT, c.SURFACE, c.ITEM_KIND, c.ITEM_ID),
    "python -m jobs segment_lists",
    30,
)

CHECK_RESULT = Table(
    "check_result_v1",
    "One data-quality check of one table's partition dt, or of one column of it.",
    (
        Column(c.TABLE_NAME, STRING, "the table"),
        Column(c.CHECK_NAME, STRING, "`row_count`, `nulls`, `range`, `unknown_ids` or `drift`"),
        Column(c.COLUMN_NAME, STRING, "the column; null where the check is of the whole table", nullable=True),
        Column(c.SNAPSHOT_ID, STRING, "the snapshot that was checked"),
        Column(
            c.VALUE,
            FLOAT64,
            "rows; share of nulls; lowest or highest value; share of unknown ids; population stability index",
        ),
        Column(c.LOWER_BOUND, FLOAT64, "what the value may be at least", nullable=True),
        Column(c.UPPER_BOUND, FLOAT64, "what it may be at most", nullable=True),
        Column(c.VERDICT, STRING, "`passed`, `failed`, or `no_history` where there is too little to compare with"),
        Column(c.SEVERITY, STRING, "`warn` or `fail`: what a failed check does"),
    ),
    (c.TABLE_NAME, c.CHECK_NAME, c.COLUMN_NAME),
    "python -m jobs check",
    400,
)

EXPLORATION_REPORT = Table(
    "exploration_report_v1",
    "What the impressions of one surface and kind of exploration led to on dt: of known users, and of those whose"
    " attribution window closed on that day. No rows where there are none.",
    (
        Column(c.SURFACE, STRING, "where they were shown"),
        Column(c.EXPLORATION_KIND, STRING, "the kind, or `none`: all that is no exploration, to compare with"),
        Column(c.USERS, INT64, "to whom"),
        Column(c.IMPRESSIONS, INT64, "positions of slates"),
        Column(c.PLAYS, INT64, "those that were played in the window"),
        Column(c.VALUED_VIEWS, INT64, "those that were a valued watch in the window"),
        Column(c.VALUED_RATE, FLOAT64, "valued watches over impressions, 0 to 1"),
        Column(c.LOWER_BOUND, FLOAT64, "of the 95 % interval over users of that rate"),
        Column(c.UPPER_BOUND, FLOAT64, "the same"),
        Column(
            c.STREAMER_RUN,
            FLOAT64,
            "mean over plays: how many next plays of the user are the streamer's",
            nullable=True,
        ),
        Column(c.SESSION_RUN, FLOAT64, "mean over plays: plays of anything that follow without a pause", nullable=True),
    ),
    (c.SURFACE, c.EXPLORATION_KIND),
    "python -m jobs exploration_report",
    400,
)
