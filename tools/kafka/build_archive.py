"""Assemble the Kafka archive from Maven's artifacts and the scripts of files/kafka.

Guarantee: the archive holds exactly the jars of its release's ``sha256sums``, each with the sum
that stands there, and equal inputs give an equal archive (sorted members, root-owned, no times).
It replaces an older one in a single step; a failed run leaves the older one alone.

Standard library only: it runs with the control machine's own Python.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FILES = Path(__file__).resolve().parents[2] / "files" / "kafka"  # unless --files says another
# Written out in full: without a version Maven takes whatever its own release defaults to.
MAVEN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
SUM_LINE = re.compile(r"^([0-9a-f]{64}) [ *](\S+\.jar)$")
TOOL_LINE = re.compile(r"^([a-z0-9-]+\.sh)\s+([A-Za-z0-9_.]+)$")
WRAPPER = """#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" {main_class} "$@"
"""


class ArchiveError(Exception):
    """The archive cannot be assembled; the message is one line for the person at the terminal."""


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def read_pairs(path: Path, line_form: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return both fields of each line; blank lines and lines with # are left out.

    Raises:
        ArchiveError: a line has another form, or the file has no line.

    """
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = line_form.match(line)
        if match is None:
            message = f"{path}: line {number}: found {line!r}, expected {line_form.pattern}"
            raise ArchiveError(message)
        pairs.append((match[1], match[2]))
    if not pairs:
        message = f"{path}: no entries"
        raise ArchiveError(message)
    return pairs


def read_tools(files: Path, parts: Path) -> dict[str, str]:
    """Return the tool map of a release: command in bin/ -> main class.

    Args:
        files: folder of the map that releases share.
        parts: the release's own folder, which may have a map of what differs.

    Raises:
        ArchiveError: as `read_pairs`.

    """
    maps = [file for file in (files / "tools.txt", parts / "tools.txt") if file.exists()]
    return dict(pair for file in maps for pair in read_pairs(file, TOOL_LINE))


