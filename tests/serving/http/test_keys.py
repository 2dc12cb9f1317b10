"""Who holds a key, and how often they may ask."""

import base64
import hashlib

import pytest

from contracts.errors import SettingsError
from contracts.settings import HttpSettings, Settings
from serving.http.keys import Caller, Callers
from serving.http.serve import serve

KEYS = {"app": hashlib.sha256(b"a").hexdigest(), "site": hashlib.sha256(b"b:c").hexdigest()}


def who(said: bytes, *, is_read: bool = True) -> str | None:
    caller = Callers(KEYS, 10.0, 0.0).of(said, is_read=is_read)
    return caller.name if caller is not None else None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (b"Bearer a", "app"),
        (b"bearer   a ", "app"),
        (b"Bearer b:c", "site"),
        (b"Bearer A", None),
        (b"Bearer ", None),
        (b"Bearer", None),
        (b"", None),
        (b"a", None),
        (b"Digest a", None),
        (b"Basic " + base64.b64encode(b"anybody:a"), "app"),
        (b"Basic " + base64.b64encode(b"anybody:b:c"), "site"),
        (b"Basic " + base64.b64encode(b"a"), None),
        (b"Basic !!!", None),
        (b"Bearer \xff\xfe", None),
    ],
)
def test_a_key_is_known_by_its_hash(said: bytes, name: str | None) -> None:
    assert who(said) == name


def test_a_password_that_a_browser_adds_by_itself_changes_nothing() -> None:
    assert who(b"Basic " + base64.b64encode(b"anybody:a"), is_read=False) is None
    assert who(b"Bearer a", is_read=False) == "app"


def test_a_bucket_holds_a_second_and_fills_with_time() -> None:
    caller = Caller("app", 3.0, 3.0, 0.0)
    assert [caller.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert caller.take(1 / 3)
    assert not caller.take(1 / 3)
    assert [caller.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_steps_back_gives_nothing_away_and_locks_nobody_out() -> None:
    caller = Caller("app", 2.0, 2.0, 1_000.0)
    assert [caller.take(at) for at in (1_000.0, 1_000.0, 1_000.0)] == [True, True, False]
    assert not caller.take(500.0)
    assert caller.take(500.5)
    assert not caller.take(500.5)


def test_less_than_one_request_a_second_is_one_now_and_then() -> None:
    callers = Callers(KEYS, 0.1, 0.0)
    caller = callers.of(b"Bearer a", is_read=True)
    assert caller is not None
    assert [caller.take(at) for at in (0.0, 5.0, 9.9, 10.1, 10.2)] == [True, False, False, True, False]


def test_keys_have_a_bucket_each() -> None:
    callers = Callers(KEYS, 1.0, 0.0)
    first, other = callers.of(b"Bearer a", is_read=True), callers.of(b"Bearer b:c", is_read=True)
    assert first is not None
    assert other is not None
    assert [first.take(0.0), first.take(0.0), other.take(0.0)] == [True, False, True]


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "a" * 63])
def test_a_setting_that_is_no_hash_is_refused_without_being_shown(digest: str) -> None:
    with pytest.raises(ValueError, match="the key of `app` is not a SHA-256 in hex"):
        HttpSettings(api_keys={"app": digest})


def test_an_edge_that_nobody_could_ask_does_not_start() -> None:
    with pytest.raises(SettingsError, match="python -m serving create_key --name NAME"):
        serve(Settings())
