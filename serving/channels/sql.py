"""Representative VODs in any database that SQLAlchemy speaks to: SQLite by default, PostgreSQL in earnest.

    channel_vod        one row per streamer and rank
    channel_vod_batch  one row: which day these are of

Any service reads them with plain SQL: `SELECT * FROM channel_vod WHERE streamer_id = ? ORDER BY rank`.
"""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from contracts import columns as c
from contracts.errors import StoreUnavailableError
from serving.channels.store import ChannelVod

P = ParamSpec("P")
T = TypeVar("T")

_ROWS_AT_ONCE: Final = 5_000
_LOCK_SECONDS: Final = 60
_METADATA: Final = sa.MetaData()
_VODS: Final = sa.Table(
    "channel_vod",
    _METADATA,
    sa.Column(c.STREAMER_ID, sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(c.RANK, sa.Integer, primary_key=True, autoincrement=False),
    sa.Column(c.CONTENT_ID, sa.BigInteger, nullable=False),
    sa.Column(c.CONTENT_KIND, sa.String(8), nullable=False),
    sa.Column(c.CREATOR_ID, sa.BigInteger),
    sa.Column(c.BROADCAST_ID, sa.BigInteger),
    sa.Column(c.SCORE, sa.Double, nullable=False),
    sa.Column(c.VIEWERS, sa.BigInteger, nullable=False),
)
_BATCH: Final = sa.Table("channel_vod_batch", _METADATA, sa.Column(c.DT, sa.Date, primary_key=True))
_SHOWN: Final = [column for column in _VODS.columns if column.name != c.STREAMER_ID]


def _unavailable_is_named(method: Callable[P, T]) -> Callable[P, T]:
    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except SQLAlchemyError as error:
            # The whole message would show the rows of the statement.
            reason = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
            raise StoreUnavailableError(
                f"the channel database failed ({reason}); is serving.channel_database_url right and the server up?"
            ) from error

    return call


class SqlChannelStore:
    """See `ChannelStore`.

    Args:
        url: SQLAlchemy's; a password in it never reaches a message.
    """

    def __init__(self, url: str) -> None:
        is_file = sa.make_url(url).get_backend_name() == "sqlite"
        # A file has one writer at a time: the second waits, as it would elsewhere.
        self._engine = sa.create_engine(url, connect_args={"timeout": _LOCK_SECONDS} if is_file else {})

    @_unavailable_is_named
    def replace(self, day: date, rows: pa.Table) -> None:
        _METADATA.create_all(self._engine)
        chosen = rows.select([column.name for column in _VODS.columns])
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # Two publishers at once would both delete what they see, and meet in each other's rows.
                connection.execute(sa.text(f"LOCK TABLE {_BATCH.name} IN EXCLUSIVE MODE"))
            for table in (_VODS, _BATCH):
                connection.execute(sa.delete(table))
            for batch in chosen.to_batches(max_chunksize=_ROWS_AT_ONCE):
                connection.execute(sa.insert(_VODS), batch.to_pylist())
            connection.execute(sa.insert(_BATCH), {c.DT: day})

    @_unavailable_is_named
    def forget_creator(self, user_id: int) -> int:
        creator, streamer = _VODS.c[c.CREATOR_ID], _VODS.c[c.STREAMER_ID]
        theirs = sa.update(_VODS).where(creator == user_id, streamer != user_id).values({c.CREATOR_ID: None})
        with self._engine.begin() as connection:
            return connection.execute(theirs).rowcount if sa.inspect(connection).has_table(_VODS.name) else 0

    @_unavailable_is_named
    def vods(self, streamer_id: int, limit: int) -> list[ChannelVod]:
        wanted = sa.select(*_SHOWN).where(_VODS.c[c.STREAMER_ID] == streamer_id).order_by(_VODS.c[c.RANK]).limit(limit)
        with self._engine.connect() as connection:
            return [ChannelVod(*row) for row in connection.execute(wanted)]

    @_unavailable_is_named
    def day(self) -> date | None:
        with self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(_BATCH.name):
                return None
            day: date | None = connection.execute(sa.select(_BATCH.c[c.DT])).scalar()
            return day

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()
