"""Whatever is fetched from elsewhere has a version and a checksum, in every file that fetches."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.kafka_home import releases
from tests.support.project import PROJECT
from tests.unit.tools.supply_chain.project_files import all_tasks, tracked

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
SUM = re.compile(r"[0-9a-f]{64} [ *](\S+\.jar)")
# Modules that would fetch by themselves, without a sum that we know.
UNCHECKED = ["pip", "git", "apt_key", "apt_repository", "npm", "subversion"]


def logical_lines(path: Path) -> list[str]:
    """Return a file's lines; those that a backslash continues are one."""
    return path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


@pytest.mark.parametrize(
    "path", tracked("*requirements*.txt"), ids=lambda path: str(path.relative_to(PROJECT))
)
def test_every_requirement_has_one_version_and_its_hashes(path: Path) -> None:
    """So that pip takes nothing else, and nothing that is not listed."""
    lines = [line for line in logical_lines(path) if line.strip() and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,-]+\])?==[^\s*]+\s", line), line[:80]
        assert HASH.search(line), line[:80]
    assert path.with_suffix(".in").is_file()


def pip_commands() -> Iterator[tuple[str, str]]:
    """Yield every call of pip that installs or builds, as one line, and where it stands."""
    for path in (PROJECT / "Makefile", *tracked("*.sh", ".ci/run")):
        for line in logical_lines(path):
            if re.search(r"\bpip3? (install|wheel|download)\b", line):
                yield path.name, line
    for name, task in all_tasks():
        text = str(task.get("ansible.builtin.command", ""))
        if re.search(r"\bpip\b|_venv_pip", text):
            yield name, text


def test_pip_installs_nothing_without_a_hash_or_from_elsewhere() -> None:
    """Requirements by hash, our own wheels and sources without an index."""
    commands = list(pip_commands())
    assert len(commands) >= 8
    for where, line in commands:
        own = "--no-deps" in line and ("--no-index" in line or "--no-build-isolation" in line)
        assert "--require-hashes" in line or own, (where, line)


def test_pip_builds_nothing_with_what_it_fetches_for_the_occasion() -> None:
    """A build in isolation takes its tools unpinned: wheels alone, or tools that are installed."""
    for where, line in pip_commands():
        own = "--no-index" in line
        assert "--only-binary=:all:" in line or "--no-build-isolation" in line or own, (where, line)
        assert "--no-binary" not in line or "--no-build-isolation" in line, (where, line)


def test_maven_runs_pinned_plugins_and_refuses_wrong_checksums() -> None:
    """Without a version it takes the newest one; without the option it only warns."""
    makefile = [line for line in logical_lines(PROJECT / "Makefile") if "\tmvn " in line]
    scripts = [
        path.read_text(encoding="utf-8")
        for path in tracked("tools/*.py")
        if 'shutil.which("mvn")' in path.read_text(encoding="utf-8")
    ]
    assert len(makefile) == 1
    assert len(scripts) == 2
    for text in (*makefile, *scripts):
        assert re.search(r"[a-z.]+:[a-z]+-maven-plugin:\d+(\.\d+)+:[a-zA-Z-]+|"
                         r"[a-z.]+:maven-[a-z]+-plugin:\d+(\.\d+)+:[a-zA-Z-]+", text)  # fmt: skip
        assert "--strict-checksums" in text


@pytest.mark.parametrize(
    "folder", ["files/report", *(f"files/kafka/releases/{release}" for release in releases())]
)
def test_every_jar_has_a_version_and_a_checksum(folder: str) -> None:
    """No range, no snapshot; a sum for each."""
    pom = (PROJECT / folder / "pom.xml").read_text(encoding="utf-8")
    if "<parent>" in pom:
        pom += (PROJECT / folder / "../../pom.xml").read_text(encoding="utf-8")
    dependencies = re.findall(r"<dependency>(.*?)</dependency>", pom, re.DOTALL)
    assert dependencies
    for dependency in dependencies:
        (version,) = re.findall(r"<version>(.+)</version>", dependency)
        if version.startswith("${"):
            (version,) = re.findall(f"<{version[2:-1]}>(.+)</{version[2:-1]}>", pom)
        assert re.fullmatch(r"\d+(\.\d+)+", version)
    sums = (PROJECT / folder / "sha256sums").read_text(encoding="utf-8").splitlines()
    names = [match[1] for line in sums if (match := SUM.fullmatch(line))]
    assert len(names) == len(sums) == len(set(names))


def test_a_task_that_downloads_has_a_checksum() -> None:
    """And none uses a module that fetches without one."""
    fetching = 0
    for where, task in all_tasks():
        for module in UNCHECKED:
            assert f"ansible.builtin.{module}" not in task, (where, task["name"])
        if "ansible.builtin.get_url" in task:
            assert task["ansible.builtin.get_url"].get("checksum"), (where, task["name"])
            fetching += 1
        unpacked = str(task.get("ansible.builtin.unarchive", {}).get("src", ""))
        assert "://" not in unpacked, (where, task["name"])
        assert not re.search(r"\b(curl|wget)\b", str(task.get("ansible.builtin.command"))), where
    assert fetching == 1


def test_packages_from_outside_the_distribution_are_named_by_version() -> None:
    """From a repository that its own key signs, and held; no task takes what is newest."""
    (outside,) = (
        task
        for where, task in all_tasks()
        if where.startswith("roles/zerotier/") and "ansible.builtin.apt" in task
    )
    assert outside["ansible.builtin.apt"]["name"] == "zerotier-one={{ _zerotier_pick.version }}"
    sources = tracked("*.sources.j2", "*.list.j2")
    assert [path.name for path in sources if "Signed-By:" in path.read_text()] == [
        path.name for path in sources
    ]
    for where, task in all_tasks():
        apt = task.get("ansible.builtin.apt", {})
        assert apt.get("state") != "latest", where
        assert not apt.get("allow_unauthenticated"), where
        assert "deb" not in apt, where
