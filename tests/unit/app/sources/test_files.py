"""Compressed and Parquet data sets hold the same rows; broken ones are named, not half read."""

import bz2
import contextlib
import gzip
import io
import lzma
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from server_monitoring.errors import DatasetError
from server_monitoring.model.timestamps import CLOCK, ISO, TimeForm
from server_monitoring.sources import signatures
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.parquet import field_text
from server_monitoring.sources.rows import BadRow, EmptyRow, Row

COLUMNS = ("cpu_pct", "mem_pct")
HEADER = "ts,server_id,cpu_pct,mem_pct\n"
CSV = HEADER + "".join(f'20:52:{i % 60:02d},"s{i},x",{i},\n' for i in range(20_000))


def zstd_frames(data: bytes) -> bytes:
    """Compress in two frames, as two files one behind the other."""
    half = len(data) // 2
    compress = zstandard.ZstdCompressor().compress
    return compress(data[:half]) + compress(data[half:])


def gzip_members(data: bytes) -> bytes:
    """Compress in two members."""
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


def zstd_stream(data: bytes) -> bytes:
    """Compress as a stream, whose frame does not say how large it is."""
    out = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(out, closefd=False) as writer:
        writer.write(data)
    return out.getvalue()


COMPRESSIONS: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    gzip_members,
    zstandard.ZstdCompressor().compress,
    zstd_frames,
    zstd_stream,
]


