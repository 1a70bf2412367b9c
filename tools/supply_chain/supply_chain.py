"""What the project installs from elsewhere: its bills of materials, and what is known against it.

``sbom FOLDER`` writes CycloneDX documents: the Python requirements of control machine and nodes
with the hashes that pip accepts, and the jars of the Kafka archive and of the page with their own.
Guarantee: the jars of a document are exactly those of its ``sha256sums``; a failed run leaves the
documents of an earlier one alone.

``audit`` asks an advisory database (OSV) for each pinned Python requirement. Where there is none
at hand it says SKIPPED on standard error: nothing was checked then. Condition of "no known
vulnerability": the database answered for every single one.

Standard library only; the tools are those of requirements.txt beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".cache" / "supply-chain" / "bin"
# Written out in full: without a version Maven takes the newest one.
MAVEN_GOAL = "org.cyclonedx:cyclonedx-maven-plugin:2.9.3:makeBom"
ENDING = ".cdx.json"
# Of an error of another program, as much as fits a line.
SHOWN = 240

# Name of the document -> requirements files.
PYTHON = {
    "control": ("requirements.txt",),
    "app": ("app/requirements.txt",),
    "app-parquet": ("app/requirements-parquet.txt",),
    "spark": ("files/spark/build-requirements.txt", "files/spark/requirements.txt"),
}
# Name of the document -> folder with pom.xml and sha256sums.
JARS = {
    "page": "files/report",
    **{
        f"kafka-{folder.name}": f"files/kafka/releases/{folder.name}"
        for folder in sorted((ROOT / "files/kafka/releases").iterdir())
    },
}
# Not on a node or control machine, but run by developers and CI.
TOOLS_ALONE = ("tests/requirements.txt", "files/supply_chain/requirements.txt")
STRICT = "AUDIT_STRICT"
DATABASE = "AUDIT_OSV_URL"


class SupplyChainError(Exception):
    """It cannot be done; the message is one line for the person at the terminal."""


def tool(name: str) -> str:
    """Return the path of a tool of requirements.txt.

    Raises:
        SupplyChainError: it is not installed.

    """
    path = TOOLS / name
    if not path.exists():
        message = f"{path}: not found; run it by `make sbom` or `make audit`, which install it"
        raise SupplyChainError(message)
    return str(path)


def run(command: list[str], given: str = "") -> None:
    """Run a tool to its end.

    Raises:
        SupplyChainError: it failed; the message has its first error line.

    """
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line] or lines or ["no output"]
        message = (
            f"{Path(command[0]).name} ended with status {done.returncode}: {errors[0][:SHOWN]}"
        )
        raise SupplyChainError(message)


def python_document(sources: tuple[str, ...], target: Path) -> None:
    """Write what the requirements files pin."""
    command = [tool("cyclonedx-py"), "requirements", "--output-format", "JSON"]
    command += ["--output-file", str(target)]
    project = (ROOT / sources[0]).with_name("pyproject.toml")
    if project.is_file() and project.parent != ROOT:
        command += ["--pyproject", str(project)]
    run([*command, "-"], "".join((ROOT / s).read_text(encoding="utf-8") for s in sources))


def jar_document(folder: Path, target: Path) -> None:
    """Write the run-time dependencies of a pom.xml, held against the sums beside it.

    Raises:
        SupplyChainError: Maven failed, or found other jars than the sums say.

    """
    maven = shutil.which("mvn")
    if maven is None:
        message = "mvn: not found on the control machine; install it (apt-get install maven)"
        raise SupplyChainError(message)
    name = target.name.removesuffix(".json")
    command = [maven, "--batch-mode", "--quiet", "--strict-checksums", MAVEN_GOAL]
    command += ["--file", str(folder / "pom.xml"), "-DoutputFormat=json"]
    run([*command, f"-DoutputDirectory={target.parent}", f"-DoutputName={name}"])
    expected = {line.split()[0] for line in (folder / "sha256sums").read_text().splitlines()}
    found = {
        entry["content"]
        for component in components(target)
        for entry in component["hashes"]
        if entry["alg"] == "SHA-256"
    }
    if found != expected:
        message = (
            f"{folder / 'sha256sums'}: {len(expected - found)} jars are not in the document, and "
            f"{len(found - expected)} of it not in the list: clear Maven's repository or renew it"
        )
        raise SupplyChainError(message)


def components(document: Path) -> list[dict[str, Any]]:
    """Return the components of a document."""
    found: list[dict[str, Any]] = json.loads(document.read_text(encoding="utf-8"))["components"]
    return found


def sbom(folder: Path) -> None:
    """Write all documents to a folder, and a line for each.

    Raises:
        SupplyChainError: one cannot be made; none is replaced then.

    """
    tool("cyclonedx-py")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as scratch:
        for name, source in JARS.items():
            jar_document(ROOT / source, Path(scratch) / (name + ENDING))
        for name, sources in PYTHON.items():
            python_document(sources, Path(scratch) / (name + ENDING))
        for name in (*PYTHON, *JARS):
            target = folder / (name + ENDING)
            (Path(scratch) / target.name).replace(target)
            sys.stdout.write(f"{target}: {len(components(target))} components\n")


@dataclass
class Findings:
    """What the database answered: requirements checked, unanswered, and vulnerabilities."""

    checked: set[str]
    unanswered: set[str]
    vulnerable: set[str]

    def add(self, dependencies: list[dict[str, Any]]) -> None:
        """Take what pip-audit wrote; what it skipped was not checked."""
        for entry in dependencies:
            if "skip_reason" in entry:
                self.unanswered.add(entry["name"])
                continue
            named = f"{entry['name']} {entry['version']}"
            self.checked.add(named)
            for found in entry["vulns"]:
                fixed = ", ".join(found["fix_versions"]) or "no version yet"
                self.vulnerable.add(f"{named}: {found['id']}, fixed in {fixed}")


def auditing(source: str) -> list[str]:
    """Return the command that audits a requirements file, without asking for its packages."""
    command = [tool("pip-audit"), "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    return [*command, "--requirement", str(ROOT / source)]


def ask(source: str, findings: Findings) -> str:
    """Ask the database for the requirements of a file; return why if it does not answer."""
    command = [*auditing(source), "--vulnerability-service", "osv"]
    if os.environ.get(DATABASE):
        command += ["--osv-url", os.environ[DATABASE]]
    with tempfile.TemporaryDirectory() as scratch:
        answer = Path(scratch) / "audit.json"
        command += ["--format", "json", "--output", str(answer)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not answer.is_file():
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            return (lines or ["no answer"])[-1][:SHOWN]
        findings.add(json.loads(answer.read_text(encoding="utf-8"))["dependencies"])
    return ""


def audit() -> int:
    """Print what is known; return 0 if that is nothing, 1 else (see the module for SKIPPED).

    Raises:
        SupplyChainError: a requirements file cannot be read, or pins something without a hash.

    """
    findings, why = Findings(set(), set(), set()), ""
    lists = [*(source for sources in PYTHON.values() for source in sources), *TOOLS_ALONE]
    for source in lists:
        why = why or ask(source, findings)
    if why:
        # Whose fault it is: what fails without the database is no trouble of the database.
        for source in lists:
            run([*auditing(source), "--dry-run"])
    for line in sorted(findings.vulnerable):
        sys.stdout.write(f"{line}\n")
    if findings.vulnerable:
        return 1
    if findings.unanswered:
        why = f"no answer for {', '.join(sorted(findings.unanswered))}"[:SHOWN]
    if not why:
        sys.stdout.write(f"{len(findings.checked)} requirements, no known vulnerability\n")
        return 0
    strict = os.environ.get(STRICT, "") not in {"", "0"}
    more = "" if strict else f"; with {STRICT}=1 this is an error"
    sys.stderr.write(f"SKIPPED: the advisory database cannot be asked ({why}){more}\n")
    return 1 if strict else 0


def main(arguments: list[str]) -> int:
    """Run a command; on failure one line to standard error and status 2."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("audit", help="ask for known vulnerabilities of the Python requirements")
    wanted = commands.add_parser("sbom", help="write the bills of materials")
    wanted.add_argument("folder", type=Path, help="where to write them")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "audit":
            return audit()
        # Maven reads a relative path from the place of pom.xml.
        sbom(chosen.folder.resolve())
    except (SupplyChainError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
