"""Streams as the learner reads them: entries with times that never go back, and a way to know that a time is over."""

from typing import Final, NamedTuple, Protocol

from serving.stores.connection import Client, unavailable_is_named

START: Final = "0"
"""Before the first entry of every stream."""
STREAM_FIELD: Final = b"e"

# The server's clock may step back, and an entry then gets a later id than the clock says. Setting the last id to the
# clock's time makes sure that whatever is appended from now on is not older than what this returns.
_SEAL: Final = """
local now = redis.call('TIME')
local ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('XADD', KEYS[1], 'MAXLEN', 0, '*', 'e', '') end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for at = 1, #info, 2 do
  if info[at] == 'last-generated-id' then
    local last = tonumber(string.match(info[at + 1], '^(%d+)'))
    if last >= ms then return last end
  end
end
redis.call('XSETID', KEYS[1], string.format('%.0f-0', ms))
return ms
"""


class LogEntry(NamedTuple):
    """An entry and when it was appended, in the log's own milliseconds, which never go back."""

    id: str
    at_ms: int
    body: bytes


class EventLog(Protocol):
    """Where events wait for who learns from them: Redis Streams, or whatever can do these four things."""

    def append(self, stream: str, entry: bytes, max_length: int) -> None: ...

    def read_from(self, stream: str, first: str, count: int) -> list[LogEntry]:
        """Up to `count` entries from an id on, itself included; `START` reads from the oldest that is kept."""

    def seal(self, stream: str) -> int:
        """Milliseconds before which nothing will be appended any more; at least the log's clock."""

    def trim(self, stream: str, before_ms: int) -> None:
        """Entries before a time may go; all others stay."""


class RedisLog:
    """Redis Streams: the id's milliseconds are the time."""

    def __init__(self, client: Client) -> None:
        self._redis = client
        self._seal = client.register_script(_SEAL)

    @unavailable_is_named
    def append(self, stream: str, entry: bytes, max_length: int) -> None:
        self._redis.xadd(stream, {STREAM_FIELD: entry}, maxlen=max_length, approximate=True)

    @unavailable_is_named
    def read_stream(self, stream: str, after: str, count: int) -> list[tuple[str, bytes]]:
        return [(identity, body) for identity, _, body in self._read(stream, f"({after}", count)]

    @unavailable_is_named
    def read_from(self, stream: str, first: str, count: int) -> list[LogEntry]:
        return self._read(stream, first, count)

    @unavailable_is_named
    def seal(self, stream: str) -> int:
        return int(self._seal(keys=[stream]))

    @unavailable_is_named
    def trim(self, stream: str, before_ms: int) -> None:
        self._redis.xtrim(stream, minid=max(0, before_ms), approximate=True)

    def _read(self, stream: str, first: str, count: int) -> list[LogEntry]:
        entries = self._redis.xrange(stream, min=first, count=count)
        # What somebody added by hand without our field is an empty body, which no reader takes for an event.
        return [
            LogEntry(identity.decode(), int(identity.partition(b"-")[0]), fields.get(STREAM_FIELD, b""))
            for identity, fields in entries
        ]