def read(path: Path, form: TimeForm = CLOCK) -> list[Row | BadRow | EmptyRow]:
    """Return all rows of a file."""
    with Dataset(path, COLUMNS, form) as dataset:
        return list(dataset.read())


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz", "m"])
def test_a_compressed_file_has_the_rows_of_the_plain_one(
    tmp_path: Path, compress: Callable[[bytes], bytes], name: str
) -> None:
    """Told by its first bytes, whatever it is called; the digest is the file's own."""
    plain, path = tmp_path / "plain", tmp_path / name
    plain.write_text(CSV)
    path.write_bytes(compress(CSV.encode()))
    assert read(path) == read(plain)
    with Dataset(path, COLUMNS, CLOCK) as dataset:
        assert dataset.validate().rows == 20_000
        assert dataset.sha256()[1] == path.stat().st_size < 500_000


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.9999])
def test_a_file_that_was_cut_off_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes], share: float
) -> None:
    """A download that broke off must not become a shorter data set."""
    path = tmp_path / "m.gz"
    data = compress(CSV.encode())
    path.write_bytes(data[: max(6, int(len(data) * share))])
    if compress in (gzip_members, zstd_frames) and share == 0.3:
        share = 0.51  # whole up to the second part's beginning would be a valid file
        path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DatasetError, match=r"m\.gz: line \d+: .*(end|mend)"):
        read(path)


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_file_with_a_flipped_byte_is_refused_or_seen_in_its_rows(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """Never a traceback, never the same rows."""
    path = tmp_path / "m"
    data = bytearray(compress(CSV.encode()))
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)
    plain = tmp_path / "plain"
    plain.write_text(CSV)
    found: list[Row | BadRow | EmptyRow] = []
    with contextlib.suppress(DatasetError):
        found = read(path)
    assert found != read(plain)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_line_without_end_is_one_bad_row_in_bounded_memory(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """A small file can hold gigabytes of the same character."""
    path = tmp_path / "m"
    lines = HEADER.encode() + b"20:52:00,a,1,2\n" + b"a" * 30_000_000
    path.write_bytes(compress(lines + b"\n20:52:10,b,3,4\n"))
    tracemalloc.start()
    first, bad, last = read(path)
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()
    assert isinstance(bad, BadRow)
    assert bad.problems[0].expected == "a line of at most 1,048,576 characters"
    assert (bad.line, bad.problems[0].column, len(bad.text)) == (3, None, 1_000)
    assert [first[0], last[0]] == [2, 4]


ONE = f"{HEADER}20:52:00,a,1,2\n".encode()
TAR = b"m.csv".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 250


@pytest.mark.parametrize(
    ("content", "found", "advice"),
    [
        (gzip.compress(gzip.compress(ONE)), "gzip in gzip", "unpack it once"),
        (gzip.compress(zstd_stream(ONE)), "zstd in gzip", "unpack it once"),
        (zstd_stream(gzip.compress(ONE)), "gzip in zstd", "unpack it once"),
        (gzip.compress(TAR), "a tar archive in gzip", "unpack it first"),
        (gzip.compress(ONE.decode().encode("utf-16")), "UTF-16 in gzip", "save it as CSV in UTF-8"),
        (ONE.decode().encode("utf-16"), "UTF-16", "save it as CSV in UTF-8"),
        (b"\xfe\xff" + ONE.decode().encode("utf-16-be"), "UTF-16", "save it as CSV in UTF-8"),
        (ONE.decode().encode("utf-16-be"), "UTF-16 without its mark", "save it as CSV in UTF-8"),
        (ONE.decode().encode("utf-32"), "UTF-32", "save it as CSV in UTF-8"),
        (bz2.compress(ONE), "compressed by bzip2", "unpack it first, or pack it by gzip or zstd"),
        (lzma.compress(ONE), "compressed by xz", "unpack it first, or pack it by gzip or zstd"),
        (TAR, "a tar archive", "unpack it first"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "an Excel workbook", "save it as"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook", "save it as CSV in UTF-8"),
    ],
)
def test_what_is_no_data_set_is_refused_by_its_true_name(
    tmp_path: Path, content: bytes, found: str, advice: str
) -> None:
    """Told by its content."""
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: found {found}, expected a CSV file in UTF-8")
    assert f"or a Parquet file; {advice}" in str(caught.value)


def skippable(content: bytes) -> bytes:
    """Return a zstd frame that readers skip."""
    return b"\x5a\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


@pytest.mark.parametrize(
    "content",
    [
        skippable(b"") + zstd_stream(ONE),
        skippable(b"x" * 5_000) + skippable(b"\x28\xb5\x2f\xfd") + zstd_frames(ONE),
        zstd_stream(ONE) + skippable(b"index"),
    ],
)
def test_frames_to_be_skipped_are_skipped(tmp_path: Path, content: bytes) -> None:
    """As parallel and seekable writers of zstd put them, first or last."""
    path = tmp_path / "m"
    path.write_bytes(content)
    assert read(path) == [Row(2, "20:52:00", "a", ["1.0", "2.0"])]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Neither plain, nor compressed, nor Parquet."""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_text(HEADER + "20:52:00,a,1.5,2\n" * 60_000)
    packed.write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
    table = tmp_path / "table"
    write_parquet(table, ["20:52:00"] * 60_000, [1.5] * 60_000)
    for path in (plain, packed, table):
        tracemalloc.start()
        with Dataset(path, COLUMNS, CLOCK) as dataset:
            assert dataset.validate().rows == 60_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000, path
        tracemalloc.stop()


def write_parquet(path: Path, times: Any, cpu: Any, **more: Any) -> None:
    """Write a table with one server."""
    count = len(times)
    columns = {"other": [[1]] * count, "mem_pct": [2] * count, "cpu_pct": cpu, "ts": times}
    pq.write_table(pa.table({**columns, "server_id": ["a"] * count, **more}), path)


def test_parquet_rows_are_those_a_csv_file_would_hold(tmp_path: Path) -> None:
    """Null is an empty field; columns that nobody asked for are not looked at."""
    path = tmp_path / "m.parquet"
    write_parquet(path, ["20:52:00"] * 3, [1.5, None, float("nan")])
    first, second, bad = read(path)
    assert first == Row(1, "20:52:00", "a", ["1.5", "2.0"])
    assert second == Row(2, "20:52:00", "a", ["", "2.0"])
    assert isinstance(bad, BadRow)
    assert str(bad.problems[0]) == "row 3, column cpu_pct: found 'nan', expected a finite number"


TWO = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a,b", "a,b"),
        (7, "7"),
        (0.1, "0.1"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.10"), "0.10"),
        (time(20, 52), "20:52:00"),
        (datetime(2024, 5, 1, 20, 52, tzinfo=UTC), "2024-05-01T20:52:00Z"),
        (datetime(2024, 5, 1, 22, 52, tzinfo=TWO), "2024-05-01T20:52:00Z"),
        (datetime(2024, 5, 1, 20, 52), "2024-05-01T20:52:00"),  # noqa: DTZ001 - refused as a time
        (True, "True"),
    ],
)
def test_parquet_values_become_the_texts_of_a_csv_file(value: object, text: str) -> None:
    """What has no such text is refused where the text is read."""
    assert field_text(value) == text


def test_parquet_times_may_be_timestamps(tmp_path: Path) -> None:
    """With a zone, as ISO 8601 needs it."""
    path = tmp_path / "m"
    moment = datetime(2024, 5, 1, 20, 52, tzinfo=UTC)
    write_parquet(path, pa.array([moment], pa.timestamp("ms", "UTC")), [1])
    [row] = read(path, ISO)
    assert row == Row(1, "2024-05-01T20:52:00Z", "a", ["1.0", "2.0"])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_parquet_file_that_was_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    """Its index is at the end."""
    path = tmp_path / "m.parquet"
    write_parquet(path, ["20:52:00"] * 100, list(range(100)))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DatasetError, match="row 1: not a readable Parquet file") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_parquet_page_is_refused_with_its_row(tmp_path: Path) -> None:
    """The rows before it may have been read, but the pass ends with an error."""
    path = tmp_path / "m.parquet"
    write_parquet(path, ["20:52:00"] * 100, list(range(100)))
    data = bytearray(path.read_bytes())
    data[4:200] = b"\xff" * 196
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="not a readable Parquet file"):
        read(path)


def test_a_missing_parquet_column_is_named(tmp_path: Path) -> None:
    """As in a CSV file."""
    path = tmp_path / "m"
    pq.write_table(pa.table({"ts": ["20:52:00"], "cpu_pct": [1.0]}), path)
    with pytest.raises(DatasetError, match="column server_id is not there: found 'ts', 'cpu_pct'"):
        read(path)


def test_without_pyarrow_a_parquet_file_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is large, and installed only where it is wanted."""
    path = tmp_path / "m.parquet"
    write_parquet(path, ["20:52:00"], [1])
    monkeypatch.setitem(sys.modules, "server_monitoring.sources.parquet", None)
    with pytest.raises(DatasetError, match="set app_parquet to true and provision the producer"):
        read(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PA", b"\x00"]
)
def test_a_file_that_is_only_a_beginning_is_refused(tmp_path: Path, content: bytes) -> None:
    """One line, no traceback."""
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_csv_file_cannot_begin_like_another_kind() -> None:
    """A header that begins with PAR1 is the one exception, and no column is called so."""
    for start in (signatures.GZIP, signatures.ZSTD):
        with pytest.raises(UnicodeDecodeError):
            start.decode()
    assert not any(name.startswith(signatures.PARQUET.decode()) for name in ("ts", "server_id"))
