"""Bills of materials and the check for known vulnerabilities, by the tools that make them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.kafka.kafka_home import releases
from tests.support.project import PROJECT
from tools.supply_chain import supply_chain as script

SCRIPT = PROJECT / "tools" / "supply_chain" / "supply_chain.py"
DOCUMENTS = {
    "control": ["requirements.txt"],
    "app": ["app/requirements.txt"],
    "app-parquet": ["app/requirements-parquet.txt"],
    "spark": ["files/spark/build-requirements.txt", "files/spark/requirements.txt"],
}
JARS = {
    "page": "files/report",
    **{f"kafka-{release}": f"files/kafka/releases/{release}" for release in releases()},
}
LISTS = [
    *(name for names in DOCUMENTS.values() for name in names),
    "tests/requirements.txt",
    "files/supply_chain/requirements.txt",
]
Pins = dict[tuple[str, str], set[str]]
Database = tuple[str, set[tuple[str, str]]]


def pins(names: list[str]) -> Pins:
    """Return the hashes of each name and version that requirements files pin."""
    found: Pins = {}
    for name in names:
        text = (PROJECT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if match := re.match(r"([\w.-]+)(?:\[\S+\])?==(\S+)", line):
                found[match[1].lower(), match[2]] = set(re.findall(r"sha256:([0-9a-f]{64})", line))
    return found


def command(
    *arguments: str, script: Path = SCRIPT, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def hashes(component: dict[str, Any]) -> set[str]:
    """Return a component's SHA-256 sums, its own or those of its distributions."""
    every = [*component.get("hashes", [])]
    for reference in component.get("externalReferences", []):
        every += reference.get("hashes", [])
    return {entry["content"] for entry in every if entry["alg"] == "SHA-256"}


