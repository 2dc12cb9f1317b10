"""Tables that importers and streams write: what happened on the platform and what is known of its things."""

from contracts import columns as c
from contracts.schema import BINARY, BOOL, FLOAT64, INT32, INT64, STRING, TIMESTAMP, Column, Table

_IMPORT = "python -m jobs import_log"
_USER = Column(c.USER_ID, INT64, "who watched or acted")
_CONTENT = Column(c.CONTENT_ID, INT64, "what was watched; unique over all kinds; for `live` it is the broadcast")
_KIND = Column(c.CONTENT_KIND, STRING, "`live`, `vod` or `clip`")
_STREAMER = Column(c.STREAMER_ID, INT64, "whose broadcast, VOD or clip it is")

WATCH_EVENT = Table(
    "watch_event_v1",
    "One watch row: a user watched a content for some seconds. dt is the day it was ingested.",
    (
        _USER,
        _CONTENT,
        _KIND,
        _STREAMER,
        Column(c.EVENT_TIME, TIMESTAMP, "when the watch began"),
        Column(c.WATCHED_SECONDS, FLOAT64, "time watched; 0 is an exposure that was not played", "s"),
        Column(c.IS_CLICK, BOOL, "the log's own note that the user chose to play it", nullable=True),
        Column(c.LOGGED_VALUED, BOOL, "the log's own verdict that the watch was valued", nullable=True),
        Column(c.SURFACE, STRING, "where the user met it", nullable=True),
        Column(c.REQUEST_ID, STRING, "the slate it came from", nullable=True),
    ),
    (c.USER_ID, c.CONTENT_ID, c.EVENT_TIME),
    _IMPORT,
    400,
)

USER_ACTION = Table(
    "user_action_v1",
    "One deliberate act of a user on a streamer or a content.",
    (
        _USER,
        Column(c.ACTION, STRING, "`follow`, `unfollow`, `like`, `hide`, `block`, `comment` or `share`"),
        Column(c.TARGET_KIND, STRING, "`streamer`, `live`, `vod` or `clip`"),
        Column(c.TARGET_ID, INT64, "streamer_id or content_id"),
        Column(c.EVENT_TIME, TIMESTAMP, "when it happened"),
    ),
    (c.USER_ID, c.ACTION, c.TARGET_KIND, c.TARGET_ID, c.EVENT_TIME),
    _IMPORT,
    400,
)

USER = Table(
    "user_v1",
    "One user, as known at the end of dt.",
    (
        _USER,
        Column(c.REGISTERED_AT, TIMESTAMP, "when the account was made", nullable=True),
        Column(c.LANGUAGE, STRING, "preferred language, ISO 639-1", nullable=True),
        Column(c.COUNTRY, STRING, "ISO 3166 code", nullable=True),
    ),
    (c.USER_ID,),
    _IMPORT,
    60,
)

CONTENT = Table(
    "content_v1",
    "One VOD or clip, as known at the end of dt.",
    (
        _CONTENT,
        _KIND,
        _STREAMER,
        Column(c.CREATOR_ID, INT64, "who made it; differs from streamer_id for a fan's clip", nullable=True),
        Column(c.BROADCAST_ID, INT64, "the broadcast it was cut from", nullable=True),
        Column(c.OFFSET_SECONDS, FLOAT64, "where in that broadcast it begins", "s", nullable=True),
        Column(c.DURATION_SECONDS, FLOAT64, "its length", "s", nullable=True),
        Column(c.TITLE, STRING, "title", nullable=True),
        Column(c.CATEGORY, STRING, "game or topic", nullable=True),
        Column(c.LANGUAGE, STRING, "ISO 639-1", nullable=True),
        Column(c.PUBLISHED_AT, TIMESTAMP, "when it could first be watched", nullable=True),
        Column(c.VISIBILITY, STRING, "`public`, `private` or `removed`"),
        Column(c.MIN_AGE, INT32, "age that a viewer must have; null for everybody", "years", nullable=True),
    ),
    (c.CONTENT_ID,),
    _IMPORT,
    60,
)

STREAMER = Table(
    "streamer_v1",
    "One streamer, as known at the end of dt.",
    (
        Column(c.STREAMER_ID, INT64, "the streamer"),
        Column(c.NAME, STRING, "shown name", nullable=True),
        Column(c.CATEGORY, STRING, "main game or topic", nullable=True),
        Column(c.LANGUAGE, STRING, "ISO 639-1", nullable=True),
        Column(c.CREATED_AT, TIMESTAMP, "first day on the platform", nullable=True),
    ),
    (c.STREAMER_ID,),
    _IMPORT,
    60,
)

BROADCAST = Table(
    "broadcast_v1",
    "One live run of a streamer that was on at some time of dt.",
    (
        Column(c.BROADCAST_ID, INT64, "the broadcast; also the content_id of its live watches"),
        Column(c.STREAMER_ID, INT64, "who broadcasts"),
        Column(c.STARTED_AT, TIMESTAMP, "start"),
        Column(c.ENDED_AT, TIMESTAMP, "end; null while it is on", nullable=True),
        Column(c.TITLE, STRING, "title", nullable=True),
        Column(c.CATEGORY, STRING, "game or topic", nullable=True),
    ),
    (c.BROADCAST_ID,),
    _IMPORT,
    400,
)

