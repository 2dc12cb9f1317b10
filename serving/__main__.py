"""`python -m serving COMMAND`: publish, serve and learn from the command line."""

import hashlib
import json
import secrets
import sys
import time
import uuid
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console

from contracts import columns as c
from contracts.command_line import run
from contracts.erasure import Erased
from contracts.errors import InvalidRequestError
from contracts.names import Surface
from contracts.settings import Settings, load_settings
from contracts.snapshots import Warehouse
from contracts.tables import REPRESENTATIVE_VOD
from serving import live
from serving.channels.sql import SqlChannelStore
from serving.drain import drain_impressions, recompute
from serving.drain_feedback import drain_feedback
from serving.epochs import ensure_contexts
from serving.erase import enforce, erase, to_user_id
from serving.events.commands import add_commands
from serving.fresh.command import embed_fresh_command
from serving.http.serve import serve
from serving.learning import commands as learning
from serving.memory import memory_report
from serving.mirrored import Mirrored
from serving.once import recommend
from serving.posteriors import update_posteriors
from serving.publish import publish
from serving.requests import Asked, to_request
from serving.resample import Resampler
from serving.show import to_json, to_table
from serving.stores.leases import LeaseDetails, LeaseTerms, Renewal
from serving.stores.redis_store import RedisStore
from serving.sync_seen import sync_seen

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Publish lists to Redis and serve slates from them.")

add_commands(app)
learning.add_commands(app)

Day = Annotated[str, typer.Option("--date", help="The day, YYYY-MM-DD.")]
At = Annotated[str | None, typer.Option("--at", help="ISO time; now when left out.")]
LeaseSeconds = Annotated[float | None, typer.Option(help="Seconds until the lease ends, from now.")]


@app.command(name="publish")
def publish_command(day: Day) -> None:
    """Write the day's lists to Redis beside the old ones, then flip."""
    settings = load_settings()
    store = _batch_store(settings)
    ensure_contexts(store, settings.bandit, {*settings.candidates.surfaces, Surface.WATCH_NEXT})
    report = publish(_warehouse(settings), store, settings.serving, _day(day), datetime.now(UTC))
    rates = {
        "lists_per_second": round(report.lists_per_second),
        "redis_bytes_per_user": round(report.redis_bytes_per_user),
    }
    typer.echo(json.dumps({**asdict(report), **rates}))


@app.command(name="publish_channels")
def publish_channels_command(day: Day) -> None:
    """Replace the representative VODs in the database of the channel pages."""
    settings = load_settings()
    warehouse = _warehouse(settings)
    rows = Erased.of(warehouse).left_out_of(REPRESENTATIVE_VOD, warehouse.read(REPRESENTATIVE_VOD, _day(day)))
    settings.home.mkdir(parents=True, exist_ok=True)
    SqlChannelStore(settings.channel_database_url).replace(_day(day), rows)
    typer.echo(json.dumps({c.DT: day, "vods": rows.num_rows}))


@app.command(name="memory")
def memory_command(
    keys: Annotated[int, typer.Option(min=1, help="How many keys of each server are looked at.")] = 100_000,
) -> None:
    """Print what each family of keys takes in Redis, per user of the served generation, too."""
    typer.echo(json.dumps(memory_report(_batch_store(load_settings()), keys)))


@app.command(name="rollback")
def rollback_command() -> None:
    """Serve the generation before the current one."""
    settings = load_settings()
    store = _batch_store(settings)
    enforce(_warehouse(settings), store, settings.serving, datetime.now(UTC))
    typer.echo(f"serving generation {store.rollback()}")


@app.command(name="erase")
def erase_command(user: Annotated[str, typer.Option(help="Whom to erase.")]) -> None:
    """Erase a user for good, and print a receipt: what is gone, and by when the rest will be."""
    settings, user_id = load_settings(), to_user_id(user)
    settings.home.mkdir(parents=True, exist_ok=True)
    channels = SqlChannelStore(settings.channel_database_url)
    receipt = erase(_warehouse(settings), _batch_store(settings), channels, settings, user_id, datetime.now(UTC))
    typer.echo(json.dumps(asdict(receipt), indent=1))


@app.command(name="recommend")
def recommend_command(  # noqa: PLR0913, PLR0917  an option each
    surface: Annotated[str, typer.Option(help="Where the slate is shown.")],
    user: Annotated[int | None, typer.Option(help="The user; nobody known when left out.")] = None,
    context: Annotated[int | None, typer.Option(help="The content or streamer that the surface goes with.")] = None,
    limit: Annotated[int | None, typer.Option(help="Items; a setting when left out.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Makes the slate repeatable.")] = None,
    at: At = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole slate as JSON.")] = False,
) -> None:
    """Print a slate."""
    settings = load_settings()
    asked = Asked(request_id or uuid.uuid4().hex, surface, user, limit, context)
    request = to_request(asked, _time(at), settings.serving)
    slate = recommend(settings, _warehouse(settings), request)
    if as_json:
        typer.echo(to_json(slate))
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(to_table(slate))


@app.command(name="resample")
def resample_command(
    every: Annotated[float | None, typer.Option(help="Seconds between rounds; one round when left out.")] = None,
) -> None:
    """Let the bandit draw the lists of segments and targets again, for services that only read Redis."""
    settings = load_settings()
    store = _batch_store(settings)
    mirrored = Mirrored(settings, _warehouse(settings), store)
    while True:
        report = Resampler(store, mirrored.load(), settings, datetime.now(UTC)).round()
        typer.echo(json.dumps(asdict(report)))
        if every is None:
            return
        time.sleep(every)