def test_every_pin_and_every_jar_is_in_the_bill_of_materials(tmp_path: Path) -> None:
    """With its version and hashes, and nothing more; a line says what was written."""
    done = command("sbom", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    documents = {}
    for name in (*DOCUMENTS, *JARS):
        path = tmp_path / f"{name}.cdx.json"
        documents[name] = json.loads(path.read_text(encoding="utf-8"))
        assert documents[name]["bomFormat"] == "CycloneDX"
        assert f"{path}: {len(documents[name]['components'])} components\n" in done.stdout
    for name, lists in DOCUMENTS.items():
        found = {
            (c["name"].lower(), c["version"]): hashes(c) for c in documents[name]["components"]
        }
        assert found == pins(lists)
        assert all(found.values())
    assert documents["app"]["metadata"]["component"]["name"] == "server-monitoring"
    for name, folder in JARS.items():
        listed = (PROJECT / folder / "sha256sums").read_text(encoding="utf-8").split()
        jars = dict(zip(listed[1::2], listed[::2], strict=True))
        components = documents[name]["components"]
        assert len(components) == len(jars)
        for component in components:
            jar = f"{component['name']}-{component['version']}"
            (listed_jar,) = (file for file in jars if jars[file] in hashes(component))
            assert listed_jar.startswith(jar)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{name}.cdx.json" for name in documents
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return the script in a copy of what it reads."""
    top = tmp_path / "copy"
    jars = [f"{folder}/{n}" for folder in JARS.values() for n in ("pom.xml", "sha256sums")]
    for name in (*LISTS, *jars, "files/kafka/pom.xml"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, top / name)
    (top / ".cache").mkdir()
    (top / ".cache" / "supply-chain").symlink_to(PROJECT / ".cache" / "supply-chain")
    script = top / SCRIPT.relative_to(PROJECT)
    script.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, script)
    return script


def test_jars_that_are_not_the_listed_ones_make_no_bill_of_materials(
    copy: Path, tmp_path: Path
) -> None:
    """One line, and the documents of an earlier run stay."""
    sums = copy.parents[2] / "files" / "report" / "sha256sums"
    sums.write_text("0" * 64 + "  uplot-1.6.30.jar\n")
    out = tmp_path / "out"
    out.mkdir()
    (out / "app.cdx.json").write_text("old")
    done = command("sbom", str(out), script=copy)
    assert done.returncode == 2, done.stderr
    assert done.stderr == (
        f"{sums}: 1 jars are not in the document, and 1 of it not in the list: clear Maven's "
        "repository or renew it\n"
    )
    assert [path.read_text() for path in out.iterdir()] == ["old"]


@contextmanager
def database(known: dict[str, str], status: int = 200) -> Iterator[Database]:
    """Serve what OSV serves; yield its address and what it was asked for."""
    asked: set[tuple[str, str]] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.add((name, query["version"]))
            vulnerability = {
                "id": known.get(name, ""),
                "affected": [
                    {
                        "package": {"name": name, "ecosystem": "PyPI"},
                        "ranges": [
                            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}
                        ],
                    }
                ],
            }
            body = json.dumps({"vulns": [vulnerability]} if name in known else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_database_is_asked_for_every_pin() -> None:
    """Of all requirements files of the project; without a finding the status is 0."""
    with database({}) as (address, asked):
        done = command("audit", AUDIT_OSV_URL=address)
    expected = set(pins(LISTS))
    assert asked == expected
    assert done.stdout == f"{len(expected)} requirements, no known vulnerability\n"
    assert (done.returncode, done.stderr) == (0, "")


Audit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Return a function that audits two lists alone, in this process: each takes a second."""
    monkeypatch.setattr(script, "PYTHON", {name: DOCUMENTS[name] for name in ("control", "app")})
    monkeypatch.setattr(script, "TOOLS_ALONE", ())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def run(address: str, strict: str = "") -> tuple[int, str, str]:
        monkeypatch.setenv("AUDIT_OSV_URL", address)
        monkeypatch.setenv("AUDIT_STRICT", strict)
        status = script.main(["audit"])
        return status, *capsys.readouterr()

    return run


def test_a_known_vulnerability_is_an_error_that_names_it(audit: Audit) -> None:
    """Once, though both files pin it, with the version that mends it."""
    with database({"pyyaml": "PYSEC-1"}) as (address, _):
        said = audit(address)
    (version,) = (version for name, version in pins(LISTS) if name == "pyyaml")
    assert said == (1, f"pyyaml {version}: PYSEC-1, fixed in 99\n", "")


def test_no_database_is_said_loudly_and_an_error_where_that_is_wanted(audit: Audit) -> None:
    """It cannot be taken for a check that found nothing."""
    with database({}) as (nobody, _):
        pass
    status, out, err = audit(nobody)
    assert (status, out) == (0, "")
    assert err.startswith("SKIPPED: the advisory database cannot be asked (")
    assert err.endswith("; with AUDIT_STRICT=1 this is an error\n")
    assert err.count("\n") == 1
    with database({}, status=500) as (broken, _):
        status, out, err = audit(broken, "1")
    assert (status, out) == (1, "")
    assert err.startswith("SKIPPED: ")


def test_a_requirement_that_was_left_out_was_not_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some databases know no answer for a package: that is no clean bill."""
    left_out = [{"name": "lz4", "skip_reason": "not found"}]
    monkeypatch.setattr(script, "run", lambda _: None)
    monkeypatch.setattr(script, "ask", lambda _, findings: findings.add(left_out) or "")
    monkeypatch.setenv("AUDIT_STRICT", "1")
    assert script.audit() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "SKIPPED: the advisory database cannot be asked (no answer for lz4)\n"


def test_a_requirement_without_a_hash_is_no_trouble_of_the_database(copy: Path) -> None:
    """It is one line and an error, also where nobody asks for strictness."""
    (copy.parents[2] / "app" / "requirements.txt").write_text("lz4==4.4.4\n")
    done = command("audit", script=copy, AUDIT_STRICT="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "lz4" in done.stderr
    assert done.stderr.count("\n") == 1


def test_tools_that_are_not_installed_are_one_line(copy: Path, tmp_path: Path) -> None:
    """It says how they are installed."""
    (copy.parents[2] / ".cache" / "supply-chain").unlink()
    for arguments in (["audit"], ["sbom", str(tmp_path / "out")]):
        done = command(*arguments, script=copy)
        assert done.returncode == 2
        assert "not found; run it by `make sbom` or `make audit`" in done.stderr
        assert done.stderr.count("\n") == 1
