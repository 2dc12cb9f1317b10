"""Where each content stands in the catalogue."""

from serving.frame import Frame
from serving.query import Query


class CatalogueHydrator:
    """One search, which every later stage that asks the catalogue goes by."""

    def hydrate(self, frame: Frame, query: Query) -> Frame:
        rows = query.state.catalogue.rows(frame.candidates.item_ids)
        return Frame(frame.candidates, frame.levels, rows, frame.live)
