"""Private, removed and taken down contents never appear."""

from serving.frame import Frame, Mask
from serving.kernels import among
from serving.query import Query


class VisibilityFilter:
    """Keeps what the catalogue shows and nobody has taken down since."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        is_public = query.state.catalogue.is_public(frame.rows)
        if not len(query.state.removed):
            return is_public
        return is_public & ~among(frame.candidates.item_ids, query.state.removed)
