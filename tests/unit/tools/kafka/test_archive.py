"""The Kafka archive: its parts, its checks and its reproducibility, without Maven."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.kafka.kafka_home import releases, version
from tests.support.project import PROJECT
from tools.kafka import build_archive

if TYPE_CHECKING:
    from pathlib import Path

PARTS = PROJECT / "files/kafka"
USUAL = [
    "acls",
    "broker-api-versions",
    "cluster",
    "configs",
    "console-consumer",
    "console-producer",
    "consumer-groups",
    "consumer-perf-test",
    "delete-records",
    "dump-log",
    "features",
    "get-offsets",
    "leader-election",
    "log-dirs",
    "metadata-quorum",
    "producer-perf-test",
    "reassign-partitions",
    "storage",
    "topics",
    "transactions",
]


@pytest.fixture
def jars(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder with two jars and the list of their sums."""
    libs = tmp_path / "libs"
    libs.mkdir()
    lines = []
    for name in ("a-1.jar", "b-2.jar"):
        (libs / name).write_bytes(name.encode())
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n")
    sums = tmp_path / "sums"
    sums.write_text("".join(lines))
    return libs, sums


def test_equal_jars_pass(jars: tuple[Path, Path]) -> None:
    """A folder that is exactly the list raises nothing."""
    build_archive.check_jars(*jars)


def test_a_changed_jar_is_refused_by_name(jars: tuple[Path, Path]) -> None:
    """The message has the jar's name and both sums."""
    (jars[0] / "b-2.jar").write_bytes(b"other")
    with pytest.raises(build_archive.ArchiveError, match=r"b-2\.jar has sha256 \w+, expected \w+"):
        build_archive.check_jars(*jars)


def test_a_missing_jar_is_refused_by_name(jars: tuple[Path, Path]) -> None:
    """The message has the jar's name."""
    (jars[0] / "a-1.jar").unlink()
    with pytest.raises(build_archive.ArchiveError, match=r"a-1\.jar is missing"):
        build_archive.check_jars(*jars)


def test_an_extra_file_is_refused_by_name(jars: tuple[Path, Path]) -> None:
    """Nothing unlisted gets onto the class path."""
    (jars[0] / "c.jar").touch()
    with pytest.raises(build_archive.ArchiveError, match=r"c\.jar is not in the list"):
        build_archive.check_jars(*jars)


def test_a_broken_list_is_refused_with_its_line(jars: tuple[Path, Path]) -> None:
    """A sum that is too short names file and line number."""
    jars[1].write_text("abc  a-1.jar\n")
    with pytest.raises(build_archive.ArchiveError, match="line 1: found 'abc"):
        build_archive.check_jars(*jars)