@app.command(name="serve")
def serve_command() -> None:
    """Answer over HTTP until asked to stop."""
    serve(load_settings())


@app.command(name="create_key")
def create_key_command(name: Annotated[str, typer.Option(help="Who gets it.")]) -> None:
    """Make an API key and print it, once, with the setting that lets it in."""
    key = secrets.token_urlsafe(32)
    digest = hashlib.sha256(key.encode()).hexdigest()
    typer.echo(json.dumps({"key": key, "setting": {"http": {"api_keys": {name: digest}}}}))


@app.command(name="go_live")
def go_live_command(
    streamer: Annotated[int, typer.Option(help="Who goes live.")],
    broadcast: Annotated[int, typer.Option(help="The broadcast.")],
    title: Annotated[str | None, typer.Option(help="Its title.")] = None,
    at: At = None,
    lease_seconds: LeaseSeconds = None,
) -> None:
    """Start or renew a streamer's live lease."""
    settings = load_settings()
    time = _time(at).timestamp()
    renewal = Renewal(streamer, broadcast, time, time, LeaseDetails(title))
    is_on = live.go_live(_batch_store(settings), renewal, _terms(settings, lease_seconds))
    refused = f"broadcast {broadcast} of streamer {streamer} has ended, or a later one is on"
    typer.echo(f"streamer {streamer} is live with broadcast {broadcast}" if is_on else refused)


@app.command(name="end_live")
def end_live_command(streamer: Annotated[int, typer.Option(help="Whose broadcast ends.")]) -> None:
    """End a streamer's live lease."""
    settings = load_settings()
    was_live = live.end_live(_batch_store(settings), streamer, _terms(settings))
    typer.echo(f"streamer {streamer} is offline" if was_live else f"streamer {streamer} was not live")


@app.command(name="sync_live")
def sync_live_command(day: Day, at: At = None, lease_seconds: LeaseSeconds = None) -> None:
    """Lease what was on at a moment of a day, out of the broadcast table."""
    settings = load_settings()
    terms = _terms(settings, lease_seconds)
    count = live.sync_live(_warehouse(settings), _batch_store(settings), _day(day), _time(at), terms)
    typer.echo(f"{count} streamers are live for {terms.lease_seconds:g} s")


@app.command(name="sync_seen")
def sync_seen_command(day: Day) -> None:
    """Load what users have seen and hidden until a day."""
    settings = load_settings()
    typer.echo(json.dumps(asdict(sync_seen(_warehouse(settings), _batch_store(settings), settings, _day(day)))))


@app.command(name="drain_impressions")
def drain_impressions_command(day: Day) -> None:
    """Write the slates served on a day, with propensities, to the impression table."""
    settings = load_settings()
    now = datetime.now(UTC)
    report = drain_impressions(_warehouse(settings), _batch_store(settings), settings, _day(day), now)
    typer.echo(json.dumps(asdict(report)))


@app.command(name="drain_feedback")
def drain_feedback_command(day: Day) -> None:
    """Write the feedback that arrived on a day to the feedback table."""
    settings = load_settings()
    now = datetime.now(UTC)
    report = drain_feedback(_warehouse(settings), _batch_store(settings), settings, _day(day), now)
    typer.echo(json.dumps(asdict(report)))


@app.command(name="recompute")
def recompute_command(day: Day, request_id: Annotated[str, typer.Option(help="The request to prove.")]) -> None:
    """Draw a logged slate again and compare."""
    settings = load_settings()
    arms = recompute(_warehouse(settings), _batch_store(settings), settings, _day(day), request_id)
    typer.echo(f"equal: {', '.join(arms)}")


@app.command(name="update_posteriors")
def update_posteriors_command(day: Day) -> None:
    """Let the bandit learn from a day's impressions, once; nothing where it learns from streams."""
    settings = load_settings()
    if settings.bandit.updates == "stream":
        typer.echo("bandit.updates is `stream`: `python -m serving learn` learns, and the day's views change nothing")
        return
    for change in update_posteriors(_warehouse(settings), _batch_store(settings), settings, _day(day)):
        typer.echo(json.dumps(asdict(change)))


app.command(name="embed_fresh")(embed_fresh_command)


def _warehouse(settings: Settings) -> Warehouse:
    return Warehouse(settings.warehouse_path)


def _batch_store(settings: Settings) -> RedisStore:
    return RedisStore.open(settings.redis.url, settings.redis.batch_timeout_ms)


def _terms(settings: Settings, lease_seconds: float | None = None) -> LeaseTerms:
    terms = LeaseTerms.of(settings.serving, settings.live)
    return terms if lease_seconds is None else replace(terms, lease_seconds=lease_seconds)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequestError(f"--date {text} is not a day like 2026-01-31") from error


def _time(text: str | None) -> datetime:
    """Now, or the named moment; without an offset it is UTC."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequestError(f"--at {text} is not an ISO time like 2026-01-31T20:00:00+00:00") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def main() -> None:
    """Run a command; a named error is one line and its exit code."""
    run(app)


if __name__ == "__main__":
    main()
