import numpy as np

from tests.world.configs import small
from world.streams import Streams
from world.world import World


def test_a_stream_is_known_by_its_name_and_index_alone() -> None:
    streams = Streams(3)
    expected = streams.rng("visits", 1).random(4)
    streams.rng("slates", 1).random(1_000)
    assert (streams.rng("visits", 1).random(4) == expected).all()
    others = (streams.rng("visits", 2), streams.rng("slates", 1), Streams(4).rng("visits", 1))
    assert all((other.random(4) != expected).all() for other in others)


def test_more_draws_for_clips_leave_everything_else_as_it_was() -> None:
    few, many = (World.from_config(small(contents={"clips_per_hour": n})).first for n in (0.5, 5.0))
    assert len(many.scene.contents.streamer) > 2 * len(few.scene.contents.streamer)
    for one, other in zip(vars(few.scene.schedule).values(), vars(many.scene.schedule).values(), strict=True):
        assert (one == other).all()
    users = (vars(state.scene.population.users).values() for state in (few, many))
    assert all((one == other).all() for one, other in zip(*users, strict=True))
    assert (few.bonds.ties == many.bonds.ties).all()
    vods = [state.scene.contents.quality[~state.scene.contents.is_clip] for state in (few, many)]
    assert (np.sort(vods[0]) == np.sort(vods[1])).all()


def test_what_users_say_does_not_change_what_they_watch() -> None:
    quiet, loud = (
        list(World.from_config(small(bonds={"like_share": share, "follow_share": share})).days())
        for share in (0.0, 0.9)
    )
    for one, other in zip(quiet, loud, strict=True):
        assert (one.plays.started == other.plays.started).all()
        assert (one.new_ties == other.new_ties).all()
