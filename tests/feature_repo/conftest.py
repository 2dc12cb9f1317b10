from pathlib import Path

import pytest

from contracts.settings import RedisSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A run of its own, whose Redis nobody started."""
    return Settings(home=tmp_path / "home", redis=RedisSettings(url="redis://127.0.0.1:1/0"))


@pytest.fixture
def online_settings(settings: Settings, redis_url: str) -> Settings:
    """The same with a real Redis, empty."""
    return settings.model_copy(update={"redis": RedisSettings(url=redis_url)})
