"""The newest catalogue in a worker's memory."""

from contracts.schema import Table
from contracts.settings import MirrorSettings
from contracts.snapshots import Warehouse
from contracts.tables import CONTENT, STREAMER
from serving.stores.catalogue import Catalogue, InProcessCatalogue


class CatalogueMirror:
    """Reads contents and streamers again when one of them has a newer snapshot."""

    name = "catalogue"

    def __init__(self, warehouse: Warehouse, settings: MirrorSettings) -> None:
        self._warehouse = warehouse
        self.pause_seconds = settings.catalogue_poll_seconds
        self._read: tuple[str, ...] | None = None
        self.current: Catalogue = InProcessCatalogue(CONTENT.schema.empty_table(), STREAMER.schema.empty_table())

    def refresh(self) -> None:
        newest = tuple(self._newest(table) for table in (CONTENT, STREAMER))
        if newest != self._read:
            self.current = InProcessCatalogue.latest(self._warehouse)
            self._read = newest

    def failed(self, problem: str) -> None:
        """The last catalogue stays; `MirrorState` tells its age."""

    def _newest(self, table: Table) -> str:
        days = self._warehouse.dates(table)
        snapshot = self._warehouse.current(table, days[-1]) if days else None
        return snapshot.path.name if snapshot is not None else ""
