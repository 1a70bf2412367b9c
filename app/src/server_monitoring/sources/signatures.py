"""Kinds of files, told by their first bytes, whatever a file's name says.

No CSV file with the columns of a data set begins with one of the signatures.
"""

GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
# Of this many bytes a file's kind is told: zip names its first file, tar stands at 257.
LOOKED_AT = 512
_UNPACK = "unpack it first, or pack it by gzip or zstd"
_CSV = "save it as CSV in UTF-8"
_ZIP = b"PK\x03\x04"
_OTHERS = {
    _ZIP: ("a zip archive", _UNPACK),
    b"PK\x05\x06": ("an empty zip archive", _CSV),
    b"\xfd7zXZ\x00": ("compressed by xz", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a rar archive", _UNPACK),
    b"\x04\x22\x4d\x18": ("compressed by lz4", _UNPACK),
    b"\x1f\x9d": ("compressed by compress", _UNPACK),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _CSV),
    b"SQLite format 3\x00": ("an SQLite database", _CSV),
    b"ARROW1\x00\x00": ("an Arrow file", "write it as Parquet or CSV"),
    b"Obj\x01": ("an Avro file", "write it as Parquet or CSV"),
    b"\xff\xfe\x00\x00": ("UTF-32", _CSV),
    b"\x00\x00\xfe\xff": ("UTF-32", _CSV),
    b"\xff\xfe": ("UTF-16", _CSV),
    b"\xfe\xff": ("UTF-16", _CSV),
}


def is_zstd(start: bytes) -> bool:
    """Return whether a file is of zstd frames, of which the first may be one to be skipped."""
    return start.startswith(ZSTD) or (start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5)  # noqa: PLR2004


def unreadable(start: bytes) -> tuple[str, str] | None:
    """Return what else a file is than a data set, and what to do; None if it may be CSV."""
    kind = next((kind for sign, kind in _OTHERS.items() if start.startswith(sign)), None)
    if start.startswith(_ZIP) and (b"[Content_Types].xml" in start or b"xl/" in start):
        return "an Excel workbook", _CSV
    if start.startswith(b"BZh") and start[4:10] == b"1AY&SY":
        return "compressed by bzip2", _UNPACK
    if start[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if kind is None and start.count(b"\0") * 3 > len(start) > 1:
        return "UTF-16 without its mark", _CSV
    return kind


def packed_twice(start: bytes) -> tuple[str, str] | None:
    """Return what a compressed file holds that is no CSV text, and what to do."""
    if start.startswith(GZIP):
        return "gzip", "unpack it once"
    if is_zstd(start):
        return "zstd", "unpack it once"
    if start.startswith(PARQUET):
        return "a Parquet file", "unpack it, Parquet compresses by itself"
    return unreadable(start)
