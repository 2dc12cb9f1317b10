"""Every column name of every table, spelt once.

Meaning, type and unit depend on the table and stand in `contracts.tables`; this module only fixes the spelling.
"""

from typing import Final

# Partitions and provenance
DT: Final = "dt"
SNAPSHOT: Final = "snapshot"
AVAILABLE_AT: Final = "available_at"

# Who and what
USER_ID: Final = "user_id"
STREAMER_ID: Final = "streamer_id"
CREATOR_ID: Final = "creator_id"
CONTENT_ID: Final = "content_id"
CONTENT_KIND: Final = "content_kind"
BROADCAST_ID: Final = "broadcast_id"
ITEM_ID: Final = "item_id"
ITEM_KIND: Final = "item_kind"
TARGET_ID: Final = "target_id"
TARGET_KIND: Final = "target_kind"
SEGMENT: Final = "segment"

# Watch log and actions
EVENT_TIME: Final = "event_time"
WATCHED_SECONDS: Final = "watched_seconds"
IS_CLICK: Final = "is_click"
LOGGED_VALUED: Final = "logged_valued"
ACTION: Final = "action"
SURFACE: Final = "surface"
REQUEST_ID: Final = "request_id"
POSITION: Final = "position"

# Catalogue
NAME: Final = "name"
TITLE: Final = "title"
CATEGORY: Final = "category"
LANGUAGE: Final = "language"
COUNTRY: Final = "country"
DURATION_SECONDS: Final = "duration_seconds"
OFFSET_SECONDS: Final = "offset_seconds"
PUBLISHED_AT: Final = "published_at"
REGISTERED_AT: Final = "registered_at"
CREATED_AT: Final = "created_at"
STARTED_AT: Final = "started_at"
ENDED_AT: Final = "ended_at"
VISIBILITY: Final = "visibility"

# Quarantine
SOURCE_TABLE: Final = "source_table"
SOURCE_FILE: Final = "source_file"
REASON: Final = "reason"
RAW: Final = "raw"

# Views, values, preferences, features
VIEW_DAY: Final = "view_day"
FIRST_EVENT_TIME: Final = "first_event_time"
LAST_EVENT_TIME: Final = "last_event_time"
LAST_VIEW_DAY: Final = "last_view_day"
COMPLETION: Final = "completion"
USER_RELATIVE: Final = "user_relative"
CONTENT_RELATIVE: Final = "content_relative"
VALUE: Final = "value"
IS_VALUED: Final = "is_valued"
WEIGHT: Final = "weight"
WEIGHT_REASON: Final = "weight_reason"
VIEWS: Final = "views"
VIEWERS: Final = "viewers"
VALUED_VIEWS: Final = "valued_views"
MEAN_VALUE: Final = "mean_value"
VALUE_LOWER_BOUND: Final = "value_lower_bound"
RECENCY: Final = "recency"
RANK: Final = "rank"
SCORE: Final = "score"
DISTINCT_DAYS: Final = "distinct_days"
ACTIVE_DAYS: Final = "active_days"
DISTINCT_STREAMERS: Final = "distinct_streamers"
LIVE_SHARE: Final = "live_share"
RETURN_SHARE: Final = "return_share"
RECENT_CONTENT_IDS: Final = "recent_content_ids"
RECENT_STREAMER_IDS: Final = "recent_streamer_ids"
PREFERRED_STREAMER_IDS: Final = "preferred_streamer_ids"

# Training labels
LABEL_CLICK: Final = "label_click"
LABEL_VALUED: Final = "label_valued"
LABEL_LIKE: Final = "label_like"
LABEL_FOLLOW: Final = "label_follow"

# Candidates, slates, impressions
SOURCE: Final = "source"
EXPLORATION_KIND: Final = "exploration_kind"
WHY: Final = "why"
MODEL_NAME: Final = "model_name"
MODEL_VERSION: Final = "model_version"
GENERATION: Final = "generation"
POLICY_ID: Final = "policy_id"
POSTERIOR_EPOCH: Final = "posterior_epoch"
SEED: Final = "seed"
ARM_SET: Final = "arm_set"
PROPENSITY: Final = "propensity"
SERVED_AT: Final = "served_at"

# Truth of the synthetic world
ACTIVITY: Final = "activity"
LOYALTY: Final = "loyalty"
CURIOSITY: Final = "curiosity"
SIZE: Final = "size"
QUALITY: Final = "quality"
ATTACK: Final = "attack"
FACTORS: Final = "factors"
