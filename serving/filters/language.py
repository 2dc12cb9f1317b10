"""The languages that the request asks for."""

import numpy as np

from serving.frame import Frame, Mask
from serving.query import Query


class LanguageFilter:
    """Keeps contents and broadcasts in one of the wanted languages, and those without one; wanting none keeps all."""

    def keep(self, frame: Frame, query: Query) -> Mask | None:
        wanted = query.request.languages
        if not wanted:
            return None
        mask = query.state.catalogue.is_in(frame.rows, wanted)
        on = np.flatnonzero(frame.live >= 0)
        spoken = query.state.live.languages[frame.live[on]]
        mask[on] = [language is None or language in wanted for language in spoken]
        return mask
