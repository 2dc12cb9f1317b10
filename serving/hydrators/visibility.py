"""Whether the catalogue still shows a content."""

from dataclasses import dataclass, replace

from serving.frame import Frame
from serving.query import Query
from serving.stores.catalogue import Catalogue


@dataclass(frozen=True)
class VisibilityHydrator:
    """Asks the catalogue."""

    catalogue: Catalogue

    def hydrate(self, frame: Frame, query: Query) -> Frame:  # noqa: ARG002
        return replace(frame, is_visible=self.catalogue.visible(frame.candidates.item_ids))
