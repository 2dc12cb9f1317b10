import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.errors import LogFormatError
from contracts.names import QuarantineReason
from contracts.tables import WATCH_EVENT
from jobs.importers.files import find_files, inspect
from tests.jobs.importers.logs import ROWS, csv, write_files

MANY = csv(*(f"{user},10,clip,5,2026-01-30T10:00:00Z,{user / 7}" for user in range(2_000)))


def test_a_whole_gzip_is_read_where_it_lies(tmp_path: Path) -> None:
    root = write_files(tmp_path / "log", {"dt=2026-01-30/a.csv.gz": csv(*ROWS)})
    found = inspect(find_files(root), WATCH_EVENT, tmp_path / "scratch")
    assert [file.path for file in found.files] == [root / "dt=2026-01-30" / "a.csv.gz"]
    assert found.faults == []


def test_of_a_truncated_gzip_the_whole_lines_are_read_and_the_broken_one_is_kept_apart(tmp_path: Path) -> None:
    root = write_files(tmp_path / "log", {"dt=2026-01-30/a.csv.gz": MANY})
    (path,) = find_files(root)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = inspect([path], WATCH_EVENT, tmp_path / "scratch")
    (file,), (fault,) = found.files, found.faults
    readable = gzip.decompress(file.path.read_bytes()).decode()
    assert (fault.reason, fault.file, fault.dt) == (QuarantineReason.TRUNCATED_FILE, "a.csv.gz", "2026-01-30")
    assert 100 < readable.count("\n") < 2_000
    assert MANY.startswith(readable + (fault.raw or ""))
    assert readable.endswith("\n")


def test_concatenated_gzip_members_are_one_file_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(csv(*ROWS).encode())
    path.write_bytes(whole + gzip.compress(b"3,10,clip,5,2026-01-30T13:00:00Z,1\n") + whole[:12])
    (file,) = inspect([path], WATCH_EVENT, tmp_path / "scratch").files
    assert gzip.decompress(file.path.read_bytes()).count(b"\n") == 5


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", QuarantineReason.EMPTY_FILE),
        ("a.csv.gz", b"", QuarantineReason.EMPTY_FILE),
        ("a.parquet", b"", QuarantineReason.EMPTY_FILE),
        ("a.parquet", b"PAR1 and then nothing", QuarantineReason.TRUNCATED_FILE),
        ("b.csv.gz", b"no gzip at all", QuarantineReason.TRUNCATED_FILE),
    ],
)
def test_a_file_without_anything_readable_is_a_fault(
    tmp_path: Path, name: str, content: bytes, reason: QuarantineReason
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = inspect([path], WATCH_EVENT, tmp_path / "scratch")
    assert found.files == []
    assert [fault.reason for fault in found.faults] == [reason]


def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    root = write_files(tmp_path, {"a.csv": "user_id,user_id\n1,2\n"})
    with pytest.raises(LogFormatError, match="names a column twice"):
        inspect(find_files(root), WATCH_EVENT, tmp_path)


def test_a_folder_that_names_no_day_is_refused(tmp_path: Path) -> None:
    root = write_files(tmp_path, {"dt=2026-02-30/a.csv": ""})
    with pytest.raises(LogFormatError, match="2026-02-30 is no day"):
        inspect(find_files(root), WATCH_EVENT, tmp_path)


def test_files_with_equal_columns_are_told_from_files_with_others(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"user_id": ["1"]}), tmp_path / "b.parquet")
    files = inspect(find_files(tmp_path), WATCH_EVENT, tmp_path).files
    assert files[0].types != files[1].types