def test_a_release_without_a_list_is_refused_with_those_that_have_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, before anything is fetched."""
    assert build_archive.main(["--kafka-version", "9.9.9", "--cache", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"kafka_version: found 9.9.9, expected one of {', '.join(releases())},")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_missing_maven_says_what_to_install(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line on standard error, status 1, and no archive."""
    monkeypatch.setenv("PATH", str(tmp_path))
    cache = ["--cache", str(tmp_path / "cache")]
    assert build_archive.main(["--kafka-version", version(), *cache]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "apt-get install maven" in error
    assert not list((tmp_path / "cache").iterdir())


def test_the_archive_is_made_once_and_again_when_damaged(
    jars: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal inputs give equal bytes; a second call does nothing; a damaged archive is replaced."""
    fetched = []

    def fetch(_pom: Path, libs: Path) -> None:
        fetched.append(libs)
        for jar in jars[0].iterdir():
            (libs / jar.name).write_bytes(jar.read_bytes())

    monkeypatch.setattr(build_archive, "fetch_jars", fetch)
    monkeypatch.setattr(build_archive, "check_jars", lambda *_: None)
    cache, release = tmp_path / "cache", version()
    told = build_archive.ensure(PARTS, release, cache, check=True)
    assert (told["changed"], told["sha256"], fetched) == (True, "", [])
    first = build_archive.ensure(PARTS, release, cache, check=False)
    again = build_archive.ensure(PARTS, release, cache, check=False)
    assert (first["changed"], again["changed"], len(fetched)) == (True, False, 1)
    (cache / f"kafka-{release}.tar.gz").write_bytes(b"damaged")
    third = build_archive.ensure(PARTS, release, cache, check=False)
    assert third == first


def test_the_archive_s_files_are_root_s_and_its_tools_executable(tmp_path: Path) -> None:
    """Owner, mode and time of each member are fixed, whatever the umask."""
    target = tmp_path / "x.tar.gz"
    build_archive.pack(
        [("bin/a.sh", b"#!/bin/sh\n", 0o755), ("libs/a.jar", b"", 0o644)], "k", target
    )
    with tarfile.open(target) as archive:
        found = [(m.name, m.mode, m.uid, m.gid, m.mtime) for m in archive.getmembers()]
    assert found == [("k/bin/a.sh", 0o755, 0, 0, 0), ("k/libs/a.jar", 0o644, 0, 0, 0)]


@pytest.mark.parametrize("tool", USUAL)
def test_the_usual_tool_is_in_the_map(tool: str) -> None:
    """People find the names that they know."""
    assert f"kafka-{tool}.sh" in build_archive.read_tools(PARTS, PARTS / "releases" / version())


@pytest.mark.parametrize("release", releases())
def test_every_main_class_is_in_the_jars(release: str) -> None:
    """Each line of the tool map starts something (needs the archive that provisioning makes)."""
    archive = PROJECT / f".cache/kafka/kafka-{release}.tar.gz"
    if not archive.exists():
        pytest.skip("no archive in .cache/kafka yet")
    classes: set[str] = set()
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            if re.search(r"/libs/kafka[^/]*\.jar$", member.name):
                content = packed.extractfile(member)
                assert content is not None
                with zipfile.ZipFile(content) as jar:
                    classes.update(jar.namelist())
    tools = build_archive.read_tools(PARTS, PARTS / "releases" / release)
    tools["server"] = "kafka.Kafka"
    missing = {t: c for t, c in tools.items() if c.replace(".", "/") + ".class" not in classes}
    assert missing == {}


def test_the_default_release_has_a_list() -> None:
    """The role's own version can be installed without another setting."""
    assert version() in releases()


@pytest.mark.parametrize("release", releases())
def test_the_list_of_sums_names_each_jar_once(release: str) -> None:
    """The list has every dependency that pom.xml asks for, in the version of its folder."""
    parts = PARTS / "releases" / release
    pairs = build_archive.read_pairs(parts / "sha256sums", build_archive.SUM_LINE)
    names = [name for _, name in pairs]
    assert len(set(names)) == len(names)
    properties = (parts / "pom.xml").read_text(encoding="utf-8")
    assert f"<kafka.version>{release}</kafka.version>" in properties
    log4j = re.findall(r"<log4j\.version>(.+)</log4j\.version>", properties)[0]
    asked = {f"kafka_2.13-{release}.jar", f"kafka-tools-{release}.jar", f"log4j-core-{log4j}.jar"}
    assert asked <= set(names)


@pytest.mark.parametrize("script", sorted((PARTS / "bin").iterdir()), ids=lambda path: path.name)
def test_our_scripts_are_executable_posix_shell(script: Path) -> None:
    """They parse, and the archive's modes are theirs."""
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


def test_the_launcher_gives_java_class_path_heap_and_arguments(tmp_path: Path) -> None:
    """A tool called through a link finds its own tree's jars."""
    for folder in ("tree/bin", "jdk/bin"):
        (tmp_path / folder).mkdir(parents=True)
    java = tmp_path / "jdk/bin/java"
    java.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    java.chmod(0o755)
    launcher = tmp_path / "tree/bin/kafka-run-class.sh"
    launcher.write_text((PARTS / "bin/kafka-run-class.sh").read_text())
    launcher.chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "tree")
    environment = {"PATH": "/usr/bin:/bin", "JAVA_HOME": str(tmp_path / "jdk")}
    done = subprocess.run(
        [tmp_path / "link/bin/kafka-run-class.sh", "a.Main", "one two", "*"],
        env=environment | {"KAFKA_HEAP_OPTS": "-Xms1m -Xmx2m"},
        capture_output=True,
        text=True,
        check=True,
    )
    given = done.stdout.splitlines()
    assert given[:2] == ["-Xms1m", "-Xmx2m"]
    assert given[-5:] == ["-cp", f"{tmp_path}/tree/libs/*", "a.Main", "one two", "*"]
