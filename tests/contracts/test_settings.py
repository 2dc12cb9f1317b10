from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.errors import SettingsError
from contracts.names import Source, Surface
from contracts.settings import Settings, load_settings


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "streamrec.toml"
    config.write_text("[preferences]\nhalf_life_days = 3\nlist_length = 5\n")
    monkeypatch.setenv("STREAMREC_CONFIG", str(config))
    monkeypatch.setenv("STREAMREC_PREFERENCES__HALF_LIFE_DAYS", "9")
    preferences = load_settings().preferences
    assert (preferences.half_life_days, preferences.list_length) == (9, 5)


def test_the_metastore_is_named_by_one_plain_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMREC_HIVE_METASTORE_URI", "thrift://127.0.0.1:9083")
    assert load_settings().hive_metastore_uri == "thrift://127.0.0.1:9083"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("STREAMREC_PREFERENCES__HALF_LIFE", "3", r"preferences\.half_life: Extra inputs"),
        ("STREAMREC_PREFERENCES__HALF_LIFE_DAYS", "-1", r"preferences\.half_life_days: .*greater than 0"),
        ("STREAMREC_PREFERENCE__HALF_LIFE_DAYS", "3", "STREAMREC_PREFERENCE__HALF_LIFE_DAYS is no setting"),
        ("STREAMREC_CONFIG", "no/such/file.toml", "no/such/file.toml, which is not a file"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.preferences.half_life_days = 1.0


def test_every_setting_says_why() -> None:
    for section in (Settings.model_fields[name].annotation for name in Settings.model_fields):
        for name, field in getattr(section, "model_fields", {}).items():
            assert field.description or name == "weights", f"{section}.{name} has no reason"


def test_every_surface_with_sources_has_a_length() -> None:
    surfaces = Settings().candidates.surfaces
    assert surfaces[Surface.HOME_CLIPS].weights[Source.TWO_TOWER] > 0
    assert all(surface.length > 0 for surface in surfaces.values())
