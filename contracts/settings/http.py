"""Settings of the HTTP edge."""

from pydantic import Field, field_validator

from contracts.settings.section import Section


class HttpSettings(Section):
    """Who may ask what of the edge, and how much."""

    host: str = Field("127.0.0.1", description="Address to listen on; a cluster sets 0.0.0.0 behind its own proxy.")
    port: int = Field(8080, ge=0, le=65_535, description="0 takes a free one.")
    workers: int = Field(1, ge=1, description="Processes that share the port: one per core that Redis leaves.")
    api_keys: dict[str, str] = Field(
        default_factory=dict,
        description="Caller -> SHA-256 of the key in hex (`python -m serving create_key`); no key is stored.",
    )
    needs_key: bool = Field(True, description="False lets anybody ask: for a laptop, where only loopback listens.")
    requests_per_second: float = Field(20_000.0, gt=0, description="Of each key and worker, with as big a burst.")
    max_body_bytes: int = Field(65_536, ge=1, description="A hundred feedback events are about 20 kB.")
    max_query_bytes: int = Field(32_768, ge=1, description="A thousand excluded ids of 20 digits fit.")
    retry_ms: int = Field(250, ge=1, description="Between two attempts to reach a Redis that is away.")
    flush_ms: int = Field(5, ge=1, description="Impressions wait for each other so long: fewer, larger writes.")
    impressions_waiting: int = Field(
        20_000, ge=1, description="Kept while Redis is away, about 1 kB each; the oldest go first, and are counted."
    )
    explain_seconds: int = Field(3_600, ge=1, description="How long a served slate can be asked about.")
    page: bool = Field(True, description="Show the web page at `/`; it asks for a key where the API does.")
    start_seconds: float = Field(30.0, gt=0, description="A worker that has not read Redis by then serves without.")

    @field_validator("api_keys")
    @classmethod
    def _are_digests(cls, hashes: dict[str, str]) -> dict[str, str]:
        for name, digest in hashes.items():
            if len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef"):
                raise ValueError(f"the key of `{name}` is not a SHA-256 in hex: 64 digits of 0-9 and a-f")
        return hashes
