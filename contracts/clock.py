"""The platform's day: days are local to the platform, times are UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def day_bounds(day: date, time_zone: str) -> tuple[datetime, datetime]:
    """First moment of `day` and of the next day in `time_zone`, both in UTC; right across daylight saving."""
    zone = ZoneInfo(time_zone)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def hour_end(day: date, hour: int, time_zone: str) -> datetime:
    """The end of the day's hour in UTC; hours are counted from the day's first moment, so that each is an hour long.

    Args:
        hour: 0 is the first; 23 or, where clocks change, 22 or 24 is the last.
    """
    start, end = day_bounds(day, time_zone)
    return min(start + timedelta(hours=hour + 1), end)


def available_at(day: date, time_zone: str, publish_delay_minutes: int) -> datetime:
    """When rows derived from `day` may be used: the end of the day plus the publish delay, in UTC."""
    return day_bounds(day, time_zone)[1] + timedelta(minutes=publish_delay_minutes)


def period_start(day: date, period_days: int) -> date:
    """First day of the period of so many days that a day is in; the same for every log."""
    return date.fromordinal(day.toordinal() - day.toordinal() % period_days)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def trailing_days(last: date, count: int) -> list[date]:
    """The `count` days that end with `last`, oldest first."""
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]
