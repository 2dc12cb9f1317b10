"""Settings of the fresh lane: contents published, or changed, since the batch."""

from pydantic import Field

from contracts.settings.section import Section


class FreshSettings(Section):
    """What `python -m serving embed_fresh` keeps, and what a worker offers of it."""

    horizon_hours: float = Field(48.0, gt=0, description="Older is the batch's, also where two batches have failed.")
    max_items: int = Field(
        10_000, ge=1, description="The newest are kept: 2.6 MB of vectors a worker, 0.2 ms a request."
    )
    candidates: int = Field(50, ge=1, description="Offered to one request; a slate takes a few of them.")
    reembed_minutes: float = Field(15.0, gt=0, description="A content's age moves its vector, first after an hour.")
    batch_events: int = Field(500, ge=1, description="Read at once; embedding so many takes a few milliseconds.")
    block_ms: int = Field(1_000, ge=1, description="How long a read waits for events; also how soon a flip is noticed.")
    retry_seconds: float = Field(10.0, gt=0, description="Between two tries to load a model that could not be loaded.")
    changes_length: int = Field(10_000, ge=100, description="Entries of ids: a worker away for longer reloads.")
    pause_ms: float = Field(
        200.0, ge=0, description="Of a worker between two looks: one costs up to 20 ms at 10,000 contents."
    )
