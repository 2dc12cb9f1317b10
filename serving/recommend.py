"""One request: what to read, and the slate once it was read. Nothing here waits."""

from collections.abc import Mapping

import msgspec

from contracts.errors import CursorExpiredError, InvalidRequestError, NoGenerationError
from contracts.names import Surface, target_context
from contracts.settings import Settings
from serving.pipeline import Wiring, run
from serving.query import Query, Request
from serving.slate import Slate, slate_of
from serving.state import Generation, State
from serving.stores.user_reads import ReadPlan, UserRow
from serving.wiring import surfaces


class Asking(msgspec.Struct, frozen=True):
    """A request on its way: its stages, the generation it is answered from, and what is to be read for it."""

    request: Request
    wiring: Wiring
    generation: Generation
    plan: ReadPlan
    state: State


class Recommender:
    """Answers requests in two halves, so that whoever reads in between may wait as it likes.

    Args:
        settings: Of the request path.
    """

    def __init__(self, settings: Settings) -> None:
        self._surfaces: Mapping[Surface, Wiring] = surfaces(settings)

    def ask(self, request: Request, state: State) -> Asking:
        """What has to be read for a request.

        Raises:
            InvalidRequestError: the surface is not served.
            NoGenerationError: nothing was published, or nothing is left of it.
            CursorExpiredError: the pages before this one came from a generation that is gone.
        """
        wiring = self._surfaces.get(request.surface)
        if wiring is None:
            known = ", ".join(self._surfaces)
            raise InvalidRequestError(f"surface `{request.surface}` is not served; served are {known}")
        generation = _generation(request, state)
        targets = _targets(request, wiring, state)
        lists = wiring.lists or request.surface
        context = (str(request.surface), target_context(request.context or 0)) if wiring.learns_target else None
        plan = ReadPlan(generation.name, lists, request.user_id, targets, bool(wiring.lanes), context)
        return Asking(request, wiring, generation, plan, state)

    def answer(self, asking: Asking, user: UserRow, problem: str = "") -> Slate:
        """The slate; never empty-handed without saying why.

        Args:
            problem: Why the store could not be asked; `user` is empty then.
        """
        lists = asking.wiring.lists or asking.request.surface
        query = Query(asking.request, asking.generation, user, lists, asking.state, problem)
        return slate_of(query, run(asking.wiring, query))


def _generation(request: Request, state: State) -> Generation:
    published = state.published
    name = request.generation or published.current
    if name is None:
        raise NoGenerationError("nothing has been published; run first: python -m serving publish")
    found = published.generations.get(name)
    if found is None and request.generation is not None:
        raise CursorExpiredError(f"generation {name} of this cursor is gone; ask again without the cursor")
    if found is None:
        raise NoGenerationError(f"generation {name} has expired; run: python -m serving publish")
    return found


def _targets(request: Request, wiring: Wiring, state: State) -> tuple[tuple[Surface, int], ...]:
    """The lists that go with the request's context: of itself, and of the streamer whose content it is."""
    if request.context is None or not wiring.targets:
        return ()
    own, *of_streamer = wiring.targets
    targets = [(own, request.context)]
    streamer = state.catalogue.streamer(request.context) if of_streamer else None
    if streamer is not None:
        targets += [(surface, streamer) for surface in of_streamer]
    return tuple(targets)