def check_jars(libs: Path, sums: Path) -> None:
    """Hold the jars of a folder against the list of sums: none changed, none missing, none more.

    Raises:
        ArchiveError: naming the first jar of each kind that differs.

    """
    expected = {name: value for value, name in read_pairs(sums, SUM_LINE)}
    found = {jar.name: digest(jar) for jar in libs.iterdir()}
    problems = [
        *(f"{name} is missing" for name in sorted(expected.keys() - found.keys())),
        *(f"{name} is not in the list" for name in sorted(found.keys() - expected.keys())),
        *(
            f"{name} has sha256 {found[name]}, expected {expected[name]}"
            for name in sorted(expected.keys() & found.keys())
            if found[name] != expected[name]
        ),
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        message = f"{sums}: {problems[0]}{more}: clear Maven's repository or renew the list"
        raise ArchiveError(message)


def release(files: Path, version: str) -> Path:
    """Return the folder with pom.xml and sums of a release.

    Raises:
        ArchiveError: there is none for this version.

    """
    listed = sorted(folder.name for folder in (files / "releases").iterdir())
    if version not in listed:
        message = (
            f"kafka_version: found {version}, expected one of {', '.join(listed)}, as "
            f"{files / 'releases'} has it: set one of these, or give kafka_archive_url and "
            "kafka_archive_checksum"
        )
        raise ArchiveError(message)
    return files / "releases" / version


def fetch_jars(pom: Path, libs: Path) -> None:
    """Let Maven copy the run-time dependencies of pom.xml into a folder.

    Raises:
        ArchiveError: Maven is not installed, or it failed (its first error line is in the message).

    """
    maven = shutil.which("mvn")
    if maven is None:
        message = (
            "mvn not found on the control machine: install it (apt-get install maven), "
            "or give kafka_archive_url and kafka_archive_checksum"
        )
        raise ArchiveError(message)
    command = [maven, "-B", "-q", "--strict-checksums", "-f", str(pom), MAVEN_GOAL]
    command += [f"-DoutputDirectory={libs}", "-DincludeScope=runtime"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).splitlines()
        errors = [line for line in lines if "ERROR" in line] or lines or ["no output"]
        message = f"mvn ended with status {done.returncode}: {errors[0].strip()}"
        raise ArchiveError(message)


def members(files: Path, parts: Path, libs: Path) -> list[tuple[str, bytes, int]]:
    """Return each file of the tree, sorted by name: path in the archive, content, mode."""
    found = [(f"libs/{jar.name}", jar.read_bytes(), 0o644) for jar in libs.iterdir()]
    found += [(f"config/{f.name}", f.read_bytes(), 0o644) for f in (files / "config").iterdir()]
    found += [(f"bin/{f.name}", f.read_bytes(), 0o755) for f in (files / "bin").iterdir()]
    found += [
        (f"bin/{tool}", WRAPPER.format(main_class=main_class).encode(), 0o755)
        for tool, main_class in read_tools(files, parts).items()
    ]
    return sorted(found)


def pack(files: list[tuple[str, bytes, int]], top: str, target: Path) -> None:
    """Write the files below the folder `top` as a gzip-compressed tar, the same bytes each time."""
    part = target.with_suffix(".part")
    with (
        part.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content, mode in files:
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode = len(content), mode
            entry.uname = entry.gname = "root"
            archive.addfile(entry, io.BytesIO(content))
    part.replace(target)


def inputs_digest(files: Path, version: str) -> str:
    """Return one SHA-256 over everything that decides the archive's content."""
    total = hashlib.sha256(version.encode())
    sources = [Path(__file__), files / "pom.xml", files / "tools.txt"]
    for folder in (release(files, version), files / "bin", files / "config"):
        sources += sorted(folder.iterdir())
    for source in sources:
        total.update(f"{source.name} {digest(source)}\n".encode())
    return total.hexdigest()


def is_current(archive: Path, stamp: Path, inputs: str) -> bool:
    """Tell whether the archive was made from these inputs and is still whole."""
    if not (archive.is_file() and stamp.is_file()):
        return False
    return stamp.read_text(encoding="utf-8").split() == [inputs, digest(archive)]


def ensure(files: Path, version: str, cache: Path, *, check: bool) -> dict[str, object]:
    """Make the archive if it is missing, damaged or made from other inputs.

    Returns:
        ``path``, ``changed`` and ``sha256`` (empty when `check` held back the making of it).

    Raises:
        ArchiveError: it cannot be made.

    """
    parts = release(files, version)
    archive = cache / f"kafka-{version}.tar.gz"
    stamp = cache / f"kafka-{version}.stamp"
    inputs = inputs_digest(files, version)
    if is_current(archive, stamp, inputs):
        return {"path": str(archive), "changed": False, "sha256": digest(archive)}
    if check:
        return {"path": str(archive), "changed": True, "sha256": ""}
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        libs = Path(folder) / "libs"
        libs.mkdir()
        fetch_jars(parts / "pom.xml", libs)
        check_jars(libs, parts / "sha256sums")
        pack(members(files, parts, libs), f"kafka-{version}", archive)
    value = digest(archive)
    stamp.write_text(f"{inputs} {value}\n", encoding="utf-8")
    return {"path": str(archive), "changed": True, "sha256": value}


def main(arguments: list[str]) -> int:
    """Print the result as one JSON line; on failure one line to standard error and status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka-version", required=True)
    parser.add_argument("--cache", required=True, type=Path, help="folder that keeps the archive")
    parser.add_argument("--files", type=Path, default=FILES, help="folder with pins and scripts")
    parser.add_argument("--check", action="store_true", help="only say what would be done")
    chosen = parser.parse_args(arguments)
    try:
        # Maven reads a relative path from the place of pom.xml.
        files, cache = chosen.files.resolve(), chosen.cache.resolve()
        result = ensure(files, chosen.kafka_version, cache, check=chosen.check)
    except (ArchiveError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(result) + os.linesep)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