EARLIER_VIEW = Table(
    "earlier_view_v1",
    "One content a user watched before the log begins, without a time. dt is the day before the first day of the log.",
    (
        _USER,
        _CONTENT,
        Column(c.POSITION, INT32, "0 is the oldest of this user"),
        Column(c.LOGGED_VALUED, BOOL, "the log's own verdict that the watch was valued", nullable=True),
    ),
    (c.USER_ID, c.POSITION),
    _IMPORT,
    0,
)

QUARANTINE = Table(
    "quarantine_v1",
    "One row that did not enter the log, with the reason.",
    (
        Column(c.SOURCE_TABLE, STRING, "the table it was meant for"),
        Column(c.SOURCE_FILE, STRING, "file it stood in", nullable=True),
        Column(c.REASON, STRING, "why: a word of `contracts.names.QuarantineReason`"),
        Column(c.RAW, STRING, "the row as read, as JSON", nullable=True),
    ),
    (),
    _IMPORT,
    90,
)

ERASED_USER = Table(
    "erased_user_v1",
    "One user who was erased on dt: no table, list or model may hold them again. Kept for longer than any log, so that"
    " none brings them back.",
    (
        Column(c.USER_ID, INT64, "who was erased"),
        Column(c.ERASED_AT, TIMESTAMP, "when"),
    ),
    (c.USER_ID,),
    "python -m serving erase",
    430,
)

IMPRESSION = Table(
    "impression_v1",
    "One position of a slate as it was served; slates can be recomputed from it exactly.",
    (
        Column(c.REQUEST_ID, STRING, "the request"),
        Column(c.USER_ID, INT64, "for whom; null when anonymous", nullable=True),
        Column(c.SEGMENT, STRING, "the user's segment: with surface, the context of the bandit"),
        Column(c.SURFACE, STRING, "where it was shown"),
        Column(c.POSITION, INT32, "1 is the top"),
        Column(c.ITEM_KIND, STRING, "`live`, `vod` or `clip`"),
        Column(c.ITEM_ID, INT64, "content_id; for `live` the broadcast"),
        Column(c.STREAMER_ID, INT64, "whose it is"),
        Column(c.SOURCE, STRING, "the process that proposed it: the arm"),
        Column(c.EXPLORATION_KIND, STRING, "kind of exploration, where the source is one", nullable=True),
        Column(c.POLICY_ID, STRING, "policy and version"),
        Column(c.POSTERIOR_EPOCH, INT64, "epoch of the posteriors that were sampled"),
        Column(c.SEED, INT64, "seed of the request's random stream"),
        Column(
            c.ARM_SET,
            STRING,
            "JSON: the arms, their candidates after the filters, and what policies go by",
        ),
        Column(c.PROPENSITY, FLOAT64, "chance of this arm here, given the slots above; computed later", nullable=True),
        Column(c.GENERATION, STRING, "the published generation the list came from"),
        Column(c.MODEL_VERSION, STRING, "retrieval model behind the list", nullable=True),
        Column(c.SERVED_AT, TIMESTAMP, "when"),
    ),
    (c.REQUEST_ID, c.POSITION),
    "python -m serving drain_impressions",
    90,
)

POSTERIOR_EPOCH = Table(
    "posterior_epoch_v1",
    "One epoch of the bandit that slates of dt were drawn from: they can be recomputed when Redis has let it go.",
    (
        Column(c.SURFACE, STRING, "with segment, the context of the bandit"),
        Column(c.SEGMENT, STRING, "the context's segment; `SEGMENT:linear` for the state of linear_thompson"),
        Column(c.POSTERIOR_EPOCH, INT64, "its number"),
        Column(c.PACKED, BINARY, "the state as Redis held it (`bandit.posteriors`, `bandit.linear`)"),
    ),
    (c.SURFACE, c.SEGMENT, c.POSTERIOR_EPOCH),
    "python -m serving drain_impressions",
    90,
)

FEEDBACK = Table(
    "feedback_v1",
    "One thing a user did with an impression. dt is the day on which it arrived.",
    (
        Column(c.REQUEST_ID, STRING, "the request"),
        Column(c.USER_ID, INT64, "who; null when anonymous", nullable=True),
        Column(c.ITEM_ID, INT64, "content_id"),
        Column(c.ITEM_KIND, STRING, "`live`, `vod`, `clip` or `streamer`", nullable=True),
        Column(c.STREAMER_ID, INT64, "whose it is, where the sender said so", nullable=True),
        Column(c.ACTION, STRING, "`viewport`, `click`, `play` or `dismiss`"),
        Column(c.WATCHED_SECONDS, FLOAT64, "for `play`", "s", nullable=True),
        Column(c.EVENT_TIME, TIMESTAMP, "when, by the sender"),
        Column(c.EVENT_ID, STRING, "the sender's name of the event, the same when it is repeated", nullable=True),
    ),
    (c.REQUEST_ID, c.ITEM_ID, c.ACTION, c.EVENT_TIME),
    "python -m serving drain_feedback",
    90,
)
