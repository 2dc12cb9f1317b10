"""A served slate, as it was logged: what was chosen from what, and with which chance."""

from bandit.arms import ArmSet
from bandit.policies.registry import POLICIES, Policy
from contracts import columns as c
from contracts.errors import PayloadError, SlateNotFoundError
from contracts.names import STREAM_IMPRESSIONS
from contracts.payload import KINDS, SOURCES
from contracts.redis_keys import served_slate
from contracts.settings import BanditSettings
from serving.epochs import posterior_epoch_key, read_epoch
from serving.explain import why
from serving.http.bodies import ExplainedItem, Explanation, StageTime
from serving.impressions import Entry, chosen_arm, read_entry
from serving.query import LEVELS
from serving.state import State
from serving.stores.pipelined import PipelinedRedis, raised
from serving.stores.redis_feeds import STREAM_FIELD

import numpy as np
