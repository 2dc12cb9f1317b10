"""The exported program says what the tower says, for whatever an item is."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from contracts.item_tower import INPUTS, NO_TIME, PROGRAM_FILE, SPEC_FILE, ItemTowerSpec
from contracts.names import ItemKind
from models.two_tower.catalogue import Catalogue
from models.two_tower.config import ModelConfig
from models.two_tower.export import export_items
from models.two_tower.features import AGE_EDGES_HOURS, DURATION_EDGES_SECONDS, KINDS, US_PER_HOUR
from models.two_tower.storage import StoredModel
from models.two_tower.towers import TwoTower
from models.two_tower.vocabulary import Vocabularies, Vocabulary

AT = 1_770_000_000_000_000
AGES_US = [edge * US_PER_HOUR + off for edge in AGE_EDGES_HOURS for off in (-1, 0, 1)]
LENGTHS = [edge + off for edge in DURATION_EDGES_SECONDS for off in (-0.5, 0.0, 0.5) if edge + off >= 0]


@pytest.fixture(scope="module")
def stored() -> StoredModel:
    torch.manual_seed(0)
    vocabularies = Vocabularies(
        Vocabulary(np.arange(5)),
        Vocabulary(np.array([-(2**63), 7, 100, 2**63 - 1])),
        Vocabulary(np.array([1, 2])),
        Vocabulary(np.array(["", "chess"])),
    )
    model = TwoTower(ModelConfig(vocabularies.sizes, 8, 0.9, 0.1)).eval()
    with torch.no_grad():
        for table in (model.items.item, model.items.streamer, model.items.category):
            table.weight[0] = 0.3  # what is unknown has learnt to say something
    return StoredModel(model, vocabularies, 10)


@pytest.fixture(scope="module")
def folder(stored: StoredModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("exported")
    export_items(stored, made)
    return made


def items(count: int, published: list[int], lengths: list[float]) -> Catalogue:
    """Every second content, streamer and category is one that training has not met."""
    return Catalogue(
        kind=np.resize([KINDS.index(ItemKind.VOD), KINDS.index(ItemKind.CLIP)], count),
        item_id=np.resize([7, 8, -(2**63), 2**63 - 1, 0], count),
        streamer_id=np.resize([1, 3, 2], count),
        category=np.resize(["chess", "no such game", ""], count),
        duration_seconds=np.resize(lengths, count),
        published_us=np.resize(published, count),
        is_public=np.ones(count, bool),
    )


def inputs(catalogue: Catalogue, vocabularies: Vocabularies) -> tuple[torch.Tensor, ...]:
    rows = catalogue.batch(vocabularies, AT)
    moment = torch.full((len(catalogue),), AT)
    published, length = torch.from_numpy(catalogue.published_us), torch.from_numpy(catalogue.duration_seconds)
    return (rows.item, rows.streamer, rows.category, rows.kind, published, length, moment)


@pytest.mark.parametrize(
    ("count", "published", "lengths"),
    [
        (0, [AT], [60.0]),
        (1, [AT], [60.0]),
        (7, [NO_TIME, AT - 1, AT + US_PER_HOUR], [np.nan, 60.0]),
        (3 * len(AGES_US), [AT - age for age in AGES_US], LENGTHS),
    ],
    ids=["none", "one", "unknown and ahead", "every bucket's edge"],
)
def test_the_program_gives_the_towers_vectors(
    stored: StoredModel, folder: Path, count: int, published: list[int], lengths: list[float]
) -> None:
    catalogue = items(count, published, lengths)
    program = torch.export.load(folder / PROGRAM_FILE).module()
    with torch.no_grad():
        expected = stored.model.items(catalogue.batch(stored.vocabularies, AT))
        found = program(*inputs(catalogue, stored.vocabularies))
    assert found.shape == (count, 8)
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_moment_asked_for_is_an_input(stored: StoredModel, folder: Path) -> None:
    program = torch.export.load(folder / PROGRAM_FILE).module()
    *fixed, at = inputs(items(1, [AT], [60.0]), stored.vocabularies)
    with torch.no_grad():
        now, tomorrow = program(*fixed, at), program(*fixed, at + 24 * US_PER_HOUR)
    assert not torch.allclose(now, tomorrow, atol=1e-3)


def test_the_spec_names_inputs_and_kinds(folder: Path) -> None:
    spec = ItemTowerSpec.from_json((folder / SPEC_FILE).read_text())
    assert (spec.dim, spec.kinds, spec.inputs) == (8, ("vod", "clip", "streamer"), INPUTS)


def test_the_program_holds_no_pickle(folder: Path) -> None:
    with zipfile.ZipFile(folder / PROGRAM_FILE) as archive:
        assert not [name for name in archive.namelist() if b"\x80\x02" in archive.read(name)[:2]]
        assert not [name for name in archive.namelist() if b'"use_pickle": true' in archive.read(name)]
