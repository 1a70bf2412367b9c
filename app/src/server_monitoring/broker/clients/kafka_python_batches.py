"""Batches of records in bounded memory: kafka-python itself decompresses whatever comes.

A batch below 1 MB may become a gigabyte. The client's functions that decompress are replaced here
by ones that stop at a limit.
"""

import contextlib
import io
import zlib
from collections.abc import Iterator
from typing import Any

from kafka.consumer.fetcher import Fetcher
from kafka.errors import KafkaError
from kafka.record import default_records

from server_monitoring.broker.limits import BATCH_MEMORY_BYTES

with contextlib.suppress(ImportError):
    import zstandard
with contextlib.suppress(ImportError):
    from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped]

_PART_BYTES = 1 << 20
_GZIP = 31


class BatchTooLargeError(KafkaError):  # type: ignore[misc] # the client has no types
    """A batch needs more memory than any that the app sends; says of which partition it is."""

    def __init__(self, topic: str = "", partition: int = 0, offset: int = 0) -> None:
        """Take the place of the batch, where it is known."""
        super().__init__(topic, partition, offset)
        self.topic, self.partition, self.offset = topic, partition, offset


class PartitionRecords(Fetcher.PartitionRecords):  # type: ignore[misc] # the client has no types
    """The client's records of a partition; a batch that is too large says where it is."""

    def _unpack_records(self, tp: Any, *rest: Any) -> Iterator[Any]:
        try:
            yield from super()._unpack_records(tp, *rest)
        except (BatchTooLargeError, MemoryError) as error:
            raise BatchTooLargeError(tp.topic, tp.partition, self.next_fetch_offset) from error


def _zstd(payload: bytes) -> bytes:
    found, size = [], 0
    decompressor = zstandard.ZstdDecompressor()
    with decompressor.stream_reader(io.BytesIO(payload), read_across_frames=True) as reader:
        while part := reader.read(_PART_BYTES):
            size += len(part)
            if size > BATCH_MEMORY_BYTES:
                raise BatchTooLargeError
            found.append(part)
    return b"".join(found)


def _lz4(payload: bytes) -> bytes:
    decompressor = LZ4FrameDecompressor()
    content: bytes = decompressor.decompress(payload, max_length=BATCH_MEMORY_BYTES)
    if not decompressor.eof:
        raise BatchTooLargeError
    return content


def _gzip(payload: bytes) -> bytes:
    decompressor = zlib.decompressobj(_GZIP)
    content = decompressor.decompress(payload, BATCH_MEMORY_BYTES)
    if not decompressor.eof:
        raise BatchTooLargeError
    return content


default_records.zstd_decode = _zstd
default_records.lz4_decode = _lz4
default_records.gzip_decode = _gzip
