"""Settings of live leases, takedowns, and of what each worker mirrors of Redis in its memory."""

from pydantic import Field

from contracts.settings.section import Section


class LiveSettings(Section):
    """Consumers of live and content events."""

    ended_memory_minutes: float = Field(60.0, gt=0, description="So long a late heartbeat cannot revive a broadcast.")
    removed_hours: float = Field(72.0, gt=0, description="A takedown outlives two missed catalogue refreshes.")
    changes_length: int = Field(10_000, ge=100, description="Entries, one per batch: a worker away for longer reloads.")
    batch_events: int = Field(200, ge=1, le=1_000, description="Per script call, in which Redis waits.")
    block_ms: int = Field(1_000, ge=1, description="How long a consumer waits for news before it sweeps what is over.")
    retry_seconds: float = Field(1.0, gt=0, description="Between two attempts to reach a store that is away.")
    dead_letter_length: int = Field(10_000, ge=1, description="Events that could not be read, kept to be looked at.")


class MirrorSettings(Section):
    """What a worker holds in memory of Redis, and how it keeps that fresh."""

    block_ms: int = Field(
        1_000, ge=0, description="How long one read waits for news; a quiet feed's table is this old. 0 does not wait."
    )
    timeout_ms: int = Field(3_000, ge=1, description="Of the mirrors' own connections: more than a read may wait.")
    pause_ms: float = Field(10.0, ge=0, description="Between two reads: at most 100 new tables per second.")
    poll_ms: float = Field(1_000.0, gt=0, description="Between two looks at what has no feed of changes.")
    catalogue_poll_seconds: float = Field(30.0, gt=0, description="Between two looks at the catalogue's snapshots.")
    reload_seconds: float = Field(300.0, gt=0, description="A whole snapshot so often mends whatever was missed.")
    watch_seconds: float = Field(5.0, gt=0, description="Between two looks at the consumers and at the store's clock.")
    silent_seconds: float = Field(30.0, gt=0, description="A consumer that wrote nothing for longer is away.")
    backoff_ms: float = Field(50.0, gt=0, description="First pause after a failure; doubled each time.")
    max_backoff_ms: float = Field(2_000.0, gt=0, description="A Redis that is back is noticed this soon.")
