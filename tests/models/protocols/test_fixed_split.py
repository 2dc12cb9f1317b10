import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from contracts.errors import LogFormatError
from contracts.settings import TwoTowerSettings
from models.__main__ import app
from models.protocols.fixed_split import Pairs, Split, held_out, popularity_shift, read_pairs, towers
from models.protocols.ranking import NDCG, RECALL, judge

SETTINGS = TwoTowerSettings(dim=16, batch_size=256, epochs=12, final_epochs=0, history_length=20, device="cpu")
USERS, ITEMS = 120, 80


def _tastes(seed: int) -> Split:
    """Even users meet items of the first half, odd ones of the second; 15 each, of which 5 are to be found."""
    rng = np.random.default_rng(seed)
    met = [ITEMS // 2 * (user % 2) + rng.choice(ITEMS // 2, 15, replace=False) for user in range(USERS)]
    train, test = ([items[part] for items in met] for part in (slice(10), slice(10, 15)))
    return Split(_pairs(train), _pairs(test))


def _pairs(items: list[np.ndarray]) -> Pairs:
    return Pairs(np.repeat(np.arange(len(items)), [len(found) for found in items]), np.concatenate(items))


def test_tastes_are_found_where_popularity_finds_half() -> None:
    """Of 20 places among 30 unseen items of the own half, 13.3 of 20 hit by chance: 0.67; of both halves half of it."""
    split = _tastes(1)
    found = judge(towers(split, SETTINGS), split.task())
    assert found[RECALL] > 0.6
    assert 0 < found[NDCG] < 1


def test_training_items_are_never_listed() -> None:
    split = _tastes(2)
    learnt = Split(split.train, split.train)  # what was learnt is what is to be found
    assert judge(towers(split, SETTINGS.model_copy(update={"epochs": 1})), learnt.task())[RECALL] == 0


def test_the_command_prints_one_object_of_what_the_models_find(tmp_path: Path) -> None:
    split = _tastes(3)
    for name, pairs in (("train.txt", split.train), ("test.txt", split.test)):
        lines = [" ".join(map(str, [user, *pairs.item[pairs.user == user]])) for user in range(USERS)]
        (tmp_path / name).write_text("\n".join(lines))
    files = ["--train", str(tmp_path / "train.txt"), "--test", str(tmp_path / "test.txt")]
    made = CliRunner().invoke(app, ["benchmark", *files, "--dim", "16", "--seeds", "2"])
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    assert found[RECALL] == found["fused"][RECALL] > 0.6
    assert found["linear"][RECALL] > 0.6
    assert len(found["runs"]["two_tower"]) == 2
    assert found["spread"][NDCG] >= 0
    assert found["settings"]["dim"] == 16
    chosen_on = CliRunner().invoke(app, ["benchmark", *files[:2], "--dim", "16", "--seeds", "1"])
    assert chosen_on.exit_code == 0, chosen_on.output
    assert json.loads(chosen_on.stdout)[RECALL] > 0.4  # two held out among 32 unseen of the own half: 0.63 by chance


def test_a_held_out_part_takes_a_fifth_of_every_user_with_three_items() -> None:
    sizes = {0: 2, 1: 3, 2: 1, 3: 15}
    user = np.repeat(list(sizes), list(sizes.values()))
    split = held_out(Pairs(user, np.arange(len(user))), seed=0)
    assert np.bincount(split.test.user).tolist() == [0, 1, 0, 3]
    assert sorted([*split.train.item, *split.test.item]) == list(range(len(user)))
    assert (np.diff(split.train.user) >= 0).all()


def test_a_test_file_with_more_of_the_popular_items_is_told() -> None:
    train = Pairs(np.repeat(np.arange(40), 2), np.concatenate([[0, 1 + user] for user in range(40)]))
    only_popular, rare = (Pairs(np.arange(4), np.array(items)) for items in ([0, 0, 0, 1], [40, 39, 38, 37]))
    assert popularity_shift(Split(train, train)) == 1
    # Of 80 training pairs 59 are of the twenty most met: the one that all met and 19 of those that one met.
    assert popularity_shift(Split(train, only_popular)) == pytest.approx(80 / 59)
    assert popularity_shift(Split(train, rare)) == 0


def test_popularity_stands_beside_what_was_learnt() -> None:
    split = _tastes(4)
    is_popular = np.bincount(split.train.item, minlength=ITEMS) >= 20
    scores = towers(split, SETTINGS.model_copy(update={"epochs": 1}))(np.arange(USERS))
    other_half = scores[::2, ITEMS // 2 :]
    popular = torch.from_numpy(is_popular[ITEMS // 2 :])
    assert 0 < popular.sum() < len(popular)
    assert other_half[:, popular].mean() > other_half[:, ~popular].mean()


@pytest.mark.parametrize("name", ["pairs.txt", "pairs.txt.gz"])
def test_lines_are_read_plain_or_packed(tmp_path: Path, name: str) -> None:
    text = "3 1 2 2\n0 7\n5\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    found = read_pairs(path)
    assert (found.user.tolist(), found.item.tolist()) == ([0, 3, 3], [7, 1, 2])


@pytest.mark.parametrize(("text", "message"), [("1 2\nuser item\n", "line 2"), ("", "no pair"), ("1\n", "no pair")])
def test_something_else_is_a_named_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(LogFormatError, match=message):
        read_pairs(tmp_path / "pairs.txt")
