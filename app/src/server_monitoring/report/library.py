"""The plotting library that the page embeds: uPlot, from the archive that `make control` fetches.

It is read from where it was installed, not from this package: its code is not ours.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

from server_monitoring.errors import ResultsError

VERSION = "1.6.30"
FILE = f"uplot-{VERSION}.jar"
# As in files/report/sha256sums.
SHA256 = "35b1d5d332ae25876ebd3b96c4a6180f29bec7675ad22dda9d3dc803691d19c9"
_INSIDE = f"META-INF/resources/webjars/uplot/{VERSION}"


class Library(NamedTuple):
    """The parts of it that the page embeds."""

    script: str
    style: str
    licence: str


def default_path() -> Path:
    """Return where `make control` puts the archive: in the environment that runs this."""
    return Path(sys.prefix) / "share" / "server-monitoring" / FILE


def read_library(path: Path) -> Library:
    """Read the library.

    Raises:
        ResultsError: the archive is missing, or is another.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultsError(
            f"{path}: {error.strerror}: the page embeds this plotting library; run 'make control' "
            "and use its environment, .venv"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ResultsError(
            f"{path}: sha256 {found[:12]}... found, expected {SHA256[:12]}...; remove it and run "
            "'make control'"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE")
        script, style, licence = (archive.read(f"{_INSIDE}/{name}").decode() for name in names)
    return Library(script, style, licence)
