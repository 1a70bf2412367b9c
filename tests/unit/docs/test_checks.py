"""The checks of documents find what is planted, and nothing where nothing is wrong."""

import pytest

from tests.support.project import PROJECT
from tests.unit.docs import checks, shape
from tests.unit.docs.markdown import Document

GOOD = """# A title

## What it's for: `make`, "tags" & more

[there](README.md) [here](#what-its-for-make-tags--more) [elsewhere](https://example.org/#x)
![picture](docs/report.png "with a title") [heading](docs/results.md#alert-tables)

`make test LONG=1`, `roles/<name>/defaults/main.yml`, `inventory/<name>/pki`, `results/latest`,
`/etc/nothing/here`, `172.29.0.0/24`, `pipeline_*`, `zerotier_ip: 172.29.0.1`, `kafka_access`,
`-e leave=consumer-2`, `secrets.yml`, `server-monitoring alerts results/latest --format csv`, `kafka
broker`

```sh
ZEROTIER_DEB=/path/to.deb make demo && make lab-down   # make nothing
ansible-playbook -i inventory/<name> provision.yml --check --diff --tags kafka,pki \\
  --skip-tags summary -e '{"pipeline_thresholds": {"cpu_pct": 1}}'
/opt/server-monitoring/bin/server-monitoring probe --credentials /some/file
pytest tests/infra --ansible-inventory inventory/<name>
```

```text
make nothing; docs/nothing.md
```
"""
PLANTED = [
    ("[gone](docs/gone.md)", "link docs/gone.md: no such file"),
    ("![gone](docs/gone.png)", "link docs/gone.png: no such file"),
    ('<img src="docs/gone.png">', "link docs/gone.png: no such file"),
    ("[text][1]\n\n[1]: docs/gone.md", "link docs/gone.md: no such file"),
    ("[gone](docs/results.md#gone)", "link docs/results.md#gone: no such heading"),
    ("# Title\n\n[gone](#titel)", "link #titel: no such heading"),
    ("`roles/kafka/tasks/gone.yml`", "path roles/kafka/tasks/gone.yml: not there"),
    ("`role/kafka/`", "path role/kafka/: not there"),
    ("`roles/<name>/gone.yml`", "path roles/<name>/gone.yml: not there"),
    ("`inventory/<name>/gone`", "path inventory/<name>/gone: not there"),
    ("`roles/kafka\n tasks/gone.yml`", "path tasks/gone.yml: not there"),
    ("```sh\npytest tests/gone\n```", "path tests/gone: not there"),
    ("    pytest tests/gone", "path tests/gone: not there"),
    ("`gone.yml`", "file gone.yml: none of this name"),
    ("`make tset`", "make tset: no such target"),
    ("```\nA=b make test && make tset LONG=1\n```", "make tset: no such target"),
    ("`make test LOGN=1`", "make LOGN=1: the Makefile uses no LOGN"),
    ("`ansible-playbook gone.yml`", "ansible-playbook gone.yml: no such playbook"),
    ("`ansible-playbook provision.yml --tags kafak`", "--tags kafak: no tag of provision.yml"),
    (
        "`ansible-playbook playbooks/topics.yml --tags=pki`",
        "--tags pki: no tag of playbooks/topics.yml",
    ),
    ("`ansible-playbook provision.yml -e pipeline_rat=1`", "-e pipeline_rat: no playbook takes it"),
    (
        "`ansible-playbook run_pipeline.yml -e '{\"pipeline_treshold\": 1}'`",
        "-e pipeline_treshold: no playbook takes it",
    ),
    (
        "`ansible-playbook provision.yml --chek`",
        "ansible-playbook --chek: no option that is known here",
    ),
    ("| `pipeline_windows_seconds` | 30 |", "setting pipeline_windows_seconds: no role has it"),
    ("`kafka_haep: 1g`", "setting kafka_haep: no role has it"),
    ("`zerotier_roots_*`", "setting zerotier_roots_*: no role has it"),
    ("`server-monitoring colect`", "server-monitoring colect: no such command"),
    (
        "`/opt/server-monitoring/bin/server-monitoring produce --datset x`",
        "server-monitoring produce --datset: no such option",
    ),
    ("`server-monitoring alerts x --against=y --rate 1`", "server-monitoring alerts --rate: no"),
]
ROLE = """# kafka

Does one thing.

## Needs

Another one.

## Settings

All are in `defaults/main.yml`.

## Promises

It keeps some.

## Files

Here.
"""


def document(text: str) -> Document:
    """Return a document that would stand in the checkout's root."""
    return Document(PROJECT / "planted.md", text)


def test_a_good_document_has_no_faults() -> None:
    """Placeholders, what is made, what is on nodes, output and comments are left alone."""
    assert checks.faults_of(document(GOOD)) == []


@pytest.mark.parametrize(("text", "expected"), PLANTED)
def test_a_planted_fault_is_found(text: str, expected: str) -> None:
    """However it is written, in a document that is good otherwise."""
    faults = checks.faults_of(document(f"{GOOD}\n{text}\n"))
    assert any(fault.startswith(expected) for fault in faults), faults


def test_each_check_has_a_planted_fault() -> None:
    """No check is there that nothing was seen to fail."""
    for check in checks.CHECKS:
        assert any(check(document(text)) for text, _ in PLANTED), check.__name__


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("# kafka\n", "# Role kafka\n", "title"),
        ("Does one thing.\n\n", "", "nothing before"),
        ("## Needs\n", "## Needed\n", "headings"),
        ("## Needs\n\nAnother one.\n\n", "", "headings"),
        ("Another one.\n\n", "", "Needs: empty"),
        ("`defaults/main.yml`", "elsewhere", "Settings"),
        ("Here.\n", "Here.\n" * 14, "32 lines"),
        ("Here.", "x" * 141, "141 characters"),
    ],
)
def test_another_shape_of_a_role_s_page_is_found(old: str, new: str, expected: str) -> None:
    """Title, paragraph, four headings with something below each, and their measure."""
    good = Document(PROJECT / "roles/kafka/README.md", ROLE)
    assert shape.faults_of(good) == []
    changed = ROLE.replace(old, new, 1)
    assert changed != ROLE
    faults = shape.faults_of(Document(good.path, changed))
    assert any(expected in fault for fault in faults), faults
