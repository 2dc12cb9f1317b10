from pathlib import Path

import pytest

from contracts.errors import WorldConfigError
from tests.world.configs import DEMO, SMALL
from world.config import WorldConfig, read_config

BAD_FILES = [
    ("sede = 3", "sede: Extra inputs are not permitted"),
    ("[users]\ncuont = 3", "users.cuont: Extra inputs are not permitted"),
    ("[choice.watch_bias]\nradio = 1.0", "choice.watch_bias.radio: Extra inputs are not permitted"),
    ("[users]\nloyalty = 1.5", "users.loyalty: Input should be less than or equal to 1"),
    ("[users]\ncount = 'many'", "users.count: Input should be a valid integer"),
    ("[users.languages]", "users.languages: Dictionary should have at least 1 item"),
    ("days = 0", "days: Input should be greater than or equal to 1"),
    ("hour_weights = [1.0, 2.0]", "hour_weights: Value error, expected 24 weights"),
    ("time_zone = 'Mars/Olympus'", "time_zone: Value error, Mars/Olympus is no IANA time zone"),
    ("days = ", "cannot read the world's config"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_bad_config_is_a_named_error_that_names_the_key(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "world.toml"
    file.write_text(text)
    with pytest.raises(WorldConfigError) as raised:
        read_config(file)
    assert message in str(raised.value)
    assert "world.toml" in str(raised.value)


def test_a_missing_config_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(WorldConfigError, match=r"nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")


def test_the_demo_has_the_size_that_the_demo_promises() -> None:
    config = read_config(DEMO)
    assert (config.users.count, config.streamers.count, config.days) == (5_000, 300, 9)
    assert (config.last_day - config.first_day).days == 8


def test_the_committed_worlds_are_frozen() -> None:
    config = read_config(SMALL)
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3  # type: ignore[misc]


def test_every_value_has_a_reason() -> None:
    sections = [
        WorldConfig,
        *(f.annotation for f in WorldConfig.model_fields.values() if hasattr(f.annotation, "model_fields")),
    ]
    values = [
        (section.__name__, name, value)
        for section in sections
        for name, value in section.model_fields.items()  # type: ignore[union-attr]
        if not hasattr(value.annotation, "model_fields")
    ]
    assert len(values) > 50
    assert [(section, name) for section, name, value in values if not value.description] == []
