"""Names that several rooms must spell alike: kinds, surfaces, sources, Feast, MLflow, streams and assets."""

from enum import StrEnum
from typing import Final


class ContentKind(StrEnum):
    """What can be watched."""

    LIVE = "live"
    VOD = "vod"
    CLIP = "clip"


class ItemKind(StrEnum):
    """What a list can hold. A `streamer` on a live surface is resolved to the broadcast that is on."""

    LIVE = "live"
    VOD = "vod"
    CLIP = "clip"
    STREAMER = "streamer"


class Visibility(StrEnum):
    """Who may see a content."""

    PUBLIC = "public"
    PRIVATE = "private"
    REMOVED = "removed"


class Action(StrEnum):
    """Deliberate acts of a user."""

    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    LIKE = "like"
    HIDE = "hide"
    BLOCK = "block"
    COMMENT = "comment"
    SHARE = "share"


class FeedbackAction(StrEnum):
    """What a user does with an impression."""

    VIEWPORT = "viewport"
    CLICK = "click"
    PLAY = "play"
    DISMISS = "dismiss"


class Check(StrEnum):
    """What can be wrong with a partition."""

    ROW_COUNT = "row_count"
    NULLS = "nulls"
    RANGE = "range"
    UNKNOWN_IDS = "unknown_ids"
    DRIFT = "drift"


class Verdict(StrEnum):
    """What a check found; `no_history` where there is too little to compare with."""

    PASSED = "passed"
    NO_HISTORY = "no_history"
    FAILED = "failed"


class Severity(StrEnum):
    """What a failed check does: say so, or stop what comes after it."""

    WARN = "warn"
    FAIL = "fail"


class Surface(StrEnum):
    """The places where a list is shown."""

    HOME_LIVE = "home_live"
    HOME_CLIPS = "home_clips"
    CLIPS_FEED = "clips_feed"
    FAVORITES_CLIPS = "favorites_clips"
    WATCH_NEXT = "watch_next"
    CHANNEL_VODS = "channel_vods"
    RELATED_STREAMERS = "related_streamers"
    CONTINUE_WATCHING = "continue_watching"


_CONTENTS: Final = (ItemKind.VOD, ItemKind.CLIP)

SURFACE_ITEM_KINDS: Final = {
    Surface.HOME_LIVE: (ItemKind.STREAMER,),
    Surface.HOME_CLIPS: _CONTENTS,
    Surface.CLIPS_FEED: _CONTENTS,
    Surface.FAVORITES_CLIPS: _CONTENTS,
    Surface.WATCH_NEXT: _CONTENTS,
    Surface.CHANNEL_VODS: _CONTENTS,
    Surface.RELATED_STREAMERS: (ItemKind.STREAMER,),
    Surface.CONTINUE_WATCHING: _CONTENTS,
}
"""What the list of a surface holds: contents or streamers, never both."""


class Source(StrEnum):
    """The processes that propose candidates; on segment surfaces, the arms of the bandit."""

    PREFERRED = "preferred"
    TWO_TOWER = "two_tower"
    POPULAR = "popular"
    LIVE_NEIGHBORS = "live_neighbors"
    RELATED_STREAMERS = "related_streamers"
    REPRESENTATIVE = "representative"
    FRESH = "fresh"
    EXPLORATION_CO_WATCHED = "exploration/co_watched"
    EXPLORATION_CATEGORY_RISING = "exploration/category_rising"
    EXPLORATION_NEWCOMER = "exploration/newcomer"
    EXPLORATION_LAPSED = "exploration/lapsed"
    CO_WATCHED = "co_watched"
    CONTINUE_WATCHING = "continue_watching"
    STAND_IN = "stand_in"


class FusionMethod(StrEnum):
    """How the ranked lists of several sources become one."""

    RECIPROCAL_RANK = "reciprocal_rank"
    WEIGHTED_RANK = "weighted_rank"
    WEIGHTED_SCORE = "weighted_score"


class ExplorationKind(StrEnum):
    """Why a streamer whom a user does not watch (any more) is proposed."""

    CO_WATCHED = "co_watched"
    CATEGORY_RISING = "category_rising"
    NEWCOMER = "newcomer"
    LAPSED = "lapsed"

    @property
    def source(self) -> Source:
        """The source that its candidates are listed and logged under."""
        return Source(f"exploration/{self.value}")


