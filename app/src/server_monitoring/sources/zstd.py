"""Files compressed with zstd, read as a stream. Needs zstandard."""

import io
from typing import BinaryIO

import zstandard

# A kibibyte cannot become more than 32 MiB: zstd's blocks are at most 128 KiB, from 4 bytes.
_CHUNK = 1 << 10
_MAX_WINDOW = 1 << 27


class ZstdFile(io.RawIOBase):
    """The content of a file of one or more zstd frames.

    A broken or truncated file raises OSError, as with gzip. Closing does not close the file below.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read from the current position of `file`."""
        self._file = file
        self._content = memoryview(b"")
        self._rest = b""
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what io hands in
        """Fill `buffer` as far as one step goes; return 0 at the end.

        Raises:
            OSError: not valid zstd, or truncated.

        """
        while not self._content:
            data = self._rest or self._file.read(_CHUNK)
            self._rest = b""
            if not data:
                if self._frame is not None:
                    raise OSError("zstd: the file ends within a frame")
                return 0
            self._content = memoryview(self._decompress(data))
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size

    def _decompress(self, data: bytes) -> bytes:
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
        try:
            content = self._frame.decompress(data)
        except zstandard.ZstdError as error:
            raise OSError(f"zstd: {error}") from error
        if self._frame.eof:
            self._rest = self._frame.unused_data
            self._frame = None
        return content
