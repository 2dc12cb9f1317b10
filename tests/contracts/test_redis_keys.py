"""What holds a user's state is known to those who delete it."""

import inspect

from contracts import names, redis_keys


def test_every_key_of_one_user_is_among_those_that_erase_deletes() -> None:
    builders = {
        name
        for name, builder in inspect.getmembers(redis_keys, inspect.isfunction)
        if set(inspect.signature(builder).parameters) & {"user_id", "user"}
    }
    listed = {builder.__name__ for builder in redis_keys.USER_KEYS}
    assert builders - {redis_keys.erased.__name__} == listed, "add the builder to redis_keys.USER_KEYS"


def test_every_hash_with_a_field_per_user_is_among_those_that_erase_looks_into() -> None:
    shared = {
        name
        for name, builder in inspect.getmembers(redis_keys, inspect.isfunction)
        if "bucket" in inspect.signature(builder).parameters
    }
    listed = {builder.__name__ for builder in (*redis_keys.USER_LISTS, *redis_keys.USER_PROFILES)}
    assert shared - {redis_keys.target_lists.__name__} == listed, "add it to redis_keys.USER_LISTS or USER_PROFILES"


def test_what_is_known_of_a_user_and_the_tombstone_share_a_cluster_slot() -> None:
    """So that a script can look at the tombstone before it writes."""
    keys = [builder(-5) for builder in (*redis_keys.USER_KEYS, redis_keys.erased)]
    assert {key[key.index("{") : key.index("}")] for key in keys} == {"{-5"}


OF_NO_USER = {names.STREAM_LIVE, names.STREAM_CONTENT}


def test_every_stream_is_known_to_name_users_or_not() -> None:
    streams = {value for name, value in vars(names).items() if name.startswith("STREAM_")}
    assert streams - OF_NO_USER == set(names.USER_STREAMS), "add it to names.USER_STREAMS, or to OF_NO_USER"