class Segment(StrEnum):
    """Groups of users that share bandit posteriors and fallback lists; `all` is everybody, anonymous users too."""

    ALL = "all"
    NEW = "new"
    LIGHT = "light"
    HEAVY = "heavy"


TARGET_CONTEXT: Final = "target:"


def target_context(target_id: int) -> str:
    """The bandit's context of one content or streamer, in the place of a segment."""
    return f"{TARGET_CONTEXT}{target_id}"


class QuarantineReason(StrEnum):
    """Why a row did not enter the log."""

    MISSING_ID = "missing_id"
    WRONG_TYPE = "wrong_type"
    NEGATIVE_SECONDS = "negative_seconds"
    ABSURD_SECONDS = "absurd_seconds"
    MISSING_TIME = "missing_time"
    FUTURE = "future"
    TOO_LATE = "too_late"
    UNKNOWN_KIND = "unknown_kind"
    DUPLICATE = "duplicate"
    NOT_UTF8 = "not_utf8"
    TRUNCATED_FILE = "truncated_file"
    EMPTY_FILE = "empty_file"
    ERASED = "erased"


class WeightReason(StrEnum):
    """Abuse rules that lower what a view counts."""

    IMPOSSIBLE_SECONDS = "impossible_seconds"
    OVERLAPPING_VIEWS = "overlapping_views"
    IDLE_LIVE = "idle_live"
    NEAR_ZERO_BURST = "near_zero_burst"
    SINGLE_STREAMER = "single_streamer"
    USER_CAP = "user_cap"
    NEWCOMER_CROWD = "newcomer_crowd"


class LogFormat(StrEnum):
    """Log formats that the importers read."""

    WATCH_EVENT = "watch_event"
    KUAIRAND = "kuairand"
    LIVESTREAM = "livestream"
    MAPPED = "mapped"


HIVE_DATABASE: Final = "streamrec"

# Feast
FEAST_PROJECT: Final = "streamrec"
ENTITY_USER: Final = "user"
ENTITY_STREAMER: Final = "streamer"
ENTITY_CONTENT: Final = "content"
VIEW_USER: Final = "user_features"
VIEW_STREAMER: Final = "streamer_features"
VIEW_CONTENT: Final = "content_features"
SERVICE_TRAINING: Final = "two_tower_training"
SERVICE_SERVING: Final = "serving"
FEAST_EVENT_TIMESTAMP: Final = "event_timestamp"
"""What Feast calls the time of a label; naming it so spares Feast a guess."""


def feature_name(view: str, column: str) -> str:
    """A feature's column in a frame joined with `full_feature_names=True`; views share names such as `views`."""
    return f"{view}__{column}"


# MLflow
EXPERIMENT_TWO_TOWER: Final = "two_tower"
MODEL_TWO_TOWER: Final = "streamrec_two_tower"
ALIAS_CHAMPION: Final = "champion"
ALIAS_CHALLENGER: Final = "challenger"

# Redis Streams (Kafka topics later, under the same names)
STREAM_IMPRESSIONS: Final = "streamrec.impressions"
STREAM_FEEDBACK: Final = "streamrec.feedback"
STREAM_LIVE: Final = "streamrec.live"
STREAM_CONTENT: Final = "streamrec.content"


def dead_letters(stream: str) -> str:
    """The stream of a stream's entries that could not be read."""
    return f"{stream}.dead_letters"


USER_STREAMS: Final = (STREAM_IMPRESSIONS, STREAM_FEEDBACK)
"""Streams whose entries name users; their dead letters do, too."""

# Airflow
DAG_INGEST: Final = "ingest"
DAG_DAILY_FEATURES: Final = "daily_features"
DAG_TRAIN_TWO_TOWER: Final = "train_two_tower"
DAG_PUBLISH_CANDIDATES: Final = "publish_candidates"
ASSET_WATCH_LOG: Final = "streamrec://watch_log"
ASSET_FEATURES: Final = "streamrec://features"
ASSET_CANDIDATES: Final = "streamrec://candidates"
ASSET_PUBLISHED: Final = "streamrec://published_lists"
