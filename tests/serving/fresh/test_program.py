"""A registered item tower is run without `models`; whatever is wrong with it has a name."""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from contracts.errors import ItemTowerError
from contracts.item_tower import PROGRAM_FILE, SPEC_FILE, VOCABULARY_FILE
from contracts.packed_vector import FloatArray
from models.two_tower.catalogue import Catalogue
from models.two_tower.config import ModelConfig
from models.two_tower.export import export_items
from models.two_tower.features import KINDS, NO_TIME
from models.two_tower.storage import StoredModel
from models.two_tower.towers import TwoTower
from models.two_tower.vocabulary import Vocabularies, Vocabulary
from serving.fresh.item import Description
from serving.fresh.program import ItemProgram

AT = 1_770_000_000.0
KNOWN = Description("clip", 1, category="chess", duration_seconds=61.0, published_at=AT - 7_200)


@pytest.fixture(scope="module")
def stored() -> StoredModel:
    torch.manual_seed(0)
    vocabularies = Vocabularies(
        Vocabulary(np.arange(5)),
        Vocabulary(np.array([-(2**63), 7, 2**63 - 1])),
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
    made = tmp_path_factory.mktemp("registered")
    stored.save(made)
    export_items(stored, made)
    return made


def of_the_tower(stored: StoredModel, content: int, of: Description, at: float) -> FloatArray:
    """What retrieval would say of the same content, from the catalogue's columns."""
    published = NO_TIME if of.published_at is None else round(of.published_at * 1e6)
    row = Catalogue(
        kind=np.array([KINDS.index(of.kind)]),  # type: ignore[arg-type]
        item_id=np.array([content]),
        streamer_id=np.array([of.streamer_id]),
        category=np.array([of.category or ""]),
        duration_seconds=np.array([np.nan if of.duration_seconds is None else of.duration_seconds]),
        published_us=np.array([published]),
        is_public=np.ones(1, bool),
    )
    with torch.no_grad():
        return stored.model.items(row.batch(stored.vocabularies, round(at * 1e6))).numpy()


@pytest.mark.parametrize(
    ("content", "of"),
    [
        (7, KNOWN),
        (8, KNOWN),
        (-(2**63), replace(KNOWN, kind="vod")),
        (2**63 - 1, replace(KNOWN, streamer_id=3)),
        (7, replace(KNOWN, category="a game that nobody had heard of")),
        (7, replace(KNOWN, category=None)),
        (7, replace(KNOWN, duration_seconds=None)),
        (7, replace(KNOWN, published_at=None)),
        (9, Description("clip", 99, category="no", published_at=AT + 60)),
    ],
)
def test_the_program_says_what_the_tower_says(stored: StoredModel, folder: Path, content: int, of: Description) -> None:
    program = ItemProgram.load(folder, "7")
    for at in (AT, AT + 3_600, AT + 86_400 * 30):
        assert np.allclose(program.embed([(content, of)], at), of_the_tower(stored, content, of, at), atol=1e-5)


def test_many_contents_are_embedded_as_one_by_one(folder: Path) -> None:
    program = ItemProgram.load(folder, "7")
    contents = [(content, replace(KNOWN, streamer_id=content % 4)) for content in range(50)]
    together = program.embed(contents, AT)
    assert np.allclose(together, np.concatenate([program.embed([each], AT) for each in contents]), atol=1e-6)
    assert program.embed([], AT).shape == (0, 8)


def test_a_model_that_has_met_nothing_embeds_everything_alike(stored: StoredModel, tmp_path: Path) -> None:
    nothing = Vocabulary(np.array([], np.int64))
    empty = Vocabularies(nothing, nothing, nothing, Vocabulary(np.array([], np.str_)))
    bare = StoredModel(TwoTower(ModelConfig(empty.sizes, 8, 0.9, 0.1)), empty, 10)
    bare.save(tmp_path)
    export_items(bare, tmp_path)
    one, other = ItemProgram.load(tmp_path, "1").embed([(1, KNOWN), (2, replace(KNOWN, streamer_id=5))], AT)
    assert np.allclose(one, other)


def broken(folder: Path, made: Path, file: str, content: bytes | None) -> Path:
    shutil.copytree(folder, made)
    if content is None:
        (made / file).unlink()
    else:
        (made / file).write_bytes(content)
    return made


@pytest.mark.parametrize("file", [PROGRAM_FILE, SPEC_FILE, VOCABULARY_FILE])
@pytest.mark.parametrize("content", [None, b"", b"no such thing"], ids=["missing", "empty", "other"])
def test_a_file_that_cannot_be_read_is_named(folder: Path, tmp_path: Path, file: str, content: bytes | None) -> None:
    with pytest.raises(ItemTowerError, match="again"):
        ItemProgram.load(broken(folder, tmp_path / "broken", file, content), "7")


def test_a_truncated_program_is_named(folder: Path, tmp_path: Path) -> None:
    whole = (folder / PROGRAM_FILE).read_bytes()
    with pytest.raises(ItemTowerError, match="model version 7 cannot be read"):
        ItemProgram.load(broken(folder, tmp_path / "broken", PROGRAM_FILE, whole[: len(whole) // 2]), "7")


def test_a_spec_of_another_format_is_named(folder: Path, tmp_path: Path) -> None:
    spec = json.loads((folder / SPEC_FILE).read_text()) | {"format_version": 2}
    with pytest.raises(ItemTowerError, match=r"format 2 .* this reader knows 1"):
        ItemProgram.load(broken(folder, tmp_path / "broken", SPEC_FILE, json.dumps(spec).encode()), "7")


def test_a_program_with_pickled_objects_is_refused(folder: Path, tmp_path: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(folder / PROGRAM_FILE) as archive, zipfile.ZipFile(written, "w") as made:
        for name in archive.namelist():
            body = archive.read(name)
            made.writestr(name, body.replace(b'"use_pickle": false', b'"use_pickle": true'))
    with pytest.raises(ItemTowerError, match="pickled objects, which are never loaded"):
        ItemProgram.load(broken(folder, tmp_path / "broken", PROGRAM_FILE, written.getvalue()), "7")


def test_nothing_but_the_consumer_needs_torch_and_nothing_here_needs_models(folder: Path) -> None:
    """In a process of its own: this one has imported everything."""
    program = f"""
import sys
import serving.__main__, serving.mirrors.fresh, serving.fresh.lane, serving.fresh.consumer
assert not {{"torch", "mlflow"}} & sys.modules.keys()
from pathlib import Path
from serving.fresh.item import Description
from serving.fresh.program import ItemProgram
program = ItemProgram.load(Path({str(folder)!r}), "7")
assert program.embed([(1, Description("clip", 1))], 0.0).shape == (1, 8)
assert not [name for name in sys.modules if name.partition(".")[0] == "models"]
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
