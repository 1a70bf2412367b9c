"""What the documents name is there, and what is there stands in the documents."""

import ast
import re

import pytest
import tomllib
from server_monitoring.cli import COMMANDS

from tests.support.project import PROJECT
from tests.unit.docs import checks, shape
from tests.unit.docs.checkout import APP, ROLES
from tests.unit.docs.markdown import Document

FOLDERS = ("collections", "files", "roles", "tests", "tools")
PATHS = [
    PROJECT / "README.md",
    *sorted(PROJECT.glob("docs/*.md")),
    *sorted(path for folder in FOLDERS for path in (PROJECT / folder).glob("**/README.md")),
]
DOCUMENTS = {
    str(path.relative_to(PROJECT)): Document(path, path.read_text("utf-8")) for path in PATHS
}
FRONT, ARCHITECTURE = DOCUMENTS["README.md"], DOCUMENTS["docs/architecture.md"]
ROLE_FOLDERS = [
    *(f"roles/{role}" for role in ROLES),
    "roles/pipeline/tasks/run",
]
PACKAGES = sorted(path.parent.name for path in APP.glob("*/__init__.py"))
CONTRACTS = (
    tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]
    .get("importlinter", {})
    .get("contracts", [])
)
LINES = 150


def flat(text: str) -> str:
    """Return `text` on one line and in small letters: a cell begins with a capital one."""
    return " ".join(text.split()).lower()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_names_is_there(name: str) -> None:
    """Links, paths, targets of make, playbooks, tags, settings, commands and their options."""
    assert checks.faults_of(DOCUMENTS[name]) == []


def test_the_front_page_is_short() -> None:
    """Whoever has never seen the project reads it to its end."""
    assert list(shape.too_large(FRONT, LINES)) == []


@pytest.mark.parametrize("folder", ROLE_FOLDERS)
def test_each_role_has_a_page_of_the_one_shape(folder: str) -> None:
    """Whoever knows one knows where to look in all."""
    assert shape.faults_of(DOCUMENTS[f"{folder}/README.md"]) == []


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("docs/")])
def test_the_front_page_leads_to(name: str) -> None:
    """Nobody has to guess that a page is there."""
    assert name in {link.partition("#")[0] for link in FRONT.links}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_app_stands_in_a_document(command: str) -> None:
    """As it is typed."""
    calls = [call for page in DOCUMENTS.values() for call in page.commands("server-monitoring")]
    assert command in {call[0] for call in calls if call}


@pytest.mark.parametrize("name", sorted(path.name for path in PROJECT.glob("playbooks/*.yml")))
def test_each_playbook_is_a_step_of_another_or_stands_in_a_document(name: str) -> None:
    """None is there that nobody hears of."""
    doors = [*PROJECT.glob("*.yml"), *PROJECT.glob("playbooks/*.yml")]
    imports = re.compile(rf"import_playbook: (playbooks/)?{re.escape(name)}")
    step = any(imports.search(door.read_text("utf-8")) for door in doors)
    told = any(f"playbooks/{name}" in line for page in DOCUMENTS.values() for line in page.code)
    assert step or told


@pytest.mark.parametrize("package", PACKAGES)
def test_architecture_gives_each_package_its_guarantee(package: str) -> None:
    """As the package itself does, word for word."""
    row = re.search(rf"^\| `{package}/` \|.*$", ARCHITECTURE.text, re.MULTILINE)
    assert row is not None
    face = ast.get_docstring(ast.parse((APP / package / "__init__.py").read_text("utf-8"))) or ""
    for guarantee in re.findall(r"Guarantee: ([^.]+\.)", face):
        assert flat(guarantee) in flat(row[0])


@pytest.mark.parametrize("contract", [contract["name"] for contract in CONTRACTS])
def test_architecture_explains_each_contract(contract: str) -> None:
    """Under the name that the linter prints when it is broken."""
    assert f"| {contract} |" in ARCHITECTURE.text


@pytest.mark.parametrize("folder", ROLE_FOLDERS)
def test_architecture_names_each_role(folder: str) -> None:
    """With what it is for."""
    table = ARCHITECTURE.text.partition("## Ansible")[2].partition("\n- ")[0]
    assert re.search(rf"\b{folder.removeprefix('roles/')}\b", table) is not None


@pytest.mark.parametrize(
    "name", sorted({path.relative_to(PROJECT).parts[1] for path in PROJECT.glob("tests/*/**/*.py")})
)
def test_architecture_names_each_folder_of_tests(name: str) -> None:
    """With what it needs and proves."""
    assert f"tests/{name}/" in " ".join(ARCHITECTURE.code)
