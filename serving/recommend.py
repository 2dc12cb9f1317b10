"""One request: generation first, then the user, then the surface's stages."""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.errors import InvalidRequestError, NoGenerationError
from contracts.names import ItemKind, Segment, Source, Surface
from contracts.payload import KINDS, SOURCES
from serving.explain import why
from serving.pipeline import Outcome, best_level, run, run_side_effects
from serving.query import LEVELS, Query, Request
from serving.slate import Slate, SlateItem
from serving.stores.catalogue import Catalogue
from serving.wiring import Clients, surfaces


def to_request(
    request_id: str, user_id: int | None, surface: str, limit: int, at: datetime, max_length: int
) -> Request:
    """A checked request.

    Raises:
        InvalidRequestError
    """
    if surface not in set(Surface):
        raise InvalidRequestError(f"surface `{surface}` is unknown; known are {', '.join(Surface)}")
    if not 1 <= limit <= max_length:
        raise InvalidRequestError(f"limit {limit} is out of range; ask for 1 to {max_length} items")
    if user_id is not None and not -(2**63) <= user_id < 2**63:
        raise InvalidRequestError(f"user {user_id} is not a 64-bit id")
    return Request(request_id, user_id, Surface(surface), limit, at)


def after_content(request: Request, content_id: int | None) -> Request:
    """The request with the content that was watched: `watch_next` needs one, no other surface takes one.

    Raises:
        InvalidRequestError
    """
    if (content_id is None) == (request.surface is Surface.WATCH_NEXT):
        wanted = "needs a" if content_id is None else "takes no"
        raise InvalidRequestError(f"surface `{request.surface}` {wanted} content that was watched (--after)")
    if content_id is not None and not -(2**63) <= content_id < 2**63:
        raise InvalidRequestError(f"content {content_id} is not a 64-bit id")
    return replace(request, after=content_id)


@dataclass(frozen=True)
class Recommender:
    """Answers requests."""

    clients: Clients

    def recommend(self, request: Request) -> Slate:
        """A slate; never empty-handed without saying why.

        Raises:
            InvalidRequestError: the surface is known but not wired.
            NoGenerationError: nothing was published, or it has expired.
            StoreUnavailableError
        """
        wired = surfaces(self.clients)
        if request.surface not in wired:
            raise InvalidRequestError(f"surface `{request.surface}` is not served yet; served are {', '.join(wired)}")
        wiring = wired[request.surface]
        query = self._query(request, wiring.lists or request.surface)
        outcome = run(wiring, query)
        slate = _slate(query, outcome, self.clients.catalogue)
        run_side_effects(wiring, outcome.trace, lambda effect: effect.after(slate))
        return replace(slate, notes=tuple(outcome.trace.notes))

    def _query(self, request: Request, lists: Surface) -> Query:
        store = self.clients.store
        generation = store.current_generation()
        if generation is None:
            raise NoGenerationError("nothing has been published; run first: python -m serving publish")
        row = store.user_row(generation, lists, request.user_id)
        if not row.info:
            raise NoGenerationError(f"generation {generation} has expired; run: python -m serving publish")
        # Somebody we know no segment of is new; somebody who did not say who they are is everybody.
        unknown = Segment.ALL if request.user_id is None else Segment.NEW
        return Query(request, generation, row, row.segment or unknown, lists)


def _slate(query: Query, outcome: Outcome, catalogue: Catalogue) -> Slate:
    request, ranking = query.request, outcome.ranking
    return Slate(
        request_id=request.request_id,
        user_id=request.user_id,
        surface=request.surface,
        segment=query.segment,
        level=best_level(outcome.frame),
        notes=tuple(outcome.trace.notes),
        generation=query.generation,
        model_version=query.user.info["model_version"],
        policy_id=ranking.policy_id,
        posterior_epoch=ranking.posterior_epoch,
        seed=request.seed,
        arms=ranking.arm_set.arms,
        counts=ranking.arm_set.counts,
        served_at=request.at,
        items=_items(outcome, catalogue),
        stages=tuple(outcome.trace.records),
    )


def _items(outcome: Outcome, catalogue: Catalogue) -> tuple[SlateItem, ...]:
    frame = outcome.frame
    candidates = frame.candidates
    titles = catalogue.titles(candidates.item_ids)
    names = catalogue.names(candidates.streamer_ids)
    items = []
    for row in range(len(frame)):
        kind, source = ItemKind(KINDS[candidates.kinds[row]]), Source(SOURCES[candidates.sources[row]])
        prefix, _, exploration = source.partition("exploration/")
        items.append(
            SlateItem(
                rank=row + 1,
                kind=kind,
                item_id=int(candidates.item_ids[row]),
                streamer_id=int(candidates.streamer_ids[row]),
                title=frame.titles[row] or titles[row],
                streamer=names[row],
                source=source,
                exploration_kind=exploration if not prefix else None,
                score=float(candidates.scores[row]),
                level=LEVELS[frame.levels[row]],
                why=why(source, kind, names[row]),
            )
        )
    return tuple(items)
